"""What the cells of one notebook may print and draw in all."""

from autograder.judge.outputs import MAX_BYTES, MAX_OUTPUTS, TOO_MUCH, OutputBudget, left_out


def stream(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def drawn(data: str) -> dict:
    return {"output_type": "display_data", "metadata": {}, "data": {"image/png": data}}


def test_what_fits_stays_as_it_is() -> None:
    budget = OutputBudget()
    outputs = [stream("ready"), drawn("x" * 1_000)]
    assert budget.within(outputs, "one") == outputs
    assert budget.cut == []


def test_too_many_bytes_over_several_cells_are_cut_and_said_once_a_cell() -> None:
    budget = OutputBudget()
    half = drawn("x" * (MAX_BYTES // 2))
    assert budget.within([half], "one") == [half]
    cut = budget.within([stream("here"), half, half], "two")
    assert [output.get("text") for output in cut] == ["here", f"{TOO_MUCH}\n"]
    assert budget.within([stream("later")], "three")[0]["text"] == f"{TOO_MUCH}\n"
    assert budget.cut == ["two", "three"]
    assert "outputs of cell 'two' were left out" in left_out(["two", "two"])[0]


def test_very_many_outputs_are_cut_whatever_their_size() -> None:
    budget = OutputBudget()
    assert len(budget.within([stream("x")] * (MAX_OUTPUTS + 9), "one")) == MAX_OUTPUTS + 1
    error = {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["x" * MAX_BYTES]}
    assert OutputBudget().within([error, error], "one")[0] == error
