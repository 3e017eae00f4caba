"""Similar submissions: copies are found whatever was done to them, honest work is left alone."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from autograder.cli.similar import similar
from autograder.notebook.edits import apply, read_sample
from autograder.notebook.reading import MAX_CELLS
from autograder.notebook.template import load_template, source_of
from autograder.similar import THRESHOLD, fragments, writings
from autograder.similar.pages import Findings
from autograder.similar.pairs import find_pairs
from autograder.similar.parts import side_by_side
from autograder.similar.run import ComparisonOptions, find_similar
from autograder.similar.tokens import code_tokens
from autograder.similar.writings import NotCompared, SimilarError
from tests.html_tags import Tags

COURSE = Path(__file__).resolve().parents[2]
RIGHT = sorted(COURSE.glob("autograder/mutants/*/*/right_1.py"))
ASSIGNMENT, NOTEBOOK = "assignment1", "sums"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e</code></li>"

HEAD = 'def total(rows):\n    """Add up."""\n'
STUB = f'{HEAD}    raise NotImplementedError("total: write your code here")'
GIVEN = "import numpy as np\n\n\ndef given(rows):\n    return np.asarray(rows, dtype=float)"
TESTS = "assert total([1]) == 1\n" + "\n".join(
    f"assert total([{n}, 1]) == {n + 1}" for n in range(30)
)
SOLVED = HEAD + "\n".join(
    f"    part_{n} = given(rows)[{n}:].sum(axis={n % 2}) ** {n % 3}" for n in range(30)
)

Document = dict[str, Any]


# -- a little course, and people who hand in ------------------------------------------------------


def code(name: str, source: str, **nbgrader: Any) -> Document:
    metadata = {"nbgrader": {"grade_id": name, **nbgrader}} if nbgrader else {}
    fields = {"metadata": metadata, "outputs": [], "execution_count": None}
    return {"cell_type": "code", "id": name, "source": source, **fields}


def document(answer: str, *own: str, prose: str = "*Your answer:*") -> Document:
    written = {"nbgrader": {"grade_id": "why", "solution": True, "grade": True, "points": 1}}
    cells = [
        code("setup", GIVEN),
        code("total", answer, solution=True, grade=False),
        code("tests", TESTS, solution=False, grade=True, points=2, locked=True),
        {"cell_type": "markdown", "id": "why", "metadata": written, "source": prose},
        *(code(f"own-{number}", source) for number, source in enumerate(own)),
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "course"
    write(root / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", document(STUB))
    write(root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", document(SOLVED))
    return root


def write(path: Path, content: Document | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(data)
    return path


def hand_in(root: Path, who: str, content: Document | bytes, notebook: str = NOTEBOOK) -> Path:
    return write(root / "submitted" / who / ASSIGNMENT / f"{notebook}.ipynb", content)


def compare(root: Path, **choice: Any) -> Findings:
    return find_similar(root, ASSIGNMENT, root / "out", ComparisonOptions(**choice))


def pairs(findings: Findings) -> list[tuple[str, str]]:
    return [(row.left, row.right) for row in findings.rows]


def pages(root: Path) -> dict[str, str]:
    found = sorted((root / "out").rglob("*.html"))
    return {path.relative_to(root / "out").as_posix(): path.read_text("utf-8") for path in found}


def program(seed: str, lines: int = 20) -> str:
    """A function of somebody's own, unlike any with another seed."""
    rng = random.Random(seed)
    names = [f"{letter}_{seed}" for letter in "abcdef"]
    calls = ["sum", "mean", "max", "min", "std", "prod", "cumsum", "ptp", "var", "argsort"]

    def term() -> str:
        return f"{rng.choice(names)}.{rng.choice(calls)}() {rng.choice('+-*/@')} "

    body = [f"{rng.choice(names)} = {term()}{term()}{term()}{seed[0]}_{seed}" for _ in range(lines)]
    return "\n    ".join([f"def helper_{seed}():", *body, f"return {names[0]}"])


