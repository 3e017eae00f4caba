"""Text that can be written down: half of a character, such as half an emoji, is in no encoding.

JSON may hold one (``"\\ud83d"``), and so may what a program prints. It ends whoever writes it.
"""

from __future__ import annotations

from typing import Any


def is_whole(text: str) -> bool:
    """Whether the text can be encoded."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def whole(text: str) -> str:
    """The text with two halves that stand side by side put together, and others replaced by �."""
    if is_whole(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def all_whole(value: Any) -> Any:
    """The same for every text in plain data, the keys included."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {all_whole(key): all_whole(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(all_whole(one) for one in value)
    return value
