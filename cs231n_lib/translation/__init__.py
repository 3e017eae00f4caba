"""What the notebook on translation needs: sentences in English and French, scores, pictures.

The sentences come from a grammar of our own (`sentences.py` and what it imports); a file with pairs
of sentences can take their place (`read_corpus`).
"""

from cs231n_lib.translation.corpus import (
    Batches,
    Corpus,
    Vocabulary,
    fresh_pairs,
    generated_corpus,
    padded,
    read_corpus,
)
from cs231n_lib.translation.french import detokenize, tokenize
from cs231n_lib.translation.memory import Memory
from cs231n_lib.translation.pictures import draw_attention
from cs231n_lib.translation.pretrained import load_pretrained
from cs231n_lib.translation.scores import Score, score, score_by_length
from cs231n_lib.translation.sentences import Pair

__all__ = [
    "Batches", "Corpus", "Memory", "Pair", "Score", "Vocabulary", "detokenize", "draw_attention",
    "fresh_pairs", "generated_corpus", "load_pretrained", "padded", "read_corpus", "score",
    "score_by_length", "tokenize",
]  # fmt: skip
