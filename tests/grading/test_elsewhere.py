"""Notebooks written for another machine, another year or another cell: right answers keep theirs.

Each is one job of knn, graded once: the course's cells and its real checks, without the data.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache

import pytest

from autograder.grading.grade import grade
from autograder.grading.job import Job
from autograder.grading.written import sort_written
from autograder.judge.registry import checks_for
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.repair import repair
from autograder.notebook.template import Template, is_locked, load_template
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK, ROOT, answer_source, cell_of

CLASS, QUESTION, ABOVE = "k-nearest-neighbor", "knn-question-bright-rows", "read-the-picture"
TEXT = "question-bright-rows-text"
CELLS = ("title", "setup", CLASS, ABOVE, "knn-two-loops", TEXT, QUESTION, "one-loop")
CELLS += ("knn-one-loop", "knn-no-loops", "knn-predict-labels")
Change = Callable[[dict], object]


@cache
def template() -> Template:
    whole = load_template(ROOT, ASSIGNMENT, NOTEBOOK)
    document = copy.deepcopy(whole.document)
    document["cells"] = [cell for cell in document["cells"] if cell["id"] in CELLS]
    for cell in filter(is_locked, document["cells"]):
        cell["source"] = "print('visible tests')"
    document["metadata"]["cs231n"] = {"cell_seconds": 10, "call_seconds": 4}
    return Template(ASSIGNMENT, NOTEBOOK, document)


def right() -> dict:
    document = copy.deepcopy(template().document)
    cell_of(document, CLASS)["source"] = answer_source().partition("\n")[2]
    cell_of(document, QUESTION)["source"] = "The pixels of these rows are bright."
    return document


def code(source: str) -> dict:
    return {"cell_type": "code", "id": "", "metadata": {}, "source": source, "outputs": []}


def text(source: str) -> dict:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": source}


def edit(name: str, before: str = "", after: str = "") -> Change:
    def change(document: dict) -> None:
        cell_of(document, name)["source"] = f"{before}{cell_of(document, name)['source']}{after}"

    return change


def put(name: str, source: str) -> Change:
    return lambda document: cell_of(document, name).update(source=source)


def insert(name: str, cell: dict, offset: int = 1) -> Change:
    """A new cell below (or above: offset 0) the one of this name."""

    def change(document: dict) -> None:
        place = document["cells"].index(cell_of(document, name))
        document["cells"].insert(place + offset, cell)

    return change


def saved_with(version: str) -> Change:
    about = {"language_info": {"name": "python", "version": version}}
    return lambda document: document["metadata"].update(about)


Grader = Callable[..., GradedNotebook]


@pytest.fixture(scope="module")
def graded(zygote: Zygote) -> Grader:
    def grader(*changes: Change, files: dict[str, str] | None = None) -> GradedNotebook:
        document = right()
        for change in changes:
            change(document)
        beside = {name: source.encode() for name, source in (files or {}).items()}
        checks = checks_for(ASSIGNMENT, NOTEBOOK)
        data = json.dumps(document).encode()
        return grade(Job("ann", template(), data, checks, b"secret", beside), zygote)

    return grader


def messages(found: GradedNotebook) -> list[str]:
    return [check.message for cell in found.cells for check in cell.checks if check.message]


HARMLESS = """

np.sum?
?np.mean
files = !ls
here = %pwd
last = (7
        % 3)
if last:
    %timeit -n1 -r1 last + 1
    !true
