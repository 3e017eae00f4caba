"""What is asked of CLIPImageRetriever, over a CLIP with known features.

Weights: the wrong images are worth nothing; encoding all images for each query is what the class
is there to avoid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment4.clip_dino import in_kernel
from autograder.checks.assignment4.clip_dino.known import Case, draw
from autograder.judge import Failed, Student, check, expect

QUESTION, CELL, NAME = "retrieval", "retrieval-code", "CLIPImageRetriever"
Query = tuple[int, int | None]


def _ask(student: Student, case: Case, queries: Sequence[Query]) -> dict[str, Any]:
    cell = student.cell_defining(NAME) or CELL
    return case.ask(student, in_kernel.retrieved, cell, [list(query) for query in queries])


def _order(scores: np.ndarray, k: int) -> list[int]:
    """The k largest, the best first."""
    return [int(index) for index in np.argsort(-scores, kind="stable")[:k]]


def _expect(got: Sequence[int], scores: np.ndarray, k: int, wrong: dict[str, list[int]]) -> None:
    want, got = _order(scores, k), [int(index) for index in got]
    if got == want:
        return
    for message, slip in wrong.items():
        if got == slip and slip != want:
            raise Failed(message)
    expect(len(got) == k, f"asked for {k} images, it returns {len(got)}")
    outside = [index for index in got if not 0 <= index < len(scores)]
    expect(not outside, f"{outside[:1]} is no index of {len(scores)} images")
    if sorted(got) == sorted(want):
        raise Failed("the right images, but not the best first")
    raise Failed(f"of {k} images, {len(set(want) - set(got))} are not among the best")


def _slips(scores: np.ndarray, k: int) -> dict[str, list[int]]:
    return {
        "the images that fit least come first": _order(-scores, k),
        "the best image comes last": _order(scores, k)[::-1],
        "these are the first images, in the order of the collection": list(range(k)),
        "these are the right images, in the order of the collection": sorted(_order(scores, k)),
    }


def _unordered(case: Case) -> bool:
    """No query's best images come in the order of the collection, or backwards."""
    for line in case.table():
        best = _order(line, 3)
        if best in (sorted(best), sorted(best, reverse=True)):
            return False
    return True


@check(QUESTION, probe="CLIP-A3", weight=5)
def finds_the_best_first(student: Student, rng: Generator) -> None:
    """Three of six images of different sizes, for two queries one after the other."""
    case = draw(rng, 6, 2, spread=0.0, accept=_unordered)
    answers = _ask(student, case, [(0, 3), (1, 3), (0, 3)])["answers"]
    table = case.table()
    for number, got in zip((0, 1, 0), answers, strict=True):
        _expect(got, table[number], 3, _slips(table[number], 3))


@check(QUESTION, probe="CLIP-A3", weight=2)
def k_is_how_many(student: Student, rng: Generator) -> None:
    """k = 1, k = all, and 2 where nothing is said."""
    case = draw(rng, 5, 1, spread=0.0)
    answers = _ask(student, case, [(0, 1), (0, 5), (0, None)])["answers"]
    for got, k in zip(answers, (1, 5, 2), strict=True):
        said = "nothing said about k" if k == 2 else f"k = {k}"
        expect(len(got) == k, f"{said}: it returns {len(got)} images")
        _expect(got, case.table()[0], k, _slips(case.table()[0], k))


@check(QUESTION, probe="CLIP-A3", weight=3)
def lengths_do_not_count(student: Student, rng: Generator) -> None:
    """An image with a huge feature vector does not win by that."""

    def dots_mislead(case: Case) -> bool:
        return _order(case.dots()[0], 2) != _order(case.table()[0], 2)

    case = draw(rng, 6, 1, spread=3.0, accept=dots_mislead)
    slips = {
        "images with long features win: dot products are compared, not cosines": _order(
            case.dots()[0], 2
        )
    }
    (got,) = _ask(student, case, [(0, 2)])["answers"]
    _expect(got, case.table()[0], 2, slips)


@check(QUESTION, probe="CLIP-A4", weight=3)
def images_are_encoded_once(student: Student, rng: Generator) -> None:
    """All images are encoded when the retriever is made, and none by a query."""
    case = draw(rng, 5, 2, spread=0.0)
    found = _ask(student, case, [(0, 2), (1, 2)])
    built, later = found["encoded"]
    expect(not later, f"two queries encode {later} images again: keep the features")
    expect(not found["preprocessed"][1], "queries preprocess images again: keep the features")
    expect(built == 5, f"of 5 images, {built} are encoded when the retriever is made")


@check(QUESTION, probe="CLIP-A3", weight=2, condition=True)
def indices_are_python_ints(student: Student, rng: Generator) -> None:
    """A list of Python ints."""
    (types,) = _ask(student, draw(rng, 4, 1, spread=0.0), [(0, 3)])["types"]
    expect(types[0] == "list", f"retrieve returns a {types[0]}, not a list")
    kinds = ", ".join(types[1:])
    expect(list(types[1:]) == ["int"], f"the indices are of type {kinds}, not Python ints")


@check(QUESTION, probe="CLIP-A5", weight=1, condition=True)
def no_graph_is_kept(student: Student, rng: Generator) -> None:
    """What the retriever keeps has no gradients to be computed."""
    graphs = _ask(student, draw(rng, 4, 1, spread=0.0), [(0, 2)])["graphs"]
    expect(not graphs, "the features that are kept hold on to the graph they were computed with")
