"""Ways round the rules that are read off the source, each of which keeps the answer right.

``@cell`` begins another cell. In all of them ``f`` is what the rule asks about.
"""

import sys
from typing import cast

import pytest

from autograder.judge import Failed, Student, forbid_loops, forbid_names, forbid_nested_loops
from autograder.judge.kernel import Kernel

START = "import numpy as np\nimport functools\nimport itertools\n@cell"
NAMES = {
    "getattr outside": """
_f = getattr(__import__("fast"), "conv" + "_fast")
def f(x): return _f(x)""",
    "a class attribute": """
class Tool:
    run = staticmethod(getattr(np, "conv" + "_fast"))
def f(x): return Tool.run(x)""",
    "a method": """
class Tool:
    def run(self, x):
        return np.lib.conv_fast(x)
def f(x): return Tool().run(x)""",
    "an instance": """
class Tool:
    def __call__(self, x):
        return np.conv_fast(x)
tool = Tool()
def f(x): return tool(x)""",
    "an operator": """
class Tool:
    def __matmul__(self, x):
        return np.conv_fast(x)
tool = Tool()
def f(x): return tool @ x""",
    "a decorator": """
def instead(function):
    return np.conv_fast
@instead
def f(x): return x""",
    "a default argument": """
g = np.conv_fast
def f(x, run=g): return run(x)""",
    "sys.modules": """
import sys
def f(x): return sys.modules["fast"].__dict__["conv" + "_fast"](x)""",
    "an import in another function": """
def prepare():
    global g
    from fast import conv_fast as g
prepare()
def f(x): return g(x)""",
    "a loader": """
def f(x): return np.__loader__.load_module("fast")(x)""",
    "exec of a string": """
def f(x): return x
@cell
exec("f = conv" + "_fast")""",
    "exec in a helper": """
def f(x): return x
def prepare(): exec("global f; f = conv" + "_fast")
prepare()""",
    "a function from elsewhere": """
import types
def f(x): return types.FunctionType(code, {})(x)""",
    "set later": """
def f(x): return x
@cell
f = np.conv_fast""",
    "set in the namespace": """
def f(x): return x
globals()["f"] = np.linalg.conv""",
    "set on the class": """
class A:
    def f(self, x): return x
A.f = lambda self, x: np.conv_fast(x)""",
    "setattr": """
class A:
    def f(self, x): return x
setattr(A, "f", np.conv_fast)""",
    "setattr of a hidden name": """
class A:
    def f(self, x): return x
setattr(A, "".join("f"), np.max)""",
    "a method that is not there": """
class A:
    def __getattr__(self, name): return getattr(np, name + "_fast")
    def f(self, x): return self.conv(x)""",
    "attrgetter": """
from operator import attrgetter
get = attrgetter("conv" + "_fast")
def f(x): return get(np)(x)""",
    "methodcaller": """
import operator
def f(x): return operator.methodcaller("conv" + "_fast", x)(np)""",
    "a closure": """
def make():
    run = np.conv_fast
    return lambda x: run(x)
g = make()
def f(x): return g(x)""",
    "the function itself from a maker": """
def make():
    def inner(x): return np.conv_fast(x)
    return inner
def f(x): return x
f = make()""",
    "a decoy after it": """
def f(x): return np.conv_fast(x)
class Decoy:
    def f(self, x): return x""",
    "a decoy that never runs": """
if True:
    def f(x): return np.conv_fast(x)
else:
    def f(x): return x""",
    "kept under another name": """
def f(x): return np.conv_fast(x)
kept = f
def f(x): return x
f = kept""",
    "a loop variable": """
for g in (np.conv_fast,):
    pass
def f(x): return g(x)""",
    "patched NumPy": """
np.abs = np.conv_fast
def f(x): return np.abs(x)""",
    "a patched built-in": """
import builtins
builtins.abs = np.conv_fast
def f(x): return abs(x)""",
    "a property": """
class A:
    @property
    def tool(self): return np.conv_fast
    def f(self, x): return self.tool(x)""",
    "another module": """
from helpers import run
def f(x): return run(x)""",
    "all of another module": """
from helpers import *
def f(x): return run(x)""",
    "exec in a namespace of its own": """
def f(x): return x
space = globals()
exec("f = conv" + "_fast", space)""",
    "by way of the shell": """
def f(x): return x
get_ipython().run_cell("f = conv" + "_fast")""",
    "partial": """
g = functools.partial(functools.partial, np.conv_fast)
def f(x): return g(x)()""",
    "a nested container": """
tools = {"a": ({"b": [np.conv_fast]},)}
def f(x): return tools["a"][0]["b"][0](x)""",
    "a module written by a cell": """
@cell
%%writefile helpers.py
from fast import conv_fast as run
@cell
from helpers import run
def f(x): return run(x)""",
    "an attribute of one": """
@cell
%%writefile helpers.py
run = np.conv_fast
@cell
import helpers as h
def f(x): return h.run(x)""",
    "a magic": """
def f(x): return x
%time f = np.conv_fast""",
    "a magic that runs a file": """
def f(x): return x
%run other.py""",
    "a walrus": """
print(g := np.conv_fast)
def f(x): return g(x)""",
    "kwargs": """
def run(x, how): return how(x)
def f(x): return run(x, **{"how": np.conv_fast})""",
}  # fmt: skip
LOOPS = {
    "a lambda in a container": """
tools = [lambda X: [x for x in X]]
def f(X): return tools[0](X)""",
    "an iterator": "def f(X): return list(map(g, X))",
    "sum of a generator": "def f(X): return sum(x for x in X)",
    "frompyfunc": "g = np.frompyfunc(abs, 1, 1)\ndef f(X): return g(X)",
    "nditer": "def f(X): return np.nditer(X)",
    "fromiter": "def f(X): return np.fromiter(X, float)",
    "reduce": "from functools import reduce\ndef f(X): return reduce(add, X)",
    "functools.reduce": "def f(X): return functools.reduce(add, X)",
    "accumulate": "def f(X): return list(itertools.accumulate(X, add))",
    "starmap": "def f(X): return list(itertools.starmap(add, X))",
    "filter": "def f(X): return list(filter(add, X))",
    "sorted": "def f(X): return sorted(X, key=lambda x: add(x))",
    "recursion": "def f(X, i=0): return X if i == len(X) else f(X, i + 1)",
    "recursion of two": """
def g(X): return f(X[1:])
def f(X): return g(X) if len(X) else 0""",
    "recursion of a method": """
class A:
    def f(self, X): return self.f(X[1:]) if len(X) else 0""",
    "recursion inside": """
def f(X):
    def go(i): return X[i] + go(i + 1) if i < len(X) else 0
    return go(0)""",
    "a default argument": "def g(X): return [x for x in X]\ndef f(X, run=g): return run(X)",
    "a decorator": """
def each(function):
    def all_of(X):
        out = []
        while len(out) < len(X): out.append(function(X[len(out)]))
        return out
    return all_of
@each
def f(x): return x""",
    "vectorize as a decorator": "@np.vectorize\ndef f(x): return x",
    "exec in it": "def f(X): exec('for x in X: pass')\n",
    "exec of a definition": "def f(X): return X\n@cell\nexec('def f(X): return [x for x in X]')",
    "set later": """
def slow(X): return [x for x in X]
def f(X): return X
@cell
f = slow""",
    "a class": """
class Slow:
    def __init__(self, X): self.all = [x for x in X]
def f(X): return Slow(X).all""",
    "an index": """
class Slow:
    def __getitem__(self, X): return [x for x in X]
slow = Slow()
def f(X): return slow[X]""",
    "a generator kept": """
def each(X):
    for x in X: yield x
g = each
def f(X): return sum(g(X))""",
    "another module": "import helpers\ndef f(X): return helpers.slow(X)",
    "eval outside": "g = eval('lambda X: [x for x in X]')\ndef f(X): return g(X)",
    "a property": """
class A:
    @property
    def rows(self): return [x for x in self.X]
    def f(self, X): return self.rows""",
}  # fmt: skip
NESTED = {
    "a helper in the loop": """
def row(x): return [y for y in x]
def f(X):
    out = []
    for x in X: out.append(row(x))
    return out""",
    "a helper of a helper": """
def inner(x): return sum(y for y in x)
def row(x): return inner(x)
def f(X): return [row(x) for x in X]""",
    "map in a loop": "def f(X):\n    for x in X: list(map(abs, x))",
    "frompyfunc in a loop": "def f(X):\n    for x in X: np.frompyfunc(abs, 1, 1)(x)",
    "recursion": "def f(X, i=0):\n    for x in X: g = i\n    return f(X, i + 1)",
}
# What honest students write. Nothing is said against it.
HONEST = {
    "a helper": "def square(x): return x * x\ndef f(X): return square(X).sum(axis=1)",
    "a lambda": "square = lambda x: x ** 2\ndef f(X): return square(X)",
    "a class with a helper": """
class A:
    def __init__(self): self.X_train = None
    def train(self, X): self.X_train = X
    def squares(self, X): return np.sum(X ** 2, axis=1)
    def f(self, X): return self.squares(X)[:, None] + self.squares(self.X_train)""",
    "einsum": "def f(X): return np.einsum('ij,ij->i', X, X)",
    "add.at": "def f(X):\n    out = np.zeros(3)\n    np.add.at(out, X, 1)\n    return out",
    "a ufunc's reduce": "def f(X): return np.add.reduce(X) + np.maximum.accumulate(X)",
    "windows": """
from numpy.lib.stride_tricks import sliding_window_view
def f(X): return sliding_window_view(X, 3).sum(-1)""",
    "a constant": "EPS = np.finfo(float).eps\nSIZES = (1, 2)\ndef f(X): return X / EPS + SIZES[0]",
    "a slow one before it": """
def slow(X): return [x for x in X]
def f(X): return [x for x in X]
t = time(f)
@cell
def f(X): return X
for version in (slow, f): time(version, slow(X))""",
    "an old class before it": """
class A:
    def f(self, X): return [x for x in X]
@cell
class A:
    def f(self, X): return X
a = A()
out = [a.f(x) for x in X]""",
    "a result of a loop": """
def slow(X): return [x for x in X]
rows = slow(X)
def f(X): return X[rows] + rows""",
    "a local name like a slow function": """
def out(X): return [x for x in X]
def f(X):
    out = X @ X.T
    return out - out.max()""",
    "the shape of a result": """
def slow(X): return [x for x in X]
dists = slow(X)
check(dists, dtype=dists.dtype, shape=dists.shape)
def f(X): return X.astype(X.dtype).reshape(X.shape)""",
    "an own generator of random numbers": """
rng = np.random.default_rng(0)
def f(X): return X + rng.normal(size=X.shape)""",
    "keywords": "def f(X, *, axis=-1, keepdims=True): return X.sum(axis=axis, keepdims=keepdims)",
    "super": """
import torch.nn as nn
class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
    def f(self, X): return self.layer(X) + self.extra_repr()""",
    "getattr of a name": "def f(X): return getattr(np, 'sum')(X)",
    "a model set to test": """
model.eval()
get_ipython().run_line_magic("matplotlib", "inline")
def f(X): return X""",
    "typing": """
from typing import Optional
from dataclasses import dataclass
@dataclass
class Cache:
    X: Optional[np.ndarray] = None
def f(X: np.ndarray) -> Cache: return Cache(X=X)""",
    "a method called like one of NumPy's": """
class Meter:
    def sum(self): return [x for x in self.all]
    def mean(self): return 0
@cell
def f(X): return np.sum(X) + np.mean(X)""",
    "magics": """
%matplotlib inline
%load_ext autoreload
def f(X): return X
%timeit [f(x) for x in X]
%time out = f(X)""",
    "a module of one's own": """
@cell
%%writefile helpers.py
import numpy as np
def square(x): return np.square(x)
@cell
import helpers
from helpers import square
def f(X): return square(X) + helpers.square(X)""",
    "a cell run again on other data": """
def f(X): return X
def run_again(cell, N):
    again = globals() | {"X_train": N}
    again["y_train"] = N
    exec(cell, again)
run_again(globals().get("_ih"), "x" in globals())""",
    "a notebook of one's own": """
from cs231n_lib.notebooks import load
layers = load("FullyConnectedNets")
def f(X): return layers.affine_forward(X, X, X)""",
    "an assertion": "def f(X):\n    assert X.ndim == 2, f'{X.shape=}'\n    return X",
    "an import in it": "def f(X):\n    import math\n    return X * math.pi",
}  # fmt: skip