"""


def test_a_harmless_line_costs_nothing(graded) -> None:
    """Not beside the answer, and not in a cell that stands under a cell magic."""
    found = graded(edit(CLASS, before="%%time\n", after=HARMLESS), edit("setup", after=HARMLESS))
    assert found.score == CLASS_POINTS, messages(found)
    assert found.needs_human == ""
    assert found.repairs == ()


COLAB = """\
from google.colab import drive, files
drive.mount('/content/drive')
from google.colab.patches import cv2_imshow
import six.moves
"""
OLD = """\
from past.builtins import xrange, basestring
from future import standard_library
standard_library.install_aliases()
from builtins import range
assert list(xrange(2)) == [0, 1]
"""


def test_old_imports_and_colabs_are_there(graded) -> None:
    found = graded(edit("setup", before=COLAB), edit(CLASS, before=OLD))
    assert found.score == CLASS_POINTS, messages(found)
    assert (found.needs_human, found.repairs) == ("", ())
    printed = str(cell_of(json.loads(found.document), "setup")["outputs"])
    assert "drive.mount does nothing where the notebook is graded." in printed


def saved_by_vscode(document: dict) -> None:
    """As VS Code's serialiser writes a notebook: lines in lists, its own metadata and outputs."""
    shell = {"cell_type": "code", "id": "0a1b2c3d", "source": "%%bash\necho hello"}
    shell |= {"metadata": {"vscode": {"languageId": "shellscript"}}, "outputs": []}
    document["cells"].insert(1, shell)
    document["cells"].insert(
        2, {"cell_type": "raw", "id": "4e5f6a7b", "source": "", "metadata": {}}
    )
    stream = {"output_type": "display_data", "metadata": {}}
    stream["data"] = {"application/vnd.code.notebook.stdout": "hello\n"}
    failed = {"output_type": "error", "ename": "", "evalue": "", "traceback": []}
    for number, cell in enumerate(document["cells"]):
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell |= {"execution_count": number, "outputs": [stream, failed]}
    python = {"codemirror_mode": {"name": "ipython", "version": 3}, "file_extension": ".py"}
    python |= {"mimetype": "text/x-python", "name": "python", "nbconvert_exporter": "python"}
    python |= {"pygments_lexer": "ipython3", "version": "3.11.9"}
    document["metadata"] |= {
        "kernelspec": {"display_name": ".venv (3.11.9)", "language": "python", "name": "python3"},
        "language_info": python,
        "orig_nbformat": 4,
        "vscode": {"interpreter": {"hash": "31f2aee4e71d21fbe5cf8b01ff0e069b"}},
    }


def without_kernel(document: dict) -> None:
    """As VS Code saves a notebook for which no kernel was ever chosen."""
    saved_by_vscode(document)
    del document["metadata"]["kernelspec"]
    document["metadata"]["language_info"] = {"name": "python"}


@pytest.mark.parametrize("habits", [saved_by_vscode, without_kernel])
def test_a_notebook_from_vscode_is_graded_as_any_other(graded, habits: Change) -> None:
    found = graded(habits)
    assert found.score == CLASS_POINTS, messages(found)
    assert (found.needs_human, found.repairs) == ("", ())
    outputs = str(json.loads(found.document)["cells"])
    assert "vnd.code" not in outputs, "what a student's editor had stored is not what is shown"


def test_cells_of_the_course_that_raise_are_run_as_released(graded) -> None:
    """The package of another machine goes to a human; what the student deleted is only said."""
    found = graded(edit("setup", before="import seaborn as sns\n"))
    assert found.score == CLASS_POINTS, messages(found)
    raised = "ModuleNotFoundError: No module named 'seaborn' (line 1 of cell 'setup': `import seab"
    assert f"cell 'setup' was run as released: as handed in it raised {raised}" in found.repairs[0]
    assert f"cell 'setup' stopped with {raised}" in found.needs_human
    outputs = str(cell_of(json.loads(found.document), "setup")["outputs"])
    assert "was run as released" in outputs


@pytest.mark.parametrize("left", ["", "# moved to the top", "import matplotlib.pyplot as plt"])
def test_an_emptied_setup_cell_is_given_back(graded, left) -> None:
    found = graded(put("setup", left))
    assert found.score == CLASS_POINTS, messages(found)
    assert found.repairs[0].startswith("cell 'setup' was run as released: np")


def test_imports_moved_into_a_cell_that_fails_are_given_back(graded) -> None:
    """The student's own cell is to blame, and nothing of the course's is lost with it."""
    moved = "import seaborn\nimport matplotlib.pyplot as plt\nimport numpy as np"
    found = graded(put("setup", "# moved"), insert("setup", code(moved)))
    assert found.score == CLASS_POINTS, messages(found)
    assert found.repairs == ("cell 'setup' was run as released: np would be missing without it",)
    found = graded(put("setup", "# moved"), insert("setup", code(moved.partition("\n")[2])))
    assert (found.score, found.repairs) == (CLASS_POINTS, ())


NEWER = "\n\ninfo = {'d': 3072}\ninfo |> print"


def test_a_cell_that_stopped_is_named_once_and_seen_by_a_human(graded) -> None:
    """Syntax of another Python: all is lost, and thirteen messages say where to look."""
    found = graded(edit(CLASS, after=NEWER), saved_with("3.99.1"))
    told = messages(found)
    assert found.score == 0
    assert len(told) > 6
    assert sum("SyntaxError" in message for message in told) == 1
    line = cell_of(right(), CLASS)["source"].count("\n") + 4
    stopped = "is not defined, because cell 'k-nearest-neighbor' stopped with"
    place = f"line {line} of cell 'k-nearest-neighbor': `info |> print`"
    error = f"SyntaxError: invalid syntax ({place})"
    assert told[0].startswith(f"KNearestNeighbor {stopped} {error}")
    assert "saved with Python 3.99 and is graded with Python 3." in told[0]
    assert "saved with Python 3.99" in found.needs_human
    assert "cell 'k-nearest-neighbor' stopped with SyntaxError" in found.needs_human
    said = ("as said above", f"{stopped} an error, which is reported at 'knn-two-loops'")
    assert all(message.endswith((*said, "which is reported above")) for message in told[1:])
    assert sum("as said above" in message for message in told) > len(told) / 2


