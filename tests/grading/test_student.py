"""The proxy through which checks see a submission."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

import applied
from autograder.judge.student import Ref, Student, StudentError

CODE = """
import numpy as np, torch

def double(x):
    print("doubling")
    return 2 * x

def forward(x):
    return x + 1, {"cache": x, "fn": double}

def backward(dout, cache):
    return dout * cache["cache"]

class Net:
    def __init__(self, width, scale=1.0):
        self.width, self.scale = width, scale

    def clamp(self, x):
        x[x < 0] = 0
        return x.sum()

    def fill(self, megabytes):
        return float(np.ones(megabytes << 17).sum())

def square(x, y):
    return (x * x * y), y

def limits_of_data():
    import resource
    return resource.getrlimit(resource.RLIMIT_DATA)

def forever():
    while True: pass

def todo():
    raise NotImplementedError("todo: write your code here")

class Liar(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array__(self, *a, **k): return np.zeros(self.shape)

def lies():
    return np.ones(3).view(Liar)

value = 7
"""


@pytest.fixture
def student(kernel) -> Student:
    assert kernel.run_cell(CODE).ok
    return Student(kernel, {"code": CODE})


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "complex128"])
def test_arrays_go_in_and_come_out(student, dtype) -> None:
    x = np.arange(6).reshape(2, 3).astype(dtype)
    back = student.call("double", x)
    assert back.dtype == x.dtype
    assert np.array_equal(back, 2 * x)
    assert student.printed == "doubling\n"


def test_tensors_go_in_and_come_out(student) -> None:
    x = torch.arange(6, dtype=torch.bfloat16)
    assert torch.equal(student.call("double", x), 2 * x)


def test_caches_stay_in_the_kernel_and_come_back_to_it(student) -> None:
    out, cache = student.call("forward", np.arange(3.0), keep=(1,))
    assert np.array_equal(out, [1, 2, 3])
    assert isinstance(cache, Ref)
    assert np.array_equal(student.call("backward", np.full(3, 2.0), cache), [0, 2, 4])


def test_objects_and_attributes(student) -> None:
    net = student.new("Net", 3, scale=0.5)
    assert (net.get("width"), net.get("scale")) == (3, 0.5)
    net.set("width", 9)
    assert net.get("width") == 9


def test_a_mutated_argument_is_seen(student) -> None:
    kept = student.put(np.array([-1.0, 2.0]))
    assert student.new("Net", 1).call("clamp", kept) == 2
    assert np.array_equal(student.fetch(kept), [0, 2])


def test_a_call_has_the_room_it_is_given_and_the_next_one_has_all(student) -> None:
    net, before = student.new("Net", 1), student.call("limits_of_data")
    assert net.call("fill", 20, room=64 << 20) == 20 << 17
    with pytest.raises(StudentError) as told:
        net.call("fill", 200, room=64 << 20)
    assert told.value.out_of_memory
    assert net.call("fill", 200) == 200 << 17
    assert student.call("limits_of_data") == before


def test_variables(student) -> None:
    assert student.get("value") == 7
    student.set("value", np.eye(2))
    assert np.array_equal(student.get("value"), np.eye(2))


def test_gradients(student) -> None:
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    value, (dx, dy) = student.grad("square", x, y, wrt=(0, 1), item=0, upstream=torch.ones(2))
    assert torch.equal(value, x * x * y)
    assert torch.equal(dx, 2 * x * y)
    assert torch.equal(dy, x * x)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: s.call("nothing"), "NameError: name 'nothing' is not defined"),
        (lambda s: s.call("double"), "missing 1 required positional argument"),
        (lambda s: s.call("forever", seconds=0.4), r"took longer than 0\.4 s"),
        (lambda s: s.new("Net"), "missing 1 required"),
        (lambda s: s.new("Net", 1).call("clamp", 3), r"line 1\d, in clamp: `x\[x < 0\] = 0`"),
    ],
)
def test_errors_say_what_and_where(student, call, says) -> None:
    with pytest.raises(StudentError, match=says):
        call(student)


COUNT = """\
total = start
for _ in range(3):
    total += step
"""


def test_a_function_of_ours_runs_a_cell_in_a_copy_of_the_notebook(kernel) -> None:
    student = Student(kernel, {"count": COUNT})
    assert kernel.run_cell("start, step = 0, 2", cell="setup").ok
    assert kernel.run_cell(COUNT, cell="count").ok
    answer = student.apply(
        applied.run_with_other_values, 10, cells=("count",), bindings={"step": 5}
    )
    assert answer == [25, 5]
    assert (student.get("total"), student.get("start"), student.get("step")) == (6, 0, 2)


FACTORIAL = """
def size(x):
    return len(x)

def half(x):
    y = x
    return torch.sqrt(y)
"""


def test_an_error_is_placed_in_the_students_cell(kernel) -> None:
    """Never in a line of ours, or of a library that the student called."""
    source = f"import torch{FACTORIAL}"
    student = Student(kernel, {"sizes": source})
    assert kernel.run_cell(source, cell="sizes").ok
    expected = {
        "size": r"\(line 3 of cell 'sizes', in size: `return len\(x\)`\)$",
        "half": r"\(line 7 of cell 'sizes', in half: `return torch.sqrt\(y\)`\)$",
    }
    for name, place in expected.items():
        with pytest.raises(StudentError, match=place):
            student.call(name, None)
        with pytest.raises(StudentError, match=place):
            student.apply(applied.call_with_none, name)
    with pytest.raises(StudentError) as caught:
        student.apply(applied.call_with_none, "missing")
    assert str(caught.value) == "your code raised KeyError: 'missing'"


PLACES = {
    "blank": """

import numpy as np
def solve(x):
    return np.linalg.solve(np.ones((2, 3)), x)""",
    "timed": """%%time
def worst(x):

    return sorted([1, "a"], key=lambda v: v + x)""",
    "captured": """%%capture out
import math
def each(x):
    return [math.sqrt(v)
            for v in (1, -1)]""",
    "net": """!true \\
  and more
class Net:
    def loss(self, x):
        return np.vectorize(lambda v: v.nothing)(np.ones(2))
def loss(x):
    return Net().loss(x)
def deep(x):
    return deep(x)""",
    "library": """from cs231n_lib.gradient_check import eval_numerical_gradient
def check(x):
    return eval_numerical_gradient(lambda v: v.nothing, np.ones(2))
def inside(x):
    return eval("1 +")""",
    "helper": """%%writefile helper.py
def half(x):
    return x / "2"
""",
    "broken": """%%writefile broken.py
x = 1
x = = 2
""",
    "uses": """import helper
def halved(x):
    return helper.half(x)
def breaks(x):
    import broken""",
}
TOLD = {
    "solve": "line 5 of cell 'blank', in solve: `return np.linalg.solve(np.ones((2, 3)), x)`",
    "worst": "line 4 of cell 'timed', in worst: `return sorted([1, \"a\"], key=lambda v: v + x)`",
    "each": "line 4 of cell 'captured', in each: `return [math.sqrt(v)`",
    "loss": "line 5 of cell 'net', in loss: `return np.vectorize(lambda v: v.nothing)(np.ones(2))`",
    "deep": "line 9 of cell 'net', in deep: `return deep(x)`",
    "check": "line 3 of cell 'library', in check: "
    "`return eval_numerical_gradient(lambda v: v.nothing, np.ones(2))`",
    "inside": "line 5 of cell 'library', in inside: `return eval(\"1 +\")`",
    "halved": 'line 2 of helper.py, in half: `return x / "2"`',
    "breaks": "line 2 of broken.py: `x = = 2`",
}


def test_the_line_told_is_the_students(kernel) -> None:
    """As it is numbered in the cell, whatever IPython takes away before Python sees it."""
    for cell, source in PLACES.items():
        assert kernel.run_cell(source, cell=cell).ok, cell
    modules = {f"{name}.py": PLACES[name].partition("\n")[2] for name in ("helper", "broken")}
    student = Student(kernel, PLACES | modules)
    for function, told in TOLD.items():
        with pytest.raises(StudentError) as caught:
            student.call(function, 1.0)
        assert str(caught.value).endswith(f" ({told})"), function


def test_a_cell_that_raised_says_in_which_line(kernel) -> None:
    error = kernel.run_cell("\n\nx = 1\nx = = 2", cell="wrong").error
    assert error == {
        "type": "SyntaxError",
        "message": "invalid syntax",
        "line": "line 4 of cell 'wrong'",
        "code": "x = = 2",
    }
    error = kernel.run_cell("%%time\n\nimport numpy as np\nnp.ones(2) @ np.ones(3)", cell="t").error
    assert error["line"] == "line 4 of cell 't'"
    assert kernel.run_cell("1").error == {}


def test_an_error_in_a_cell_run_again_names_the_cell(kernel) -> None:
    student = Student(kernel, {"count": COUNT.replace("step", "stride")})
    with pytest.raises(StudentError) as caught:
        student.apply(applied.run_with_other_values, 10, cells=("count",))
    assert str(caught.value) == (
        "the cell 'count' raised NameError: name 'stride' is not defined "
        "(line 3 of cell 'count': `total += stride`)"
    )


def test_an_error_of_a_stand_in_is_of_its_own_kind(kernel) -> None:
    """The type is said once, and the place is where the student's code called it."""

    def divide(x: float) -> float:
        if not x:
            raise ZeroDivisionError("x is 0")
        return 1 / x

    source = "def invert(f, x):\n    return f(x)"
    student = Student(kernel, {"invert": source})
    assert kernel.run_cell(source, cell="invert").ok
    assert student.call("invert", student.stand_in(divide), 4.0) == 0.25
    with pytest.raises(StudentError) as caught:
        student.call("invert", student.stand_in(divide), 0.0)
    assert str(caught.value) == (
        "invert() raised ZeroDivisionError: x is 0 "
        "(line 2 of cell 'invert', in invert: `return f(x)`)"
    )


def test_an_unwritten_function_is_told_apart(student) -> None:
    with pytest.raises(StudentError) as caught:
        student.call("todo")
    assert caught.value.type_name == "NotImplementedError"


def test_an_array_that_lies_arrives_as_its_bytes_say(student) -> None:
    answer = student.call("lies")
    assert type(answer) is np.ndarray
    assert not (answer == 5).any()


def test_drawn_numbers_are_the_judges_own(student) -> None:
    drawn = student.fetch(student.draw(3, (2, 4)))
    assert np.array_equal(drawn, np.random.default_rng(3).uniform(-1, 1, (2, 4)))


def executed(student: Student, source: str, names: Sequence[str] = (), **bindings) -> dict:
    """The values of ``names`` after a cell with this source, in a copy of the notebook."""
    student.sources["tried"] = source  # type: ignore[index]
    names = list(names)
    cells = ("tried",)
    return student.apply(applied.values_after, "tried", names, cells=cells, bindings=bindings)


class Counter:
    """A stand-in: lives in the judge."""

    def __init__(self, start: int) -> None:
        self.total = start

    def add(self, n: float) -> float:
        self.total += n
        return self.total

    def _secret(self) -> str:
        return "not for the kernel"


def test_stand_ins_are_answered_by_the_judge(student) -> None:
    source = "c, d = Counter(10), Counter(0)\nc.add(1)\nlast = c.add(2)\nother = d.add(5)"
    names = ("last", "other", "missing")
    after = executed(student, source, names, Counter=student.stand_in(Counter))
    assert after == {"last": 13, "other": 5}


def test_a_function_is_answered_by_the_judge(student) -> None:
    seen = []

    def observe(x, y=0):
        seen.append((x, y))
        return x + y

    source = "class Spy(Net):\n    def go(self): return observe(self.width, y=2)\ngot = Spy(5).go()"
    after = executed(student, source, ("got",), observe=student.stand_in(observe))
    assert after == {"got": 7}
    assert seen == [(5, 2)]


@pytest.mark.parametrize("attempt", ["c._secret()", "c.add('x')", "Counter()", "c.total"])
def test_wrong_use_of_a_stand_in_is_the_students_error(student, attempt) -> None:
    source = f"c = Counter(1)\n{attempt}"
    with pytest.raises(StudentError, match=r"Error"):
        executed(student, source, Counter=student.stand_in(Counter))
    assert student.get("value") == 7


def test_a_cell_executed_again_leaves_the_notebook_as_it_was(student) -> None:
    assert executed(student, "value = value + 1", ["value"], value=1) == {"value": 2}
    assert student.get("value") == 7


def test_definitions_are_found_in_the_source(student) -> None:
    cell, node = student.definition("clamp")
    assert (cell, node.name) == ("code", "clamp")
    assert student.definition("nothing") is None


def test_a_stand_in_that_was_kept_is_silent_afterwards(student) -> None:
    keep = "kept.append(Counter(5))"
    student.set("kept", [])
    executed(student, keep, Counter=student.stand_in(Counter))
    with pytest.raises(StudentError, match="KeyError"):
        executed(student, "kept[0].add(1)")
