"""Commands and code that the documents name are there: programs, options, targets, scripts."""

import argparse
import ast
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from autograder.cli.main import main as autograder
from cs231n_lib import cli as students

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.M | re.S)
#: Our commands, wherever they stand in a line of a shell: up to what ends a command.
COMMAND = re.compile(
    r"(?:^|(?<=[\s;&|(]))(?:[\w./]*python[\d.]* -m (?P<module>autograder|benchmarks(?:\.\w+)?)"
    r"|[\w./]*python[\d.]* (?P<script>(?:tools|benchmarks)/\w+\.py)"
    r"|(?P<name>cs231n|make))(?=[\s;)]|$)(?P<words>[^|;&>#\n)`]*)"
)
NOT_TARGETS = {"sure"}  # "make sure" in a comment


def pieces(text: str) -> Iterator[str]:
    """What is typed: the lines of blocks that are no Python, and code within sentences."""
    for _, language, block in FENCE.findall(text):
        if language == "console":  # what a command prints stands below it
            block = "\n".join(re.findall(r"^\$ (.*(?:\\\n.*)*)", block, re.MULTILINE)) or block
        if language in ("", "sh", "bash", "console", "yaml"):
            yield block.replace("\\\n", " ")
    yield from re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def problems(text: str) -> list[str]:
    """What is wrong with the commands in a document."""
    found = [(piece, match) for piece in pieces(text) for match in COMMAND.finditer(piece)]
    return [f"{match[0].strip()}: {problem}" for piece, match in found if (problem := wrong(match))]


def wrong(match: re.Match[str]) -> str:
    """What is wrong with one command; empty if nothing is."""
    try:
        words = shlex.split(match["words"].replace("…", " "))
    except ValueError:
        return ""  # half a line of prose
    if match["module"] == "autograder":
        return wrong_click(autograder, words)
    if match["module"] or match["script"]:
        path = match["script"] or f"{(match['module'] or '').replace('.', '/')}.py"
        missing = not (ROOT / path).exists() and not (ROOT / path.removesuffix(".py")).is_dir()
        return f"there is no {path}" if missing else ""
    if match["name"] == "cs231n":
        return wrong_argparse(students._parser(), words)
    targets = [word for word in words if not re.search(r"=|/|^-", word)][:1]  # variables, files
    known = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    return (
        "" if {*targets} <= {*known, "X"} | NOT_TARGETS else f"no target of the Makefile: {targets}"
    )


def wrong_click(command: click.Command, words: list[str]) -> str:
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        if not re.fullmatch(r"[a-z][a-z0-9-]*", words[0]):
            return ""  # a placeholder
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    context = click.Context(command)
    known = {name for param in command.get_params(context) for name in all_names(param)}
    return unknown_option(words, known)


def all_names(param: click.Parameter) -> list[str]:
    return [*param.opts, *param.secondary_opts]


def wrong_argparse(parser: argparse.ArgumentParser, words: list[str]) -> str:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and words and words[0].isalpha():
            if words[0].isupper():
                return ""
            if words[0] not in action.choices:
                return f"no command {words[0]}"
            return wrong_argparse(action.choices[words[0]], words[1:])
    return unknown_option(words, set(parser._option_string_actions))


def unknown_option(words: list[str], known: set[str]) -> str:
    asked = [word.partition("=")[0] for word in words if word.startswith("--") and len(word) > 2]
    unknown = [word for word in asked if word not in known]
    return f"no option {unknown[0]}" if unknown else ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_a_document_is_there(document: Path) -> None:
    assert problems(document.read_text("utf-8")) == []


def test_commands_that_are_not_there_are_noticed() -> None:
    text = """
Run `make nonsense`, `python -m autograder grade a1 --isolation none`, or `cs231n data wash`.

```sh
python -m autograder grad assignment1          # a typing error
python -m autograder grade assignment1 --gpu && cs231n doctor
.venv/bin/python tools/no_such.py; cs231n data fetch cifar10 --too FOLDER
```
"""
    assert problems(text) == [
        "python -m autograder grad assignment1: no command grad",
        "python -m autograder grade assignment1 --gpu: no option --gpu",
        ".venv/bin/python tools/no_such.py: there is no tools/no_such.py",
        "cs231n data fetch cifar10 --too FOLDER: no option --too",
        "make nonsense: no target of the Makefile: ['nonsense']",
        "cs231n data wash: no command wash",
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_in_a_document_can_be_read(document: Path) -> None:
    """Parsed, not run: most of it is part of a module, and says so."""
    for _, language, block in FENCE.findall(document.read_text("utf-8")):
        if language == "python":
            ast.parse(textwrap.dedent(block))


@pytest.mark.parametrize(
    "command", ["doctor", "data info"], ids=lambda command: command.replace(" ", "-")
)
def test_what_the_students_page_begins_with_runs(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"cs231n {command}" in (ROOT / "docs" / "start-student.md").read_text("utf-8")
    assert students.main(command.split()) == 0
    assert capsys.readouterr().out
