"""Notebooks in the order of the course: wherever they are listed."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder.grading.material import load_material
from autograder.notebook.order import MAP, Order, order_of
from autograder.notebook.template import notebooks_of
from autograder.report.beside import Beside
from autograder.report.summary import ClassTally
from tests.made_up_class import made_up_class

ROOT = Path(__file__).resolve().parents[2]
FIRST = ["knn", "svm", "softmax", "two_layer_net", "features"]


def test_the_map_of_the_course_says_the_order(tmp_path: Path) -> None:
    assert notebooks_of(ROOT, "assignment1") == FIRST
    assert list(load_material(ROOT, "assignment1", b"").notebooks) == FIRST
    assert order_of(ROOT, "assignment2").names[0] == "FullyConnectedNets"
    shutil.copytree(ROOT / "release" / "assignment1", tmp_path / "release" / "assignment1")
    assert notebooks_of(tmp_path, "assignment1") == sorted(FIRST), "without a map by name"
    (tmp_path / "release" / MAP).write_text("[]", "utf-8")
    assert notebooks_of(tmp_path, "assignment1") == sorted(FIRST), "with one that is no notebook"


def test_what_is_not_on_the_map_comes_last_by_name() -> None:
    assert Order(("b", "a")).sort(["new", "a", "extra", "b"]) == ["b", "a", "extra", "new"]


def test_every_table_of_the_report_has_the_order_of_the_course() -> None:
    tally = ClassTally("assignment1", Beside(Order(tuple(FIRST))))
    for notebook in made_up_class(60):
        tally.add([notebook])
    summary = tally.summary()

    def order(names: list[str]) -> list[str]:
        return list(dict.fromkeys(names))

    present = [name for name in FIRST if name in {one.notebook for one in summary.notebooks}]
    assert len(present) > 2
    assert order([one.notebook for one in summary.notebooks]) == present
    assert order([one.notebook for one in summary.questions]) == present
    assert order([one.notebook for one in summary.times]) == present
    assert list(summary.cases.outcomes) == present
    for kind in summary.cases.needs_human:
        cases = [case.notebook for case in kind.found.cases]
        assert cases == sorted(cases, key=FIRST.index)