def test_a_missing_package_in_an_answer_goes_to_a_human(graded) -> None:
    found = graded(edit(CLASS, before="import seaborn\n"))
    assert "cell 'k-nearest-neighbor' stopped with ModuleNotFoundError" in found.needs_human
    assert "saved with" not in found.needs_human
    assert sum("seaborn" in message for message in messages(found)) == 1


ANSWER = "The pixels are bright, so all their distances are large."
#: What was done to the notebook, and where a person is sent; nothing: nobody is.
BESIDE: dict[str, tuple[tuple[Change, ...], str]] = {
    "below": ((insert(QUESTION, text(ANSWER)),), "the cell below it is new"),
    "above": ((insert(QUESTION, text(ANSWER), 0),), "the cell above it is new"),
    "code": ((insert(QUESTION, code(f"# {ANSWER}")),), "the cell below it is new"),
    "second below": (
        (insert(QUESTION, text(ANSWER)), insert(QUESTION, text("*Your answer:*"))),
        "the cell below it is new",
    ),
    "question": ((edit(TEXT, after=f"\n\n{ANSWER}"),), "the cell above it is changed"),
    "next": ((edit("one-loop", before=f"{ANSWER}\n\n"),), "the cell below it is changed"),
    "stub deleted": (
        (insert(TEXT, text(ANSWER), 0), lambda d: d["cells"].remove(cell_of(d, QUESTION))),
        "",
    ),
    "far away": ((insert("title", text(ANSWER)), edit("title", after=ANSWER)), ""),
    "copied stub": ((insert(QUESTION, text("*Your answer:* ")),), ""),
    "nowhere": ((), ""),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_an_answer_in_a_cell_beside_is_read(kind: str) -> None:
    changes, place = BESIDE[kind]
    for stub in (cell_of(template().document, QUESTION)["source"], "", "**Your answer:** "):
        document = right()
        put(QUESTION, stub)(document)
        for change in changes:
            change(document)
        cells = repair(json.dumps(document).encode(), template()).document["cells"]
        written = sort_written(cells, template())
        assert written.pending == ((QUESTION,) if place else ())
        assert written.unanswered == (() if place else (QUESTION,))
        expected = f"the written answer '{QUESTION}' is empty, but {place}: a person reads there"
        assert written.notes == ((expected,) if place else ())
        assert (
            f"{place}. Please read there." in cell_of({"cells": cells}, QUESTION)["source"]
        ) == (bool(place))


def test_an_answer_in_its_cell_stays_as_it_is(graded) -> None:
    found = graded(insert(QUESTION, text("another remark")))
    assert found.manual_pending == (QUESTION,)
    assert "a person reads there" not in "; ".join(found.repairs)
    found = graded(put(QUESTION, ""), insert(QUESTION, text(ANSWER)))
    assert (found.manual_pending, found.unanswered) == ((QUESTION,), ())
    assert "a person reads there" in "; ".join(found.repairs)


def as_module(document: dict) -> None:
    """The answer goes into a module, and its cell only imports it."""
    put(CLASS, "from my_knn import KNearestNeighbor")(document)


def test_a_module_that_the_notebook_writes_is_imported(graded) -> None:
    imported = insert(CLASS, code("from my_knn import KNearestNeighbor"))
    found = graded(edit(CLASS, before="%%writefile my_knn.py\nimport numpy as np\n"), imported)
    assert found.score == CLASS_POINTS, messages(found)


SHADOWS = ("numpy", "torch", "json", "autograder", "IPython", "cs231n_lib", "linecache", "asyncio")


def test_a_module_handed_in_beside_is_imported_and_shadows_nothing(graded) -> None:
    """Source rules read it as well: its loop is found where none is allowed."""
    module = f"import numpy as np\nfrom deeper import ready\n{answer_source()}"
    files = {"my_knn.py": module, "deeper.py": "ready = True"}
    files |= {f"{name}.py": "raise SystemExit('shadowed')" for name in SHADOWS}
    found = graded(as_module, files=files)
    assert found.score == CLASS_POINTS, messages(found)
    looped = module.replace("return ", "for _ in range(1):\n            pass\n        return ")
    found = graded(as_module, files={"my_knn.py": looped, "deeper.py": "ready = True"})
    assert 0 < found.score < CLASS_POINTS
    assert any("my_knn.py" in message and "a Python loop" in message for message in messages(found))
