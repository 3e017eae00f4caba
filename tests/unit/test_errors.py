"""Every error of ours ends a command as one line with the right exit status, never a traceback."""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import autograder
from autograder.authoring import release as releasing
from autograder.cli.main import main
from autograder.errors import AutograderError, NeedsHuman, WrongUse

SKIPPED = ("autograder.demo.samples", "autograder.mutants")  # cells of notebooks, not modules

# Signals inside the program, and the modules that catch them: they never reach a command.
CAUGHT_INSIDE = {
    "autograder.judge.expect.Failed": ("judge/score.py",),
    "autograder.judge.kernel_terms.CallTimeout": ("judge/kernel.py", "judge/student.py"),
    "autograder.judge.kernel_terms.KernelDied": ("judge/score.py", "grading/notebook_run.py"),
    "autograder.judge.student_error.StudentError": ("judge/score.py",),
    "autograder.judge.memory_files.HiddenError": ("judge/watchdog.py", "judge/memory_files.py"),
    "autograder.host.expendable.Ended": ("batch/task_grader.py", "batch/nbgrader_autograde.py"),
    "autograder.sandbox.wire_caps.ProtocolError": ("judge/kernel.py",),
    "autograder.sandbox.wire_caps.TooMuch": ("sandbox/wire.py",),
    "autograder.collect.archives._TooMuch": ("collect/archives.py",),
    "autograder.checks.shared.in_kernel_small.Enough": ("checks/shared/in_kernel_small.py",),
}
NOT_FOR_COMMANDS = {
    "autograder.judge.stand_ins.Refused": "what a wrong call of a stand-in raises in the sandbox",
    "autograder.authoring.nbval_plugin.KernelDied": "pytest reports it, in a process of its own",
    "autograder.authoring.nbval_plugin.Overlooked": "nbval's, and pytest reports it",
    "autograder.sandbox.wire.WireError": "in the sandbox an answer like any error of the student's",
    "autograder.hidden.UnprotectedError": "raised in a stock executor, which must not give points",
    "autograder.cli.command.CommandFailed": "click's: it is the one line and the exit status",
    "autograder.errors.AutograderError": "the base of both, never raised itself",
}


def exceptions() -> dict[str, type[BaseException]]:
    """Every exception class that a module of autograder defines, by its full name."""
    found = {}
    for info in pkgutil.walk_packages(autograder.__path__, "autograder."):
        if info.name.startswith(SKIPPED) or info.name == "autograder.__main__":
            continue
        module = importlib.import_module(info.name)
        for name, value in inspect.getmembers(module, inspect.isclass):
            if issubclass(value, BaseException) and value.__module__ == info.name:
                found[f"{info.name}.{name}"] = value
    return found


def test_every_error_derives_from_one_of_two_bases_or_is_caught_inside() -> None:
    found = exceptions()
    loose = {name for name, kind in found.items() if not issubclass(kind, (WrongUse, NeedsHuman))}
    assert loose == {*CAUGHT_INSIDE, *NOT_FOR_COMMANDS}
    assert {kind.exit_status for kind in found.values() if issubclass(kind, WrongUse)} == {2}
    assert {kind.exit_status for kind in found.values() if issubclass(kind, NeedsHuman)} == {1}


@pytest.mark.parametrize(
    ("name", "module"), [(name, one) for name, places in CAUGHT_INSIDE.items() for one in places]
)
def test_a_signal_is_caught_where_this_list_says(name: str, module: str) -> None:
    tree = ast.parse((Path(autograder.__path__[0]) / module).read_text("utf-8"))
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    caught = [ast.unparse(one.type) for one in handlers if one.type]
    assert any(re.search(rf"\b{name.rpartition('.')[2]}\b", kinds) for kinds in caught)


def test_all_modules_were_looked_at() -> None:
    """`walk_packages` passes over folders without ``__init__.py``."""
    folder = Path(autograder.__path__[0])
    loose = {path.parent for path in folder.rglob("*.py")} - {
        path.parent for path in folder.rglob("__init__.py")
    }
    template = folder / "authoring" / "template_course"  # copied, and never imported from here
    inside = {p.relative_to(folder).parts[0] for p in loose if not p.is_relative_to(template)}
    assert inside <= {"demo", "mutants"}


class NewWrongUse(WrongUse):
    """One that the command line has never heard of."""


class NewNeedsHuman(NeedsHuman):
    """Another one, with something to do next."""

    next_step = "Run `python -m autograder doctor`."


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (NewWrongUse("a.ipynb: no such cell"), 2, "Error: a.ipynb: no such cell\n"),
        (
            NewNeedsHuman("the machine is on fire"),
            1,
            "Error: the machine is on fire\nRun `python -m autograder doctor`.\n",
        ),
    ],
)
def test_a_new_error_reaches_a_ta_as_one_line(
    error: AutograderError, status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(releasing, "release", fails)
    result = CliRunner().invoke(main, ["release", "--root", str(tmp_path)])
    assert result.exit_code == status
    assert result.stderr == said
    assert result.stdout == ""


def commands(group: click.Group = main) -> list[str]:
    return sorted(group.commands)


@pytest.mark.parametrize("name", commands())
def test_every_command_reports_errors_this_way(name: str) -> None:
    """`doctor` alone raises none: it lists what it finds."""
    callback = main.commands[name].callback
    assert callback is not None
    reports = getattr(callback, "__wrapped__", None) is not None
    assert reports == (name != "doctor")