# -- disguises ------------------------------------------------------------------------------------


class Renamed(ast.NodeTransformer):
    """Other names for everything that is assigned, defined or a parameter."""

    def __init__(self, tree: ast.AST) -> None:
        nodes = list(ast.walk(tree))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        stored |= {n.arg for n in nodes if isinstance(n, ast.arg) and n.arg != "self"}
        self.names = {name: f"q{number}" for number, name in enumerate(sorted(stored))}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        return node


def disguised(source: str) -> str:
    """Variables renamed, functions and methods in reverse order, laid out anew, other comments."""
    tree = ast.parse(source)
    Renamed(tree).visit(tree)
    for owner in ast.walk(tree):
        if isinstance(owner, ast.Module | ast.ClassDef):
            functions = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
            places = [n for n, node in enumerate(owner.body) if isinstance(node, ast.FunctionDef)]
            for place, function in zip(places, reversed(functions), strict=True):
                owner.body[place] = function
    lines = ast.unparse(tree).replace("\n    ", "\n        ").split("\n")
    return "\n".join(f"{line}  # step {n}" if line.strip() else "" for n, line in enumerate(lines))


def right(path: Path) -> Document:
    """A right solution of the real course as its student hands it in."""
    assignment, notebook = path.parts[-3:-1]
    source = json.loads((COURSE / "source" / assignment / f"{notebook}.ipynb").read_text("utf-8"))
    return apply(read_sample(path), load_template(COURSE, assignment, notebook).document, source)


def real_course(root: Path, path: Path) -> None:
    """A course with the one notebook that the right solution is for, as assignment1."""
    assignment, notebook = path.parts[-3:-1]
    for stage in ("release", "source"):
        file = COURSE / stage / assignment / f"{notebook}.ipynb"
        write(root / stage / ASSIGNMENT / file.name, file.read_bytes())


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.parent.name)
def test_a_disguised_copy_is_found_and_independent_solutions_are_not(
    tmp_path: Path, path: Path
) -> None:
    real_course(tmp_path, path)
    solutions = sorted(path.parent.glob("right_*.py"))
    assert len(solutions) > 1
    for solution in solutions:
        hand_in(tmp_path, solution.stem, right(solution), path.parent.name)
    assert pairs(compare(tmp_path)) == []

    released = load_template(tmp_path, ASSIGNMENT, path.parent.name).cells
    given = {source_of(cell).strip() for cell in released}
    copied = right(path)
    for cell in copied["cells"]:
        if cell["cell_type"] == "code" and source_of(cell).strip() not in given:
            cell["source"] = disguised(source_of(cell))
    hand_in(tmp_path, "copier", copied, path.parent.name)
    (row,) = compare(tmp_path).rows
    assert (row.left, row.right) == ("copier", "right_1")
    assert row.lines > THRESHOLD * 1.3
    assert min(row.left_share, row.right_share) > 0.6


# -- what counts ----------------------------------------------------------------------------------


def test_what_everybody_writes_alike_floods_nothing(root: Path) -> None:
    usual = program("usual", 14)
    for number in range(20):
        mine = program(f"mine{number}")
        hand_in(root, f"s{number:02}", document(f"{STUB}\n\n\n{mine}", usual))
    shared = program("shared", 14)
    for who in ("ann", "bo"):
        hand_in(root, who, document(f"{STUB}\n\n\n{program(who)}", usual, shared))
    findings = compare(root)
    assert pairs(findings) == [("ann", "bo")]
    (row,) = findings.rows
    assert 15 <= row.lines <= 17  # the 16 lines of `shared`, and nothing for `usual`
    assert row.left_share > 0.55  # which does not ask how usual a line is


