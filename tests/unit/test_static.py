"""Rules read off the source: what they find, by which names, and what they leave alone."""

from typing import cast

import pytest

from autograder.judge import Failed, Student, forbid_loops, forbid_names, forbid_nested_loops
from autograder.judge.kernel import Kernel


def reading(*cells: str) -> Student:
    """A student whose code is only read."""
    sources = {f"cell-{i}": source for i, source in enumerate(cells)}
    return Student(cast(Kernel, None), sources, seconds=1)


HONEST = """
import numpy as np
from fast import conv_fast

def conv(x, w):
    out = np.tensordot(x, w)
    return helper(out)

def helper(x):
    return np.add(x, 1)

out, cache = conv_fast(x, w), None
seconds = time_function(conv_fast, x)
for f in (conv, conv_fast):
    compare(f)
times = {"naive": seconds, "fast": time_function(conv_fast, x)}
results = [conv_fast(x, w)[0], out[0]]
results.append(conv_fast(x, w))
results += [conv_fast(x, w)]
results[0] = conv_fast(x, w)
np.vectorize(conv_fast)
layers = {"naive": conv, "fast": conv_fast}
for name in layers:
    compare(layers[name])
"""
DISHONEST = {
    "directly": "def conv(x, w):\n    return conv_fast(x, w)",
    "as an attribute": "def conv(x, w):\n    return fast.conv_fast(x, w)",
    "imported inside": "def conv(x, w):\n    from fast import conv_fast as g\n    return g(x, w)",
    "imported under its name": "from fast import conv_fast as conv",
    "set to it": "conv = conv_fast",
    "set to it by way of another": "g = conv_fast\nh = g\nconv = h",
    "an alias used": "a, g = 1, fast.conv_fast\ndef conv(x, w):\n    return g(x, w)",
    "a partial one": "from functools import partial\nconv = partial(conv_fast, pad=1)",
    "a lambda": "g = lambda x, w: conv_fast(x, w)\ndef conv(x, w):\n    return g(x, w)",
    "a helper": "def g(x, w):\n    return conv_fast(x, w)\n\ndef conv(x, w):\n    return g(x, w)",
    "in a class": "class A:\n    g = conv_fast\n    def conv(self, x):\n        return self.g(x)",
    "by a look-up": "def conv(x, w):\n    return globals()['conv_' + 'fast'](x, w)",
    "by getattr": "def conv(x, w):\n    return getattr(fast, 'conv_' + 'fast')(x, w)",
    "nowhere": "exec('def conv(x, w): return conv_' + 'fast(x, w)')",
    "in a list": "tools = [1, conv_fast]\ndef conv(x, w):\n    return tools[1](x, w)",
    "in a dictionary": "tools = {'f': [conv_fast]}\ndef conv(x):\n    return tools['f'][0](x)",
    "in dict()": "tools = dict(f=conv_fast)\ndef conv(x, w):\n    return tools['f'](x, w)",
    "put into one": "tools = {}\ntools['f'] = conv_fast\ndef conv(x):\n    return tools['f'](x)",
    "appended": "tools = []\ntools.append(conv_fast)\ndef conv(x):\n    return tools[0](x)",
    "added": "tools = []\ntools += [conv_fast]\ndef conv(x):\n    return tools[0](x)",
    "taken out": "tools = [conv_fast]\nf = tools[0]\ndef conv(x, w):\n    return f(x, w)",
    "in the next cell": ("def conv(x, w):\n    return x", "conv = conv_fast"),
}


def test_an_honest_function_may_stand_beside_what_is_forbidden() -> None:
    forbid_names(reading(HONEST), "conv", {"conv_fast", "torch"}, "Write it out.")
    forbid_loops(reading(HONEST), "conv", "No loops.")


@pytest.mark.parametrize("how", DISHONEST)
def test_forbidden_functions_are_found(how: str) -> None:
    cells = DISHONEST[how]
    student = reading(*([cells] if isinstance(cells, str) else cells))
    with pytest.raises(Failed, match=r"not allowed|cannot be found"):
        forbid_names(student, "conv", {"conv_fast"}, "Write it out.")


LOOPS = {
    "for": "def f(X):\n    for x in X:\n        pass",
    "comprehension": "def f(X):\n    return [x for x in X]",
    "disguised": "def f(X):\n    return np.vectorize(g)(X)",
    "helper": "def g(X):\n    while X:\n        pass\n\ndef f(X):\n    return g(X)",
    "under another name": "def g(X):\n    for x in X:\n        pass\n\nf = g",
    "in a class": "def g(self, X):\n    for x in X:\n        pass\n\nclass A:\n    f = g",
    "partial": "def g(n, X):\n    return sum(x for x in X)\n\nf = functools.partial(g, 3)",
}


@pytest.mark.parametrize("how", LOOPS)
def test_loops_are_found(how: str) -> None:
    with pytest.raises(Failed, match="loop"):
        forbid_loops(reading(LOOPS[how]), "f", "All at once.")


def test_one_loop_is_not_two() -> None:
    forbid_nested_loops(reading(LOOPS["for"]), "f", "One is enough.")
    twice = "def f(X):\n    for x in X:\n        y = [z for z in x]"
    with pytest.raises(
        Failed, match=r"line 2 .*, in f: a loop with a second loop in it\. One is enough\."
    ):
        forbid_nested_loops(reading(twice), "f", "One is enough.")


def test_a_helper_is_blamed_where_it_is_called() -> None:
    naive = "def naive(X):\n    total = 0\n    for x in X:\n        total += x\n    return total"
    fast = "def fast(X):\n    Y = X + 1\n    return naive(Y)"
    with pytest.raises(Failed) as failure:
        forbid_loops(reading(naive, fast), "fast", "All at once.")
    assert failure.value.message == (
        "line 3 of cell 'cell-1', in fast: this calls naive, and there, "
        "line 3 of cell 'cell-0', in naive: a Python loop. All at once."
    )


def test_what_cannot_be_read_is_not_believed() -> None:
    for rule in (forbid_loops, forbid_nested_loops):
        with pytest.raises(Failed, match="f cannot be found in the notebook: define it"):
            rule(reading("f = make()"), "f", "")