def student(text: str) -> Student:
    cells = [part.strip("\n") for part in (START + text).split("@cell")]
    sources = {f"cell-{i}": source for i, source in enumerate(cells)}
    return Student(cast(Kernel, None), sources, seconds=1)


@pytest.mark.parametrize("way", NAMES)
def test_no_way_to_what_is_forbidden(way: str) -> None:
    with pytest.raises(Failed):
        forbid_names(student(NAMES[way]), "f", {"conv_fast", "conv"}, "Write it out.")


@pytest.mark.parametrize("way", LOOPS)
def test_no_way_to_a_loop(way: str) -> None:
    with pytest.raises(Failed):
        forbid_loops(student(LOOPS[way]), "f", "All at once.")


@pytest.mark.parametrize("way", NESTED)
def test_no_way_to_a_second_loop(way: str) -> None:
    with pytest.raises(Failed):
        forbid_nested_loops(student(NESTED[way]), "f", "One is enough.")


@pytest.mark.parametrize("how", HONEST)
def test_nothing_is_said_against_honest_code(how: str) -> None:
    forbid_names(student(HONEST[how]), "f", {"conv_fast", "norm"}, "Write it out.")
    forbid_loops(student(HONEST[how]), "f", "All at once.")
    forbid_nested_loops(student(HONEST[how]), "f", "One is enough.")


