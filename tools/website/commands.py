"""The reference of commands, made from the commands themselves: `autograder`, `cs231n`, `make`."""

import argparse
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from autograder.cli.main import main as staff
from cs231n_lib import cli as students

INTRODUCTION = """# Commands

Made from the commands' own help, which `--help` after any of them prints, too. All of them end
with status 0 when everything went well, 1 when something needs a person, and 2 for wrong use.
"""


def page(makefile: str) -> str:
    """The whole page, as Markdown."""
    parts = [INTRODUCTION, "## For students: `cs231n`\n"]
    parts += argparse_commands(students._parser(), "cs231n", level=3)
    parts += ["## For the staff: `python -m autograder`\n", prose(staff.help or "")]
    parts += click_commands(staff, "python -m autograder", level=3)
    parts += ["## For developers: `make`\n", *make_targets(makefile)]
    return "\n".join(parts)


def click_commands(group: click.Group, name: str, level: int) -> Iterator[str]:
    """Every command of a group, by name."""
    for word, command in sorted(group.commands.items()):
        context = click.Context(command, info_name=f"{name} {word}")
        if isinstance(command, click.Group):
            yield from click_commands(command, f"{name} {word}", level)
            continue
        records = [param.get_help_record(context) for param in command.get_params(context)]
        usage = " ".join([f"{name} {word}", *command.collect_usage_pieces(context)])
        rows = [record for record in records if record is not None]
        yield command_text(f"{name} {word}", usage, command.help or "", rows, level)


def argparse_commands(
    parser: argparse.ArgumentParser, name: str, level: int, about: str = ""
) -> Iterator[str]:
    """Every command of a parser, in its own order."""
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    for action in below:
        words = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for word, command in action.choices.items():
            said = words.get(word, "")
            yield from argparse_commands(command, f"{name} {word}", level, said)
    if not below:
        said = parser.description or (about[:1].upper() + about[1:] + "." if about else "")
        usage = " ".join(parser.format_usage().removeprefix("usage: ").replace("[-h] ", "").split())
        usage = usage.removesuffix(" [-h]")
        yield command_text(name, usage, said, list(_arguments(parser)), level)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    formatter = argparse.HelpFormatter(parser.prog)
    for action in parser._actions:
        shown = formatter._format_action_invocation(action)
        about = (action.help or "") % {**vars(action), "prog": parser.prog}
        yield shown, about[:1].upper() + about[1:]


def command_text(
    name: str, usage: str, about: str, rows: Sequence[tuple[str, str]], level: int
) -> str:
    """A section on one command: how it is typed, what it does, its options."""
    lines = [f"{'#' * level} `{name}`", "", "```sh", usage, "```", "", prose(about), ""]
    rows = [row for row in rows if "--help" not in row[0]]
    if rows:
        lines += ["| option | |", "| --- | --- |"]
        lines += [f"| `{cell(option)}` | {prose(cell(said))} |" for option, said in rows]
        lines.append("")
    return "\n".join(lines)


def cell(text: str) -> str:
    """Text that stands in a row of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def prose(text: str) -> str:
    """A help text as Markdown: stars, brackets and dollars are what they are."""
    text = inspect.cleandoc(text)
    parts = re.split(r"(`[^`\n]*`)", text)
    plain = [re.sub(r"([*_<\[\]$])", r"\\\1", part) for part in parts[::2]]
    return "".join(a + b for a, b in zip(plain, [*parts[1::2], ""], strict=True))


def make_targets(makefile: str) -> Iterator[str]:
    """Each target, with the comment above it."""
    [names] = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)
    yield "| | |\n| --- | --- |"
    for name in names.split():
        found = re.search(rf"((?:^#.*\n)*)^{name}:", makefile, re.M)
        said = re.sub(r"^# ?", "", found[1] if found else "", flags=re.M)
        yield f"| `make {name}` | {prose(cell(said))} |"


def write(root: Path) -> str:
    """The page for the repository in ``root``."""
    return page((root / "Makefile").read_text("utf-8"))
