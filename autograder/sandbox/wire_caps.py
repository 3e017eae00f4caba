"""How much one message may be: bounds on depth and counts, held by both sides of the wire.

Bytes alone are no measure of what a message takes to read. Nested extensions use up the stack, an
empty map of one byte takes 64, and keys of equal hash make a dict as slow as its length squared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any

MAX_DEPTH = 32  # of extensions, such as tuples: deeper than any answer, far from the stack's end
MAX_CONTAINERS = 250_000  # lists, dicts, tuples, arrays ... in one message
MAX_ITEMS = 4_000_000  # in all of them; a (500, 5000) matrix as lists has 2.5 million
MAX_ALIKE = 32  # keys of a dict, or members of a set, that have the same hash

_CONTAINERS = (list, tuple, dict, set, frozenset)


class ProtocolError(Exception):
    """Bytes from the other side that are no valid message."""


class TooMuch(ProtocolError):
    """More in one message than there may be."""


class Tally:
    """What has been counted of one message."""

    def __init__(self) -> None:
        self._containers = 0
        self._items = 0

    def add(self, items: int = 0) -> None:
        """One more container, of so many items. Raises TooMuch."""
        self._containers += 1
        self._items += items
        if self._containers > MAX_CONTAINERS:
            raise TooMuch(f"more than {MAX_CONTAINERS:,} lists, dicts, tuples and arrays")
        if self._items > MAX_ITEMS:
            raise TooMuch(f"lists and dicts of more than {MAX_ITEMS:,} items")

    def listed(self, items: list) -> list:
        """A list that has been read."""
        self.add(len(items))
        return items

    def mapped(self, pairs: list[tuple[Any, Any]]) -> dict:
        """The dict of pairs that have been read."""
        self.add(2 * len(pairs))
        _spread([key for key, _ in pairs])
        return dict(pairs)

    def collected(self, members: list) -> set:
        """The set of members that have been read."""
        _spread(members)
        return set(members)

    def nested(self, depth: int) -> None:
        """An extension within so many others. Raises TooMuch."""
        self.add()
        if depth > MAX_DEPTH:
            raise TooMuch(f"more than {MAX_DEPTH} tuples or the like within each other")

    def survey(self, value: Any) -> None:
        """Everything in a value that is to be sent. Raises TooMuch."""
        waiting = [value]
        while waiting:
            container = waiting.pop()
            inside: Iterable[Any] = container
            if isinstance(container, dict):
                inside = chain(container.keys(), container.values())
                self.add(2 * len(container))
            else:
                self.add(len(container))
            waiting += [one for one in inside if isinstance(one, _CONTAINERS)]


def surveyed(value: Any) -> None:
    """Raises TooMuch where a value has more in it than may be sent in one message."""
    if isinstance(value, _CONTAINERS):
        Tally().survey(value)


def _spread(keys: list) -> None:
    """Raises TooMuch where so many keys have one hash that to put them into a table takes long."""
    if len(keys) > MAX_ALIKE:
        _, most = Counter(map(hash, keys)).most_common(1)[0]
        if most > MAX_ALIKE:
            raise TooMuch(f"a dict or set of more than {MAX_ALIKE} keys with the same hash")
