"""What is asked of clip_zero_shot_classifier, over a CLIP with known features.

Weights: the maximum along the wrong axis makes it useless; dot products make it worse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment4.clip_dino import in_kernel
from autograder.checks.assignment4.clip_dino.known import Case, draw
from autograder.judge import Failed, Student, check, expect

QUESTION, CELL = "zero-shot", "zero-shot-code"
NAME = "clip_zero_shot_classifier"


def _ask(student: Student, case: Case) -> dict[str, Any]:
    cell = student.cell_defining(NAME) or CELL
    return case.ask(student, in_kernel.classified, cell)


def _best(case: Case, scores: np.ndarray) -> list[str]:
    """For each image (column of scores) the text with the largest."""
    return [case.words[index] for index in scores.argmax(axis=0)]


def _expect(
    answer: Mapping[str, Any], case: Case, wrong: Mapping[str, Sequence[str]] | None = None
) -> None:
    """The names are right; a slip is named where its answer is another than the right one."""
    names, want = list(answer["names"]), _best(case, case.table())
    N, C = len(case.images), len(case.texts)
    if names == want:
        return
    for message, slip in (wrong or {}).items():
        if names == list(slip):
            raise Failed(message)
    expect(
        len(names) == N,
        f"{N} images and {C} texts: there are {len(names)} answers, not one for each image",
    )
    strangers = [name for name in names if name not in case.words]
    expect(not strangers, "an answer is none of the class texts")
    bad = sum(name != right for name, right in zip(names, want, strict=True))
    raise Failed(f"{bad} of {N} images get another text than the one with the largest cosine")


def _slips(case: Case) -> dict[str, list[str]]:
    table = case.table()
    own = table.argmax(axis=1)  # of each text, the image
    words = case.words
    named = {
        "for each text the best image was taken, not for each image the best text": [
            words[index] if index < len(words) else "" for index in own
        ],
        "each image gets the text that fits least": _best(case, -table),
        "the same text for all images: the one with the largest sum": (
            [words[int(table.sum(axis=1).argmax())]] * len(case.images)
        ),
        "the best text was found for the first image alone": [words[int(table[:, 0].argmax())]],
    }
    want = _best(case, table)
    return {message: wrong for message, wrong in named.items() if wrong != want}


def _differs(*wrong: Callable[[Case], list[str]]) -> Callable[[Case], bool]:
    def accept(case: Case) -> bool:
        want = _best(case, case.table())
        enough = len(set(want)) >= min(3, len(case.texts))
        return enough and all(one(case) != want for one in wrong)

    return accept


def _by_text(case: Case) -> list[str]:
    own = case.table().argmax(axis=1)
    return [case.words[index] if index < len(case.words) else "" for index in own]


@check(QUESTION, probe="CLIP-A2", weight=5)
def each_image_gets_its_text(student: Student, rng: Generator) -> None:
    """As many images as classes, of different sizes: the best class for each image."""
    case = draw(rng, 5, 5, spread=0.0, accept=_differs(_by_text))
    _expect(_ask(student, case), case, _slips(case))


@check(QUESTION, probe="CLIP-A2", weight=3)
def more_classes_or_more_images(student: Student, rng: Generator) -> None:
    """More classes than images, and more images than classes."""
    for N, C in ((3, 7), (8, 3)):
        case = draw(rng, N, C, spread=0.0, accept=_differs(_by_text))
        _expect(_ask(student, case), case, _slips(case))


@check(QUESTION, probe="CLIP-A3", weight=3)
def lengths_do_not_count(student: Student, rng: Generator) -> None:
    """Texts whose features are long do not win by that."""

    def by_dots(case: Case) -> list[str]:
        return _best(case, case.dots())

    case = draw(rng, 6, 4, spread=3.0, accept=_differs(by_dots))
    slips = {"texts with long features win: dot products are compared, not cosines": by_dots(case)}
    _expect(_ask(student, case), case, slips)


@check(QUESTION, probe="CLIP-A2", weight=1)
def order_of_texts_does_not_count(student: Student, rng: Generator) -> None:
    """The same classes in another order: the same answers."""
    case = draw(rng, 4, 5, spread=0.5, accept=_differs())
    order = rng.permutation(5)
    turned = Case(case.images, case.texts[order], tuple(case.words[i] for i in order), case.sizes)
    first, second = (list(_ask(student, one)["names"]) for one in (case, turned))
    expect(first == second, "the answers change when the class texts are given in another order")
    _expect({"names": second}, turned)


@check(QUESTION, probe="CLIP-A2", weight=1, rare=True)
def one_image_or_one_class(student: Student, rng: Generator) -> None:
    """One image alone; one class alone; both."""
    for N, C in ((1, 4), (3, 1), (1, 1)):
        case = draw(rng, N, C, spread=0.5)
        _expect(_ask(student, case), case)


@check(QUESTION, probe="CLIP-A2", weight=1, condition=True)
def answers_are_a_list_of_str(student: Student, rng: Generator) -> None:
    """A list of str."""
    answer = _ask(student, draw(rng, 3, 4, spread=0.0))
    kind, kinds = answer["type"], answer["kinds"]
    expect(kind == "list", f"the answer is of type {kind}, not a list")
    expect(list(kinds) == ["str"], f"the answers are of type {', '.join(kinds)}, not str")
