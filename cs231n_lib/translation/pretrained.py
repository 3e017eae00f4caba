"""The translators that ship with the course. WEIGHTS.md says how they were made."""

from pathlib import Path
from typing import Literal

from cs231n_lib.models.weights import Network, WeightFile, fill, shipped

FOLDER = Path(__file__).parent
Kind = Literal["fixed", "additive"]
WEIGHTS: dict[Kind, WeightFile] = {
    "fixed": shipped(
        "fixed_vector.pt",
        sha256="b12e6a0b466b46bcf9b7cb43726ad3eaa65bc944f62814caf79f43236a9e80d3",
    ),
    "additive": shipped(
        "additive_attention.pt",
        sha256="a41973b48c59e7b7ca82477521235ba12da00485d467258c465c8e6b64d48cd4",
    ),
}


def load_pretrained(translator: Network, kind: Kind) -> Network:
    """Fill a translator of the notebook, of its default sizes, with the shipped weights.

    Returns it, in evaluation mode. Raises DataError when the file is damaged or another one, or
    when the layers have other names or shapes: then nothing of it is changed.
    """
    file = WEIGHTS[kind]
    advice = "Keep the vocabularies, sizes and names of layers that the notebook has."
    return fill(translator, FOLDER / file.name, file, advice)
