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
        sha256="4c475cc8058cbe5e32c3ea6ab26c424fc1700040bd30f8bf003796e860374731",
    ),
    "additive": shipped(
        "additive_attention.pt",
        sha256="1d1355b7861ab3df26e3ab4e2b554f009489a9dcd0d5ca952757c609c0c34d98",
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
