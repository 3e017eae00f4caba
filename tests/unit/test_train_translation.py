"""The script that trains the shipped translators, and what the shipped ones can do."""

import hashlib
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch

from cs231n_lib.notebooks import load
from cs231n_lib.translation import Vocabulary, generated_corpus, load_pretrained, padded, score
from cs231n_lib.translation.pretrained import WEIGHTS, Kind

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    yield __import__("train_translation")
    sys.modules.pop("train_translation", None)


def test_a_trial_writes_weights_and_what_they_are_worth(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["train_translation.py", str(tmp_path), "--epochs", "1", "--pairs", "64"]
    monkeypatch.setattr(sys, "argv", arguments)
    script.main()
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert results["settings"]["pairs"] == 64
    for kind, file in WEIGHTS.items():
        content = (tmp_path / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == results[kind]["sha256"]
        state = torch.load(tmp_path / file.name, weights_only=True)
        assert {value.dtype for value in state.values()} == {torch.float16}
        assert set(results[kind]["scores"]) == {"val", "test", "new", "long"}


def test_the_shipped_translators_fit_the_corpus_and_our_solution() -> None:
    """Whoever changes the grammar has to train anew: with attention, nearly all is right."""
    notebook = load("Seq2Seq_Attention", ROOT / "source" / "assignment4")
    corpus = generated_corpus()
    english = Vocabulary([pair.english for pair in corpus.train])
    french = Vocabulary([pair.french for pair in corpus.train])
    pairs = corpus.test[:60]
    source = padded([english.encode(pair.english) for pair in pairs], english.pad)
    kinds: dict[Kind, type] = {
        "fixed": notebook.Translator,
        "additive": notebook.AttentionTranslator,
    }
    exact = {}
    for kind, make in kinds.items():
        translator = load_pretrained(make(len(english), len(french)), kind)
        with torch.no_grad():
            memory, s = translator.encode(source)
            rows = notebook.greedy_decode(partial(translator.step, memory), s, 1, 2, 40)
        exact[kind] = score([french.decode(row) for row in rows], pairs).exact
    assert exact["additive"] > 85
    assert 30 < exact["fixed"] < 70
