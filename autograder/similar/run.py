"""Compare a class, notebook by notebook, and write what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from autograder.files import write_text
from autograder.notebook.template import load_template, notebooks_of
from autograder.similar import THRESHOLD
from autograder.similar.fragments import make_corpus
from autograder.similar.pages import Findings, Notebook, Row, index_page, pair_file, pair_page
from autograder.similar.pairs import find_pairs, identical
from autograder.similar.parts import side_by_side
from autograder.similar.writings import (
    Cell,
    NotCompared,
    SimilarError,
    Writing,
    given_cells,
    read_class,
    read_others,
)

#: Pairs of one notebook that are shown. Where there are more, very many have copied from one place.
MAX_PAIRS = 200

Tick = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
Texts = Sequence[Writing | NotCompared]

_OURS = re.compile(r"[A-Za-z0-9_-]+-[0-9a-f]{12}\.html")


@dataclass(frozen=True)
class ComparisonOptions:
    """What to compare: which notebooks, from how many lines on, with which other folders."""

    notebooks: str = "*"
    threshold: float = THRESHOLD
    others: tuple[Path, ...] = ()


def find_similar(
    root: Path,
    assignment: str,
    folder: Path,
    options: ComparisonOptions = ComparisonOptions(),
    tick: Tick = lambda what, done, of: None,
) -> Findings:
    """Write ``folder/index.html`` and ``folder/pairs/*.html``; return what they say.

    The same files give the same pages. Pages of an earlier run are replaced; the index, which links
    to the others, is written last. Raises SimilarError, TemplateError.
    """
    given = _given(root, assignment, options.notebooks)
    texts = _read(root, assignment, list(given), options.others, tick)
    notebooks, rows = [], []
    for name, found in texts.items():
        once, same = identical([text for text in found if isinstance(text, Writing)])
        pairs, shown = _compare(assignment, once, given[name], folder / "pairs", options, tick)
        notebooks.append(_summary(name, found, same, pairs))
        rows += shown
    rows.sort(key=lambda row: (-row.lines, row.notebook, row.left, row.right))
    findings = Findings(assignment, options.threshold, tuple(notebooks), tuple(rows))
    for old in (folder / "pairs").glob("*.html"):
        if _OURS.fullmatch(old.name) and old.name not in {row.file for row in rows}:
            old.unlink()
    beside_the_report = folder == root / "report" / assignment / "similar"
    write_text(folder / "index.html", index_page(findings, linked=beside_the_report))
    return findings


def _given(root: Path, assignment: str, pattern: str) -> dict[str, tuple[Cell, ...]]:
    """For each notebook to compare, what is the course's own in it."""
    names = notebooks_of(root, assignment)
    chosen = [name for name in names if fnmatch(name, pattern)]
    if not chosen:
        raise SimilarError(f"no notebook matches {pattern!r}; there are: {', '.join(names)}")
    return {name: given_cells(root, load_template(root, assignment, name)) for name in chosen}


def _read(
    root: Path, assignment: str, notebooks: Sequence[str], others: Sequence[Path], tick: Tick
) -> Mapping[str, Texts]:
    texts: dict[str, list[Writing | NotCompared]] = {name: [] for name in notebooks}
    found = dict.fromkeys(others, 0)
    for number, (name, read) in enumerate(texts.items()):
        tick("reading", number, len(notebooks))
        read += read_class(root, assignment, name)
        for folder in others:
            theirs = list(read_others(folder, root, assignment, name))
            found[folder] += len(theirs)
            read += theirs
    tick("reading", len(notebooks), len(notebooks))
    for folder, number in found.items():
        if not number:
            files = ", ".join(f"{name}.ipynb" for name in notebooks)
            raise SimilarError(f"{folder}: nothing to compare with: none of {files} is in there")
    return texts


def _compare(
    assignment: str,
    texts: Sequence[Writing],
    given: Sequence[Cell],
    folder: Path,
    options: ComparisonOptions,
    tick: Tick,
) -> tuple[int, list[Row]]:
    """How many pairs of one notebook there are, and those that have got a page."""
    if len(texts) < 2:
        return 0, []
    name = texts[0].notebook
    corpus = make_corpus(texts, given)
    pairs = find_pairs(corpus, options.threshold, lambda done, of: tick(f"{name}: pairs", done, of))
    rows = []
    for pair in pairs[:MAX_PAIRS]:
        row = Row(
            notebook=name,
            left=pair.left.writing.who,
            right=pair.right.writing.who,
            lines=pair.lines,
            left_share=pair.left_share,
            right_share=pair.right_share,
            file=pair_file(pair.left.writing, pair.right.writing),
        )
        page = pair_page(assignment, row, side_by_side(corpus, pair), len(texts))
        write_text(folder / row.file, page)
        rows.append(row)
    return len(pairs), rows


def _summary(name: str, texts: Texts, same: Sequence[Sequence[Writing]], pairs: int) -> Notebook:
    written = [text for text in texts if isinstance(text, Writing)]
    return Notebook(
        name=name,
        texts=sum(not text.other for text in written),
        others=sum(text.other for text in written),
        pairs=pairs,
        identical=tuple(tuple(text.who for text in group) for group in same),
        not_compared=tuple(text for text in texts if isinstance(text, NotCompared)),
    )
