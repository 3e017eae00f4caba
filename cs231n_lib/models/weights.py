"""Weight files: where they lie, whether they are the right ones, and reading them safely."""

import copy
import hashlib
import io
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from cs231n_lib import prepared
from cs231n_lib.errors import DataError
from cs231n_lib.extras import WHERE

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class WeightFile:
    """A published file of weights.

    sha256: the beginning of its hash, all 64 digits where they are known.
    remedy: what to do where it is missing or is another file.
    """

    name: str
    sha256: str
    remedy: str


def shipped(name: str, sha256: str) -> WeightFile:
    """Weights that are a file of this package."""
    return WeightFile(
        name,
        sha256,
        remedy="It comes with the package: install cs231n-course again (`pip install "
        f"--force-reinstall --no-deps .` {WHERE}), or, in a checkout, `git checkout` the file.",
    )


def read_weights(path: Path, file: WeightFile) -> dict[str, Tensor]:
    """Read a state dict on the CPU. The hash is checked first, and no code in the file is run.

    What is hashed is what is read: the file is opened once.
    Raises DataError when it is missing, another one than published, or no state dict.
    """
    if at_hand := prepared.get(name_at_hand(path, file)):
        return copy.deepcopy(at_hand["state"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}). {file.remedy}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(file.sha256):
        raise DataError(
            f"{path}: not the published weights (its SHA-256 begins with {found[:8]}, theirs with "
            f"{file.sha256[:8]}), so they were not loaded. {file.remedy}"
        )
    try:
        state: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(f"{path}: holds more than weights, or is damaged. {file.remedy}") from error
    if not (isinstance(state, dict) and all(isinstance(v, Tensor) for v in state.values())):
        raise DataError(f"{path}: is not a state dict of tensors. {file.remedy}")
    return state


def fill(network: Network, path: Path, file: WeightFile, advice: str) -> Network:
    """Give a network somebody else has written the weights of a file; it, in evaluation mode.

    Raises DataError where ``read_weights`` does, and when layers have other names or shapes: then
    nothing of the network is changed, and ``advice`` says what to do.
    """
    state = read_weights(path, file)
    wanted = {name: tuple(value.shape) for name, value in state.items()}
    found = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    wrong = sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )
    if wrong:
        first = wrong[0]
        raise DataError(
            f"{file.name} does not fit this network: {len(wrong)} parameters differ, the first is "
            f"{first}, {found.get(first, 'missing')} here and {wanted.get(first, 'missing')} in "
            f"the file. {advice}"
        )
    network.load_state_dict({name: value.float() for name, value in state.items()})
    return network.eval()


def name_at_hand(path: Path, file: WeightFile) -> str:
    """What the weights of this file are called among what is prepared."""
    return f"{file.name} {file.sha256} {path}"


def torch_cache() -> Path:
    """Where torch.hub, and so torchvision, keeps downloaded weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def data_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, if it names one."""
    chosen = os.environ.get(variable)
    return Path(chosen).expanduser() if chosen else None
