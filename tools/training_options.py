"""A training script's settings as options on its command line."""

import argparse
import dataclasses
from typing import Any, TypeVar

Settings = TypeVar("Settings")


def add_options(parser: argparse.ArgumentParser, kind: type[Any]) -> None:
    """An option for each number of the dataclass, with its default: --learning-rate 0.002."""
    for field in dataclasses.fields(kind):
        if type(field.default) in (int, float):
            name = "--" + field.name.replace("_", "-")
            parser.add_argument(name, type=type(field.default), default=field.default)


def settings_from(kind: type[Settings], arguments: argparse.Namespace) -> Settings:
    """The settings that were asked for; what is no option keeps its default."""
    names = {field.name for field in dataclasses.fields(kind)}  # pyright: ignore
    return kind(**{name: value for name, value in vars(arguments).items() if name in names})
