"""One clock for all limits: waiting for a processor is nobody's fault, and has an end."""

import pytest

from autograder.judge import clock
from autograder.judge.clock import PATIENCE, Budget, Clock


class Machine:
    """A kernel's time, what it waited, and what it ran, all set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited = 7.0
        self.ran = 30.0

    def monotonic(self) -> float:
        return self.now

    def waited_seconds(self) -> float:
        return self.waited

    def ran_seconds(self) -> float:
        return self.ran

    def passes(self, seconds: float, *, waiting: float = 0.0, running: float = 0.0) -> None:
        self.now += seconds
        self.waited += waiting
        self.ran += running


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(clock, "time", made)
    return made


def test_on_a_quiet_machine_the_time_is_up_when_it_is_up(machine: Machine) -> None:
    started = Clock(machine, 10)
    machine.passes(9.9)
    assert not started.expired()
    machine.passes(0.2)
    assert started.expired()
    assert started.used() == pytest.approx(10.1)


def test_waiting_for_a_processor_moves_the_deadline(machine: Machine) -> None:
    started = Clock(machine, 10)
    machine.passes(11, waiting=8)
    assert not started.expired()
    assert started.used() == pytest.approx(3)
    machine.passes(7.5)  # 10.5 of its own
    assert started.expired()


def test_patience_has_an_end(machine: Machine) -> None:
    started = Clock(machine, 10)
    machine.passes(PATIENCE * 10 - 1, waiting=PATIENCE * 10 - 1)
    assert not started.expired()
    machine.passes(2, waiting=2)
    assert started.expired()


@pytest.mark.parametrize(
    ("waiting", "running", "held_up"),
    [(0, 10, False), (20, 9.5, False), (31, 8, True), (0, 1, True), (40, 0, True)],
    ids=["computed", "computed, waited", "waited for too long", "slept", "never had a processor"],
)
def test_who_computed_all_the_while_was_held_up_by_nobody(
    machine: Machine, waiting: float, running: float, *, held_up: bool
) -> None:
    started = Clock(machine, 10)
    machine.passes(PATIENCE * 10 + 1, waiting=waiting, running=running)
    assert started.expired()
    assert started.held_up() is held_up


def test_while_the_judge_answers_the_student_is_not_slow(machine: Machine) -> None:
    started = Clock(machine, 10)
    machine.passes(5)
    started.excuse(5)
    machine.passes(9)
    assert not started.expired()
    assert started.used() == pytest.approx(9)


def test_a_dead_process_has_waited_for_nothing(machine: Machine) -> None:
    started = Clock(machine, 10)
    machine.passes(12)
    machine.waited = 0.0
    assert started.expired()
    assert started.used() == pytest.approx(12)


def test_a_notebook_may_take_what_its_requests_used(machine: Machine) -> None:
    """The judge's own seconds between two requests, of which there are many here, do not count."""
    budget = Budget(30)
    for _ in range(2):
        machine.passes(1000)
        cell = Clock(machine, 10)
        machine.passes(40, waiting=35)
        budget.spend(cell.used(), 40)
    assert budget.left() == pytest.approx(10)  # 20 by what they used; 80 of 120 s are gone
    budget.spend(5, 40)
    assert budget.left() == pytest.approx(0)
    assert Budget(30).left() == pytest.approx(30)
