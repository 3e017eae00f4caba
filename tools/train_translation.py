"""Train the translators that ship with the course, one with a fixed vector, one with attention.

    OMP_NUM_THREADS=1 .venv/bin/python tools/train_translation.py OUT      # about 5 minutes
    .venv/bin/python tools/train_translation.py OUT --epochs 1 --pairs 500   # a trial

The model and the step of training are those of our solution, loaded from the notebook; this script
holds no other. Writes OUT/fixed_vector.pt and OUT/additive_attention.pt, state dicts in float16,
and OUT/results.json: settings, losses, seconds, SHA-256, and scores on the test sets. To ship them,
copy the files to cs231n_lib/translation/ and their SHA-256 into pretrained.py and WEIGHTS.md there.
"""

import argparse
import hashlib
import json
import time
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from cs231n_lib.notebooks import load
from cs231n_lib.translation import (
    Batches,
    Corpus,
    Vocabulary,
    generated_corpus,
    padded,
    score,
)
from cs231n_lib.translation.pretrained import WEIGHTS, Kind

NOTEBOOKS = Path(__file__).parents[1] / "source" / "assignment4"
RESULTS = "results.json"
Words = tuple[Vocabulary, Vocabulary]
LEARNING_RATE, BATCH_SIZE, SEED = 4e-3, 64, 0


def train(
    notebook: ModuleType, translator: nn.Module, corpus: Corpus, words: Words,
    epochs: int,
) -> list[float]:  # fmt: skip
    """Adam with one cycle of the learning rate. Returns the mean loss of each pass."""
    batches = Batches(corpus.train, *words, batch_size=BATCH_SIZE, seed=SEED)
    optimizer = torch.optim.Adam(translator.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=epochs * len(batches)
    )
    history: list[float] = []
    translator.train()
    for epoch in range(epochs):
        losses: list[float] = []
        for source, target in batches:
            losses.append(notebook.training_step(translator, optimizer, source, target))
            schedule.step()
        history.append(round(sum(losses) / len(losses), 4))
        print(f"pass {epoch + 1:2} of {epochs}: loss {history[-1]:.4f}", flush=True)
    return history


@torch.no_grad()
def scores(
    notebook: ModuleType, translator: Any, corpus: Corpus, words: Words
) -> dict[str, list[float]]:
    """For each test set: right word for word, and BLEU."""
    english, french = words
    found: dict[str, list[float]] = {}
    for name in ("val", "test", "new", "long"):
        pairs = getattr(corpus, name)
        source = padded([english.encode(pair.english) for pair in pairs], english.pad)
        memory, s = translator.eval().encode(source)
        step = partial(translator.step, memory)
        rows = notebook.greedy_decode(step, s, french.start, french.end, 60)
        values = score([french.decode(row) for row in rows], pairs)
        found[name] = [round(values.exact, 1), round(values.bleu, 1)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the translators of the course.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--pairs", type=int, default=20_000)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    notebook = load("Seq2Seq_Attention", NOTEBOOKS)
    everything = generated_corpus()
    words = (
        Vocabulary([pair.english for pair in everything.train]),
        Vocabulary([pair.french for pair in everything.train]),
    )
    chosen = everything.train[: arguments.pairs]
    corpus = Corpus(chosen, everything.val, everything.test, everything.long, everything.new)
    sizes = len(words[0]), len(words[1])
    results: dict[str, Any] = {
        "settings": {
            "pairs": len(chosen), "epochs": arguments.epochs, "learning_rate": LEARNING_RATE,
            "batch_size": BATCH_SIZE, "seed": SEED,
        }
    }  # fmt: skip
    kinds: dict[Kind, Any] = {
        "fixed": notebook.Translator, "additive": notebook.AttentionTranslator
    }  # fmt: skip
    for kind, make in kinds.items():
        torch.manual_seed(SEED)
        started = time.process_time()
        translator = make(*sizes)
        losses = train(notebook, translator, corpus, words, arguments.epochs)
        path = arguments.out / WEIGHTS[kind].name
        torch.save({name: value.half() for name, value in translator.state_dict().items()}, path)
        results[kind] = {
            "loss": losses,
            "seconds": round(time.process_time() - started),
            "scores": scores(notebook, translator, corpus, words),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        print(kind, json.dumps(results[kind]), flush=True)
        (arguments.out / RESULTS).write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