def test_one_loop_with_a_helper_is_one_loop() -> None:
    text = """
def row(x): return np.sum(x ** 2)
def f(X):
    out = [0] * len(X)
    for i in map(int, range(len(X))): out[i] = row(X[i])
    return out"""
    forbid_nested_loops(student(text), "f", "One is enough.")


def test_what_cannot_be_read_is_told() -> None:
    text = "\nfrom helpers import run\ndef f(x):\n    return run(x)"
    with pytest.raises(Failed) as failure:
        forbid_loops(student(text), "f", "All at once.")
    assert failure.value.message == (
        "What the function does cannot be read: line 3 of cell 'cell-1', in f: run comes from "
        "helpers, which is not in the notebook. Write it out in the cell, and call functions by "
        "their names"
    )


MANY = {
    "aliases": "a{next} = a{this}",
    "functions": "def a{next}(x): return a{this}(x)",
    "methods": "class A{this}:\n    def g(self, x): return np.conv_fast(x)",
}


@pytest.mark.parametrize("what", MANY)
def test_thousands_of_names_are_followed_once_each(what: str) -> None:
    """It was quadratic: 4,000 aliases held the judge for 32 s."""
    assert _steps(MANY[what], 1200) < 5 * _steps(MANY[what], 300)


def _steps(line: str, times: int) -> int:
    """How many calls of Python functions it takes to find what is at the end of the chain."""
    chain = [line.format(this=i, next=i + 1) for i in range(times)]
    last = f"def f(x): return A{times // 2}().g(x) + a{times}(x)"
    found, steps = student("\n" + "\n".join(["a0 = np.conv_fast", *chain, last])), 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal steps
        steps += event == "call"

    sys.setprofile(count)
    try:
        with pytest.raises(Failed, match="conv_fast"):
            forbid_names(found, "f", {"conv_fast"}, "Write it out.")
    finally:
        sys.setprofile(None)
    return steps
