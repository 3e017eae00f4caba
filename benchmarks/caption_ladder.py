"""The captions' ladder of ``data_ladder.py --captions``: who describes validation scenes how well.

BLEU against the five references of each image, greedy captions. What must hold, or the exit status
is 1: a captioner that sees nothing is far below one that sees; the caption of the most similar
training image is in between; and nothing reaches what one person's caption gets from the others.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import caption_rungs as rungs
from caption_rungs import CaptionData, Fit, network

Scores = tuple[float, float]  # BLEU-1, BLEU-4

RANDOM, BLIND, NEAREST = "random training caption", "blind LSTM, 3 epochs", "nearest neighbour"
RNN, LSTM, TRANSFORMER = "vanilla RNN, 5 epochs", "LSTM, 5 epochs", "Transformer, 5 epochs"
PERSON = "one reference against four"
FAR_BELOW = 0.6  # the blind captioner's BLEU-4 is at most this share of the LSTM's


@dataclass(frozen=True)
class Rung:
    """A way to caption, and whether ``--quick`` leaves it out."""

    name: str
    run: Callable[[CaptionData], Scores]
    is_long: bool = False


LADDER = (
    Rung(RANDOM, rungs.random_caption),
    Rung(BLIND, network(rungs.lstm, Fit(3, 3e-3), blind=True)),
    Rung(NEAREST, rungs.nearest_caption),
    Rung(RNN, network(rungs.rnn, Fit(5, 2e-3)), is_long=True),
    Rung(LSTM, network(rungs.lstm, Fit(5, 3e-3))),
    Rung(TRANSFORMER, network(rungs.transformer, Fit(5, 1.5e-3)), is_long=True),
    Rung(PERSON, rungs.one_against_four),
)


def climb(data: CaptionData, ladder: list[Rung]) -> dict[str, tuple[Scores, float]]:
    """Run every rung: its scores and the seconds they took, telling on standard error how far."""
    results = {}
    for number, rung in enumerate(ladder, 1):
        print(f"[{number}/{len(ladder)}] {rung.name} ... ", end="", file=sys.stderr, flush=True)
        started = time.process_time()
        scores = rung.run(data)
        results[rung.name] = scores, time.process_time() - started
        print(f"BLEU-4 {scores[1]:.1f}", file=sys.stderr, flush=True)
    return results


def report(results: dict[str, tuple[Scores, float]]) -> list[str]:
    """Print the table; return what is wrong, a line each."""
    print("| captions by | BLEU-1 | BLEU-4 | seconds of CPU |")
    print("| --- | --- | --- | --- |")
    for name, ((one, four), seconds) in results.items():
        print(f"| {name} | {one:.1f} | {four:.1f} | {seconds:.0f} |")
    bleu = {name: scores[1] for name, (scores, _) in results.items()}
    wrong = []
    if bleu[BLIND] > FAR_BELOW * bleu[LSTM]:
        wrong.append(f"{BLIND}: {bleu[BLIND]:.1f}, more than 60 % of the LSTM's {bleu[LSTM]:.1f}")
    if not bleu[BLIND] < bleu[NEAREST] < bleu[LSTM]:
        wrong.append(f"{NEAREST}: {bleu[NEAREST]:.1f} is not between the blind LSTM and the LSTM")
    best = max((bleu[name], name) for name in (RNN, LSTM, TRANSFORMER) if name in bleu)
    if best[0] >= bleu[PERSON]:
        wrong.append(f"{best[1]}: {best[0]:.1f} reaches a person's {bleu[PERSON]:.1f}")
    return wrong
