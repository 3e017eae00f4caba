"""The translators that ship with the course. WEIGHTS.md says how they were made."""

from pathlib import Path
from typing import Literal, TypeVar

from torch import nn

from cs231n_lib.errors import DataError
from cs231n_lib.models.weights import WeightFile, read_weights, shipped

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

Model = TypeVar("Model", bound=nn.Module)


def load_pretrained(translator: Model, kind: Kind) -> Model:
    """Fill a translator of the notebook, of its default sizes, with the shipped weights.

    Returns it, in evaluation mode. Raises DataError when the file is damaged or another one, or
    when the layers have other names or shapes: then nothing of it is changed.
    """
    file = WEIGHTS[kind]
    state = read_weights(FOLDER / file.name, file)
    wanted = {name: tuple(value.shape) for name, value in state.items()}
    found = {name: tuple(value.shape) for name, value in translator.state_dict().items()}
    wrong = sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )
    if wrong:
        first = wrong[0]
        raise DataError(
            f"{file.name} does not fit this translator: {len(wrong)} parameters differ, the first "
            f"is {first}, {found.get(first, 'missing')} here and {wanted.get(first, 'missing')} in "
            "the file. Keep the vocabularies, sizes and names of layers that the notebook has."
        )
    translator.load_state_dict({name: value.float() for name, value in state.items()})
    return translator.eval()
