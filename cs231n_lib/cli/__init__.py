"""The ``cs231n`` command. Exit status: 0 done, 1 a problem (and which one), 2 wrong use."""

import argparse
import sys
from collections.abc import Sequence

from cs231n_lib.cli import data, doctor, hand_in
from cs231n_lib.errors import CourseError, WrongUse
from cs231n_lib.extras import version


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    for stream in (sys.stdout, sys.stderr):  # Windows pipes may know no more than cp1252
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except CourseError as error:
        print(f"cs231n: {error}", file=sys.stderr)
        return 2 if isinstance(error, WrongUse) else 1
    except KeyboardInterrupt:
        print("\ncs231n: interrupted; no partial files are left behind", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cs231n",
        description="Check your set-up and your notebooks, pack them, manage the course's data.",
    )
    parser.add_argument("--version", action="version", version=f"cs231n {version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    doctor.add_to(commands)
    hand_in.add_to(commands)
    data.add_to(commands)
    return parser