def test_a_fragment_counts_less_the_more_have_it() -> None:
    weights = fragments.unusual(np.arange(2, 301), 300)
    assert weights[0] == 1
    assert weights[-1] == pytest.approx(0)
    assert (np.diff(weights) < 0).all()
    assert fragments.unusual(np.array([2]), 2) == 1  # of two, all that is common


def test_the_courses_own_text_does_not_count(root: Path) -> None:
    """Release, tests and solution in two hands: nothing. Without source/, the solution counts."""
    for who in ("ann", "bo"):
        own = document(SOLVED, TESTS, GIVEN)
        own["cells"][0]["source"] = f"{GIVEN}\n\n{program(who)}"
        hand_in(root, who, own)
    assert pairs(compare(root, threshold=0.1)) == []
    (root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").unlink()
    assert pairs(compare(root)) == [("ann", "bo")]


def test_edited_tests_and_locked_cells_do_not_count(root: Path) -> None:
    for who in ("ann", "bo"):
        edited = document(f"{STUB}\n{program(who)}")
        edited["cells"][2]["source"] = program("shared")
        hand_in(root, who, edited)
    assert pairs(compare(root, threshold=0.1)) == []


def test_metadata_lost_and_cells_moved_hide_nothing(root: Path) -> None:
    hand_in(root, "ann", document(program("x")))
    stripped = document("pass", GIVEN, program("x"), program("bo"))
    for cell in stripped["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    hand_in(root, "bo", stripped)
    assert pairs(compare(root)) == [("ann", "bo")]


def test_copied_prose_is_found(root: Path) -> None:
    words = [f"{letter}{letter}" for letter in "abcdefghijklmnopq"]
    prose = ". ".join(" ".join([*words[n:], str(n), *words[:n]]) for n in range(18))
    hand_in(root, "ann", document(STUB, prose=f"I think that:\n\n{prose}"))
    hand_in(root, "bo", document(STUB, prose=prose.upper().replace(". ", ";\n")))
    hand_in(
        root, "cy", document(STUB, prose="It is the sum of the rows.\n" + " ".join(sorted(words)))
    )
    assert pairs(compare(root)) == [("ann", "bo")]


def test_identical_files_are_named_once_whatever_is_in_them(root: Path) -> None:
    for who in ("ann", "bo", "cy"):
        hand_in(root, who, document(program("x")))
    again = document(program("x"))
    again["cells"][1]["execution_count"] = 7  # run once more: another file
    hand_in(root, "dan", again)
    for who in ("eve", "fay"):
        hand_in(root, who, document(STUB))  # as released: nothing to compare
    findings = compare(root)
    (notebook,) = findings.notebooks
    assert notebook.identical == (("ann", "bo", "cy"),)
    assert pairs(findings) == [("ann", "dan")]
    assert [text.who for text in notebook.not_compared] == ["eve", "fay"]
    assert "sums: <bdi>ann</bdi>, <bdi>bo</bdi>, <bdi>cy</bdi>" in pages(root)["index.html"]


# -- other years ----------------------------------------------------------------------------------


def test_other_submissions_are_compared_with_but_not_among_themselves(root: Path) -> None:
    old = root.parent / "2030"
    for who in ("kim", "lee"):
        write(
            old / "submitted" / who / ASSIGNMENT / f"{NOTEBOOK}.ipynb",
            document(program("old"), who),
        )
    write(old / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", document(program("x")))
    hand_in(root, "ann", document(disguised(program("old"))))
    hand_in(root, "bo", document(program("bo")))
    findings = compare(root, others=(old,))
    assert pairs(findings) == [("ann", "2030/kim"), ("ann", "2030/lee")]
    assert (findings.notebooks[0].texts, findings.notebooks[0].others) == (2, 2)
    with pytest.raises(SimilarError, match="nothing to compare with"):
        compare(root, others=(root,))  # this class is no other


def test_other_folders_of_any_shape_and_no_links_out_of_them(root: Path) -> None:
    old = root.parent / "old"
    write(old / "kim" / f"{NOTEBOOK}.ipynb", document(program("old")))
    write(old / "kim" / ".ipynb_checkpoints" / f"{NOTEBOOK}.ipynb", document(program("old"), "x"))
    secret = write(root.parent / "elsewhere" / f"{NOTEBOOK}.ipynb", document(program("old"), "y"))
    (old / "link").symlink_to(secret.parent)
    (old / "zoe").mkdir()
    (old / "zoe" / f"{NOTEBOOK}.ipynb").symlink_to(secret)
    hand_in(root, "ann", document(program("old"), "z"))
    findings = compare(root, others=(old,))
    assert pairs(findings) == [("ann", "old/kim")]
    reasons = {text.who: text.reason for text in findings.notebooks[0].not_compared}
    assert reasons == {"old/zoe": "a symbolic link, which is not followed"}


# -- what cannot be compared ----------------------------------------------------------------------

UNREADABLE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "html": (b"<!doctype html><p>404", "the file is an HTML page"),
    "binary": (bytes(range(256)) * 9, "the file is not text"),
    "list": (b"[1, 2]", "not a notebook"),
    "deep": (b'{"cells": ' + b"[" * 100_000, "the file is not JSON"),
    "cells": (json.dumps({"cells": [{}] * (MAX_CELLS + 1)}).encode(), f"{MAX_CELLS + 1:,} cells"),
    "long": (json.dumps(document("x = 1\n" * 20_000)).encode(), "characters were written"),
}


def test_what_cannot_be_read_is_listed_and_stops_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who, (data, _) in UNREADABLE.items():
        hand_in(root, who, data)
    secret = write(root / "secret.ipynb", document(program("x")))
    hand_in(root, "link", b"").unlink()
    (root / "submitted" / "link" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").symlink_to(secret)
    (root / "submitted" / "absent" / ASSIGNMENT).mkdir(parents=True)
    monkeypatch.setattr(writings, "MAX_BYTES", 1 << 20)
    hand_in(root, "big", b" " * (1 << 20) + b"{}")
    for who in ("ann", "bo"):
        hand_in(root, who, document(program("x"), who))
    findings = compare(root)
    assert pairs(findings) == [("ann", "bo")]
    reasons = {text.who: text.reason for text in findings.notebooks[0].not_compared}
    for who, (_, reason) in UNREADABLE.items():
        assert reason in reasons.get(who, "")
    assert reasons["link"] == "a symbolic link, which is not followed"
    assert reasons["absent"] == "not handed in"
    assert "1 MB" in reasons["big"]
    index = pages(root)["index.html"]
    assert all(f"<bdi>{who}</bdi>" in index for who in reasons)


def test_code_that_no_parser_takes_is_compared_or_listed(root: Path) -> None:
    """Metadata is lost, so cells are sought by what they define; these wear out Python's parser."""
    for who, source in {"minus": "-" * 50_000 + "1", "lambda": "lambda:" * 12_000 + "1"}.items():
        stripped = document(source, program(who))
        for cell in stripped["cells"]:
            cell["metadata"] = {}
            del cell["id"]
        hand_in(root, who, stripped)
    (notebook,) = compare(root).notebooks
    assert notebook.texts + len(notebook.not_compared) == 2


def test_a_class_that_copied_from_one_place_gets_a_list_of_bearable_length(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in ("ann", "bo", "cy"):
        hand_in(root, who, document(program("x"), f"# {who}"))
    monkeypatch.setattr("autograder.similar.run.MAX_PAIRS", 2)
    assert compare(root).pairs == 3
    assert "2 of 3 pairs are shown" in pages(root)["index.html"]
    assert len(pages(root)) == 3


def test_nothing_that_students_write_becomes_html(root: Path) -> None:
    name = '"><img src=x onerror=alert(3)>'
    for who in (f"ann {name}", f"bo {name}"):
        hand_in(
            root, who, document(f"# {HOSTILE}\n{program('x')}\ns = '{HOSTILE}'\n\x00\x0b{who[0]}")
        )
    hand_in(root, f"cy {name}", HOSTILE.encode())
    hand_in(root, os.fsdecode(b"dan \xff"), document(program("dan")))
    findings = compare(root)
    assert len(findings.rows) == 1
    for file, page in pages(root).items():
        assert re.fullmatch(r"(pairs/)?[A-Za-z0-9_-]+\.html", file)
        tags = Tags.of(page)
        assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in tags}
        assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
        assert not re.search(r"https?:|//\w|@import", page)  # nothing is asked of the network
        assert "default-src 'none'" in page
    (pair,) = (page for file, page in pages(root).items() if file != "index.html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pair


def test_endless_repetition_ends(root: Path) -> None:
    for who in ("ann", "bo"):
        hand_in(root, who, document("x = 1\n" * 6_000, f"# {who}"))
    findings = compare(root)
    assert pairs(findings) == [("ann", "bo")]
    assert findings.rows[0].left_share == 1


def test_names_that_meet_in_a_file_name_have_pages_of_their_own(root: Path) -> None:
    for who in ("a-b", "a", "c", "b-c"):
        hand_in(root, who, document(program("x"), f"# {who}"))
    assert len({row.file for row in compare(root).rows}) == 6


# -- both sides -----------------------------------------------------------------------------------


def test_both_sides_are_marked_numbered_and_linked(root: Path) -> None:
    first, second = program("x", 6), program("y", 6)
    hand_in(root, "ann", document(f"{first}\n\n\n{second}\n\n\n{program('ann')}"))
    hand_in(root, "bo", document(f"{program('bo')}\n\n\n{disguised(second)}", disguised(first)))
    (row,) = compare(root, threshold=5).rows
    page = pages(root)[f"pairs/{row.file}"]
    assert "not a verdict" in page
    assert page.count('<li value="') == len(re.findall(r"<code>", page)) > 40
    for side, other in (("left", "right"), ("right", "left")):
        for part in (1, 2):
            assert f'id="{side}-{part}" href="#{other}-{part}"' in page
    assert "Part 1 begins" in page
    assert "Part 2 ends." in page
    assert "<bdi>total</bdi>" in page
    assert "<bdi>extra-1</bdi>" in page
    tags = Tags.of(page)
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert sum(tag == "h1" for tag, _ in tags) == 1
    common = re.findall(r'<li value="\d+" class="common">', page)
    # eight lines of two functions on two sides, and at most the next `def` after each
    assert 32 <= len(common) <= 36


def test_parts_name_places_that_are_the_same_on_both_sides(root: Path) -> None:
    texts = []
    for who, cells in (("ann", ("x", "y", "ann")), ("bo", ("bo", "y", "x"))):
        hand_in(root, who, document(STUB, *(program(seed, 5) for seed in cells)))
    for text in writings.read_class(root, ASSIGNMENT, NOTEBOOK):
        assert not isinstance(text, NotCompared)
        texts.append(text)
    corpus = fragments.make_corpus(texts, ())
    (pair,) = find_pairs(corpus, 5)
    sides = side_by_side(corpus, pair)
    assert [(p.left_cell, p.right_cell) for p in sides.parts] == [
        ("extra-1", "extra-3"),
        ("extra-2", "extra-2"),
    ]
    for part in sides.parts:
        left, right = (
            [line.source for cell in side for line in cell.lines if line.part == part.number]
            for side in (sides.left, sides.right)
        )
        assert left == right
        assert part.texts == 2


def test_what_lies_over_a_token_is_what_a_plain_loop_finds() -> None:
    cells = tuple(
        writings.Cell(name, is_code, source)
        for name, is_code, source in (
            ("a", True, program("a", 4)),
            ("b", False, "some words " * 12),
            ("c", True, "x = 1"),
        )
    )
    writing = writings.Writing("ann", NOTEBOOK, cells, "")
    (text,) = fragments.make_corpus([writing], ()).texts
    weights = np.random.default_rng(5).random(len(text.fragment)) * (text.fragment >= 0)
    slow = np.zeros(len(weights))
    for start, weight in enumerate(weights):
        stop = start + text.length[start]
        slow[start:stop] = np.maximum(slow[start:stop], weight)
    assert text.covered(weights) == pytest.approx(slow)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("total = a + 17  # why", "s=(b)+99"),
        ("x = np.dot(a, 'k')", 'y = np.dot(b,\n    "other")'),
        ("self.seen = self.seen + 1", "self.known = self.known + 1"),
    ],
)
def test_names_layout_and_quotes_make_no_difference(one: str, two: str) -> None:
    assert [t.text for t in code_tokens(one)] == [t.text for t in code_tokens(two)]
    assert [t.text for t in code_tokens("a.max(axis=0)")] != [
        t.text for t in code_tokens("a.min(axis=1)")
    ]


# -- the command ----------------------------------------------------------------------------------


def run(root: Path, *words: str) -> Any:
    return CliRunner().invoke(similar, [ASSIGNMENT, "--root", str(root), *words])


def test_the_command_writes_where_the_report_is_and_asks_for_a_human(root: Path) -> None:
    for who in ("ann", "bo"):
        hand_in(root, who, document(program("x"), who))
    done = run(root)
    assert done.exit_code == 1
    assert "sums: 2 compared, 0 not, 1 pairs" in done.output
    folder = root / "report" / ASSIGNMENT / "similar"
    index = (folder / "index.html").read_text("utf-8")
    assert "It is not a verdict, and no grade depends on it." in index
    assert "10 or more unusual lines" in index
    (link,) = re.findall(r'href="(pairs/[^"]+)"', index)
    assert (folder / link).is_file()
    assert run(root, "--threshold", "99", "--out", str(root / "else")).exit_code == 0
    assert "No two of them" in (root / "else" / "index.html").read_text("utf-8")


def test_wrong_use_is_reported(root: Path) -> None:
    with pytest.raises(SimilarError, match="nobody has handed in"):
        compare(root)
    hand_in(root, "ann", document(program("x")))
    with pytest.raises(SimilarError, match=r"no notebook matches 'k\*'; there are: sums"):
        compare(root, notebooks="k*")
    (root.parent / "void").mkdir()
    with pytest.raises(SimilarError, match=r"void: nothing to compare with: none of sums.ipynb"):
        compare(root, others=(root.parent / "void",))
    assert run(root, "--threshold", "0").exit_code == 2
    assert run(root, "--with", str(root / "nowhere")).exit_code == 2
    assert not (root / "out").exists()


def test_pages_of_an_earlier_run_are_replaced_and_other_files_kept(root: Path) -> None:
    for who in ("ann", "bo"):
        hand_in(root, who, document(program("x"), who))
    compare(root)
    foreign = write(root / "out" / "pairs" / "notes.html", b"mine")
    hand_in(root, "bo", document(program("bo")))
    compare(root)
    assert list(pages(root)) == ["index.html", "pairs/notes.html"]
    assert foreign.read_bytes() == b"mine"


def test_the_same_files_give_the_same_pages(root: Path) -> None:
    """Also in a process with another seed of Python's own hashes."""
    for who in ("ann", "bo", "cy"):
        hand_in(root, who, document(program("x"), program("y" if who == "cy" else "z"), who))
    compare(root, threshold=3)
    command = [sys.executable, "-c", "from autograder.cli.similar import similar; similar()"]
    words = [ASSIGNMENT, "--root", str(root), "--threshold", "3", "--out", str(root / "again")]
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(COURSE)}
    done = subprocess.run([*command, *words], env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    first = pages(root)
    assert len(first) == 4
    for file, page in first.items():
        assert (root / "again" / file).read_text("utf-8") == page
