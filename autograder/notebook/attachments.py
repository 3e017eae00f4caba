"""Pictures that were pasted into a cell of text, which nbformat calls attachments."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from autograder.notebook.characters import whole
from autograder.notebook.pictures import MAX_PICTURE, SUFFIXES, kind_of
from autograder.notebook.template import Cell

Attachments = dict[str, dict[str, str]]

MAX_ATTACHMENTS = 50  # of a cell


def of_cell(cell: Cell, called: str, notes: list[str]) -> Attachments:
    """The pictures in a cell that can be shown; what is left out, and why, is noted."""
    found = cell.get("attachments")
    if not isinstance(found, dict):
        return {}
    kept: Attachments = {}
    for name, bundle in found.items():
        name = whole(name)
        picture, fault = _picture(bundle)
        if not fault and len(kept) >= MAX_ATTACHMENTS:
            fault = f"a cell has at most {MAX_ATTACHMENTS} pictures"
        if fault:
            notes.append(f"the picture {name[:60]!r} in {called} was left out: {fault}")
        else:
            kept[name] = picture
    return kept


def _picture(bundle: Any) -> tuple[dict[str, str], str]:
    """A MIME bundle of one picture, or why it is left out."""
    bundle = bundle if isinstance(bundle, dict) else {}
    for kind in sorted(set(SUFFIXES.values()) & set(bundle)):
        data = bundle[kind]
        if isinstance(data, list):
            data = "".join(part for part in data if isinstance(part, str))
        if not isinstance(data, str):
            continue
        if len(data) > 2 * MAX_PICTURE:
            return {}, f"it is larger than {MAX_PICTURE >> 20} MB"
        try:
            content = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            return {}, "it is damaged (not base64)"
        if len(content) > MAX_PICTURE:
            return {}, f"it is larger than {MAX_PICTURE >> 20} MB"
        if kind_of(content) != kind:
            return {}, f"it is no {kind.removeprefix('image/').upper()}, which it says it is"
        return {kind: base64.b64encode(content).decode("ascii")}, ""
    return {}, "only PNG, JPEG, GIF and WebP are shown"
