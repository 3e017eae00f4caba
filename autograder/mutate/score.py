"""Mutation scores, as numbers, as a table for people and as JSON."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autograder.mutate.run import Measured, Outcome

AUTOMATIC_TARGET = 0.97  # after equivalents
BY_HAND_TARGET = 1.0


@dataclass(frozen=True)
class Score:
    """How many of some mutants were noticed."""

    killed: int
    counted: int  # without equivalents
    equivalent: int = 0

    @property
    def share(self) -> float:
        return self.killed / self.counted if self.counted else 1.0

    def __str__(self) -> str:
        return f"{self.killed}/{self.counted}"


def score(outcomes: Iterable[Outcome]) -> Score:
    """The score of these mutants."""
    chosen = list(outcomes)
    counted = [outcome for outcome in chosen if not outcome.equivalent]
    killed = sum(bool(outcome.killed_by) for outcome in counted)
    return Score(killed, len(counted), len(chosen) - len(counted))


def automatic_score(measured: Measured) -> Score:
    return score(o for o in measured.outcomes if not o.mutant.by_hand)


def by_hand_score(measured: Measured) -> Score:
    return score(o for o in measured.outcomes if o.mutant.by_hand)


def good_enough(measured: Measured) -> bool:
    """Both targets are met, and no entry of equivalent.toml is stale."""
    automatic, by_hand = automatic_score(measured), by_hand_score(measured)
    met = automatic.share >= AUTOMATIC_TARGET and by_hand.share >= BY_HAND_TARGET
    return met and not measured.unused


def survivors(measured: Measured) -> list[Outcome]:
    return [o for o in measured.outcomes if not o.killed_by and not o.equivalent]


def by_function(measured: Measured) -> list[tuple[str, Score, Score]]:
    """(function, score of the automatic mutants, of those by hand), in the notebook's order."""
    names = list(dict.fromkeys(o.mutant.of for o in measured.outcomes if not o.mutant.by_hand))
    names += [o.mutant.of for o in measured.outcomes if o.mutant.of not in names]
    rows = []
    for name in dict.fromkeys(names):
        mine = [o for o in measured.outcomes if o.mutant.of == name]
        automatic = score(o for o in mine if not o.mutant.by_hand)
        rows.append((name, automatic, score(o for o in mine if o.mutant.by_hand)))
    return rows


def by_check(measured: Measured) -> list[tuple[str, str, Score, int]]:
    """(question, check, score, mutants that no other check noticed).

    A check's score counts the mutants of the functions that its question depends on.
    """
    counted = [outcome for outcome in measured.outcomes if not outcome.equivalent]
    asked = Counter(question for outcome in counted for question in outcome.questions)
    noticed = Counter(key for outcome in counted for key in outcome.killed_by)
    alone = Counter(o.killed_by[0] for o in counted if len(o.killed_by) == 1)
    return [
        (*key, Score(noticed[key], max(asked[key[0]], noticed[key])), alone[key])
        for key in measured.checks
    ]


def diff(outcome: Outcome) -> str:
    """The lines that differ."""
    before, after = outcome.mutant.before.split("\n"), outcome.mutant.after.split("\n")
    lines = list(difflib.unified_diff(before, after, lineterm="", n=0))
    return "\n".join(line for line in lines[2:] if not line.startswith("@@"))


def to_dict(measured: Measured) -> dict[str, Any]:
    """JSON-ready data: scores, and every mutant with what became of it."""
    return {
        "assignment": measured.assignment,
        "notebook": measured.notebook,
        "automatic": asdict(automatic_score(measured)),
        "by_hand": asdict(by_hand_score(measured)),
        "checks": [
            {"question": question, "check": check, **asdict(noticed), "alone": alone}
            for question, check, noticed, alone in by_check(measured)
        ],
        "mutants": [
            {
                "of": o.mutant.of,
                "what": o.mutant.what,
                "by_hand": o.mutant.by_hand,
                "before": o.mutant.before,
                "after": o.mutant.after,
                "killed_by": [f"{question}/{check}" for question, check in o.killed_by],
                "equivalent": o.equivalent,
            }
            for o in measured.outcomes
        ],
        "unused_equivalents": [asdict(entry) for entry in measured.unused],
    }


def markdown(notebooks: Sequence[Measured]) -> str:
    """The tables of docs/mutation.md."""
    parts = ["| notebook | automatic | equivalent | by hand |", "| --- | --- | --- | --- |"]
    for measured in notebooks:
        automatic, by_hand = automatic_score(measured), by_hand_score(measured)
        share = f"{automatic} = {automatic.share:.1%}"
        row = (measured.notebook, share, automatic.equivalent, f"{by_hand} = {by_hand.share:.0%}")
        parts.append(_row(row))
    for measured in notebooks:
        parts += ["", f"## {measured.assignment}/{measured.notebook}", ""]
        parts += [
            "| function or cell | automatic | equivalent | by hand |",
            "| --- | --- | --- | --- |",
        ]
        for name, automatic, by_hand in by_function(measured):
            parts.append(_row((f"`{name}`", automatic, automatic.equivalent, by_hand)))
        parts += [
            "",
            "| question | check | mutants noticed | by it alone |",
            "| --- | --- | --- | --- |",
        ]
        parts += [_row((f"`{q}`", f"`{c}`", n, a)) for q, c, n, a in by_check(measured)]
        if left := survivors(measured):
            parts += ["", "Survivors:", ""]
            for outcome in left:
                text = f"`{outcome.mutant.of}`, {outcome.mutant.what}"
                parts += [f"- {text}:", "", "  ```diff"]
                parts += [f"  {line}" for line in diff(outcome).split("\n")] + ["  ```"]
    return "\n".join(parts) + "\n"


def _row(values: Iterable[object]) -> str:
    return "| " + " | ".join(str(value) for value in values) + " |"
