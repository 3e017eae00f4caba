"""load(): definitions and nothing else."""

import inspect
import pickle
import traceback
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cs231n_lib.errors import NotebookError
from cs231n_lib.notebooks import load


def write(folder: Path, name: str, *sources: str) -> Path:
    cells = [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Title"), *cells]), path)
    return path


def test_definitions_are_loaded_and_nothing_else_runs(tmp_path: Path) -> None:
    write(
        tmp_path,
        "layers",
        "import numpy as np\nfrom math import pi\nprint('side effect')\nraise SystemExit",
        "SCALE = 2.0\nSIDE = open('no-such-file')\nlower = 3\nSHAPE: tuple = (1, 2)",
        "def double(x):\n    return np.asarray(x) * SCALE\n\ndouble(1 / 0)",
        "class Layer:\n    factor = SCALE\n    def forward(self, x):\n        return double(x)",
        "def double(x):\n    return 0",
        "await something()",
    )
    layers = load("layers", tmp_path)
    assert layers.Layer().forward(3) == 0  # the later definition counts, as in the notebook
    assert layers.Layer.factor == 2.0
    assert layers.SHAPE == (1, 2)
    assert layers.pi > 3
    assert not hasattr(layers, "SIDE")
    assert not hasattr(layers, "lower")


def test_working_directory_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "knn", "def f(): return 1")
    monkeypatch.chdir(tmp_path)
    assert load("knn").f() == 1
    assert load("knn.ipynb").f() == 1


LOAD = "from cs231n_lib.notebooks import load"


def test_loaded_notebooks_load_still_earlier_ones_from_their_own_folder(tmp_path: Path) -> None:
    write(tmp_path, "svm", "class LinearClassifier:\n    def train(self): return 231")
    write(
        tmp_path,
        "softmax",
        LOAD,
        "svm = load('svm')\ntrained = load('svm', folder=nowhere)\nrows = trained.rows",
        "class Softmax(svm.LinearClassifier): pass",
    )
    softmax = load("softmax", tmp_path)
    assert softmax.Softmax().train() == 231
    assert not hasattr(softmax, "trained")
    assert not hasattr(softmax, "rows")
    with pytest.raises(NotebookError, match=r"no notebook svm\.ipynb in"):
        load("svm")  # not a word of the folder before is left


def test_names_for_what_is_in_a_loaded_notebook(tmp_path: Path) -> None:
    write(tmp_path, "net", "def forward(x): return x + 1\ndef backward(x): return x - 1")
    write(
        tmp_path,
        "deep",
        LOAD,
        "net = load('net')",
        "forward, backward = net.forward, net.backward\nstart = net.forward(1)",
        "def there_and_back(x): return backward(forward(x))",
    )
    deep = load("deep", tmp_path)
    assert deep.there_and_back(7) == 7
    assert not hasattr(deep, "start")
    write(tmp_path, "bad", LOAD, "net = load('net')\nrelu = net.relu")
    with pytest.raises(NotebookError, match=r"bad\.ipynb, cell 'cell-1'.*no attribute 'relu'"):
        load("bad", tmp_path)


def test_notebooks_of_other_assignments_are_found_beside(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"assignment{n}" for n in (1, 2, 3))
    for folder in (first, second, third):
        folder.mkdir()
    write(first, "net", "WHERE = 1")
    write(first, "both", "WHERE = 1")
    write(second, "both", LOAD, "WHERE = 2\nnet = load('net')")
    both = load("both", third)
    assert (both.WHERE, both.net.WHERE) == (2, 1)
    assert load("both", first).WHERE == 1  # what is in the folder itself comes first
    with pytest.raises(NotebookError, match="Did you mean 'both'"):
        load("boths", third)


def test_an_earlier_notebook_that_is_missing_is_named(tmp_path: Path) -> None:
    write(tmp_path, "softmax", LOAD, "svm = load('svm')")
    with pytest.raises(NotebookError, match=r"softmax\.ipynb, cell 'cell-1'.* no notebook svm"):
        load("softmax", tmp_path)


def test_notebooks_that_load_each_other_are_reported(tmp_path: Path) -> None:
    write(tmp_path, "one", LOAD, "two = load('two')")
    write(tmp_path, "two", LOAD, "one = load('one')")
    with pytest.raises(NotebookError, match="a circle: one which loads two which loads one"):
        load("one", tmp_path)


def test_a_saved_change_is_seen(tmp_path: Path) -> None:
    write(tmp_path, "knn", "def f(): return 1")
    load("knn", tmp_path)
    write(tmp_path, "knn", "def f(): return 2")
    assert load("knn", tmp_path).f() == 2


def test_magics_are_tolerated_and_lines_keep_their_numbers(tmp_path: Path) -> None:
    write(
        tmp_path,
        "magic",
        "%matplotlib inline\n!pip list\nfiles = !ls\nnumpy?\n?print\nif True:\n    %time x = 1\n"
        "def broken():\n    raise KeyError('here')",
        "%%bash\nrm -rf something",
        'def text():\n    return """\n%keep\n!this\n"""',
    )
    magic = load("magic", tmp_path)
    assert magic.text() == "\n%keep\n!this\n"
    with pytest.raises(KeyError) as caught:
        magic.broken()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert frame.lineno == 9
    assert frame.line == "raise KeyError('here')"
    assert "magic.ipynb, cell 'cell-0'" in frame.filename


def test_sources_and_pickles_work(tmp_path: Path) -> None:
    write(tmp_path, "net", "class Net:\n    def depth(self):\n        return 3")
    net = load("net", tmp_path)
    assert inspect.getsource(net.Net.depth) == "    def depth(self):\n        return 3\n"
    assert type(pickle.loads(pickle.dumps(net.Net()))) is net.Net


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fullyconnectednets", "Did you mean 'FullyConnectedNets'"),
        ("FullyConnectedNet", "Did you mean 'FullyConnectedNets'"),
        ("xyz", "There are FullyConnectedNets"),
    ],
)
def test_missing_notebook_says_where_and_suggests(name: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, "FullyConnectedNets", "x = 1")
    if (tmp_path / f"{name}.ipynb").is_file():
        pytest.skip("this file system ignores case")
    with pytest.raises(NotebookError, match=message) as caught:
        load(name, tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(NotebookError, match="has no notebooks"):
        load(name, tmp_path / "nowhere")


def test_syntax_error_names_cell_and_line(tmp_path: Path) -> None:
    write(tmp_path, "bad", "x = 1", "y = 2\ndef f(:\n    pass")
    with pytest.raises(NotebookError, match=r"bad.ipynb, cell 'cell-1', line 2: invalid syntax"):
        load("bad", tmp_path)


def test_failing_definition_names_cell_and_reason(tmp_path: Path) -> None:
    write(tmp_path, "bad", "import no_such_module")
    with pytest.raises(NotebookError, match=r"cell 'cell-0'.*ModuleNotFoundError.*no_such_module"):
        load("bad", tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"cells": 3}', b"\xff\xfe\x00"])
def test_files_that_are_no_notebooks(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_bytes(content)
    with pytest.raises(NotebookError, match=r"broken.ipynb"):
        load("broken", tmp_path)


def test_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    path = write(tmp_path, "windows", "def f():\n    return 'é'")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load("windows", tmp_path).f() == "é"
