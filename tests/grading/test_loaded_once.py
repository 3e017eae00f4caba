"""What is loaded once for all kernels: each gets what it would get without, and a copy of its own.

The warm process has it at hand from its first fork that asks for it. No kernel can tell, and none
can change what the next one sees.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from autograder.judge.kernel import Kernel, KernelDied, KernelLimits
from autograder.judge.warm import data_for_kernels
from autograder.judge.zygote import Zygote
from autograder.notebook.template import load_template
from autograder.sandbox.policy import Tier
from cs231n_lib.prepared import NAMED_BY
from tests.little import ROOT

LIMITS = KernelLimits(cell_seconds=60)
MIB = 1 << 20

# What students do with the data, and a description of all that they then hold.
LOADED = """
import hashlib, json, numpy as np, torch
from cs231n_lib import data
from cs231n_lib.features import color_histogram_hsv, extract_features, hog_feature
from cs231n_lib.models import load_pretrained
from cs231n_lib.simclr import pretrained_model
from cs231n_lib.torch_data import cifar10_sets

def described(value):
    if isinstance(value, dict):
        return {str(name): described(one) for name, one in value.items()}
    if isinstance(value, (tuple, list)) and not isinstance(value[0], str):
        return [described(one) for one in value]
    if isinstance(value, torch.Tensor):
        kind = [str(value.dtype), value.stride(), value.requires_grad, value.is_leaf]
        return kind + described(value.detach().numpy())
    if isinstance(value, np.ndarray):
        flags = value.flags
        sums = hashlib.sha256(np.ascontiguousarray(value)).hexdigest()
        kind = [value.dtype.str, value.shape, value.strides, flags.owndata, flags.writeable]
        return [*kind, flags.c_contiguous, flags.f_contiguous, flags.aligned, sums]
    return hashlib.sha256(str(value).encode()).hexdigest()

def features(images):
    bins = 10
    return [
        extract_features(images, [hog_feature, lambda im: color_histogram_hsv(im, nbin=bins)]),
        hog_feature(images), color_histogram_hsv(images), hog_feature(images[3]),
        color_histogram_hsv(images[3]),
    ]

everything = data.load_cifar10(dtype=np.uint8)
cases = {
    "floats": data.load_cifar10(num_train=1500, num_test=700),
    "bytes": everything,
    "split": data.get_CIFAR10_data(num_training=300, num_validation=50, num_test=60),
    "rows": features(everything[0][19_000:19_333]) + features(everything[2][7:50]),
    "captions": data.load_coco_data(),
    "few": data.load_coco_data(max_train=50),
    "classifier": load_pretrained().model.state_dict(),
    "encoder": list(pretrained_model().parameters()),
    "sets": [(one.X, one.y) for one in cifar10_sets(300, 50, 60)],
}
sums = {name: described(case) for name, case in cases.items()}
"""
# A kernel that has everything at hand needs none of this.
NOTHING_IS_READ = """
import numpy as np, torch
from cs231n_lib.data import spritecifar
def nobody(*args, **kwargs):
    raise AssertionError("this was at hand")
np.load = torch.load = spritecifar.render_chunk = nobody
"""
# Ordinary and less ordinary changes, of all that a kernel can get hold of.
CHANGES = """
import numpy as np
from cs231n_lib import data, features, prepared
from cs231n_lib.models import load_pretrained
X, y, X_test, y_test = data.load_cifar10(dtype=np.uint8)
X[:], y[:] = 0, 0
data.load_coco_data()["train_features"][:] = 0
features.hog_feature(X_test[:10])[:] = 0
for parameter in load_pretrained().model.parameters():
    parameter.zero_()
held = dict(prepared._at_hand)
state = next(things["state"] for things in held.values() if "state" in things)
for tensor in state.values():
    tensor.zero_()
refused = 0
for things in held.values():
    for array in things.values():
        if isinstance(array, np.ndarray):
            for change in (lambda: array.fill(0), lambda: array.setflags(write=True)):
                try:
                    change()
                except ValueError:
                    refused += 1
prepared.clear()
prepared.put("captions", {name: np.zeros(3) for name in data.coco.ARRAYS})
data.load_cifar10 = data.coco._read_embedded = features.hog_feature = None
print(len(held), refused)
"""
# Past Python: the pages themselves.
WRITES_TO_PAGES = """
import ctypes
from cs231n_lib import prepared
array = prepared.get("captions")["train_features"]
libc = ctypes.CDLL(None, use_errno=True)
page = array.ctypes.data & ~4095
print("may not" if libc.mprotect(ctypes.c_void_p(page), 4096, 3) else "may")
try:
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(array.ctypes.data)
        memory.write(bytes(64))
except OSError:
    print("refused")
"""


def printed(kernel: Kernel, source: str) -> str:
    run = kernel.run_cell(source)
    assert run.ok, run.outputs
    return "".join(output.get("text", "") for output in run.outputs)


@contextmanager
def fork(zygote: Zygote, *prepared: str) -> Iterator[Kernel]:
    kernel = Kernel(zygote.fork(prepared=prepared), LIMITS)
    try:
        yield kernel
    finally:
        kernel.close()


def loaded(kernel: Kernel) -> tuple[str, dict[str, object]]:
    """What was printed on the way, and a description of every case."""
    said = printed(kernel, LOADED)
    return said, json.loads(printed(kernel, "print(json.dumps(sums))"))


@pytest.fixture(scope="module")
def without(zygote: Zygote) -> tuple[str, dict[str, object]]:
    """As a kernel gets it that has nothing at hand."""
    with fork(zygote) as kernel:
        printed(kernel, "from cs231n_lib import prepared; prepared.clear()")
        return loaded(kernel)


def test_a_kernel_gets_the_same_as_without_whatever_others_did(
    zygote: Zygote, without: tuple[str, dict[str, object]]
) -> None:
    with fork(zygote, *NAMED_BY) as kernel:
        held, refused = map(int, printed(kernel, CHANGES).splitlines()[-1].split())
        assert held == 7  # two splits, their features, captions, three files of weights
        assert refused == 2 * (2 + 2 + 8)
    with fork(zygote, *NAMED_BY) as kernel:
        assert printed(kernel, WRITES_TO_PAGES) == "may not\nrefused\n"
    with fork(zygote, *NAMED_BY) as kernel, pytest.raises(KernelDied, match="SIGSEGV"):
        kernel.run_cell(WRITES_TO_PAGES + "ctypes.memset(array.ctypes.data, 0, 64)")
    with fork(zygote, *NAMED_BY) as kernel:
        assert printed(kernel, NOTHING_IS_READ) == ""
        said, sums = loaded(kernel)
    expected, expected_sums = without
    assert said == expected
    assert "SpriteCIFAR" in said
    for name, case in expected_sums.items():
        assert sums[name] == case, name


ROOM = """
import resource
from pathlib import Path
from typing import cast
used = {line.split(":")[0]: line for line in Path("/proc/self/status").read_text().splitlines()}
def left(limit, name):
    return resource.getrlimit(limit)[0] - (int(used[name].split()[1]) << 10)
print(left(resource.RLIMIT_DATA, "VmData"), left(resource.RLIMIT_AS, "VmSize"))
"""
IN_NUMPY = ("cifar10", "features", "captions")
EVERYTHING = """
from cs231n_lib import prepared
arrays = [array for things in prepared._at_hand.values() for array in things.values()]
arrays = [array for array in arrays if hasattr(array, "nbytes")]
arrays += [array for known in prepared.get("features")["known"] for array in known.results.values()]
print(sum(array.nbytes for array in arrays), sum(int(array.view("u1").max()) for array in arrays))
"""


def test_what_is_at_hand_takes_none_of_a_students_memory(zygote: Zygote) -> None:
    folders, environment = data_for_kernels()
    tier = cast(Tier, zygote.tier)
    with Zygote(tier, readable=folders, env=environment, warm=False) as fresh:
        rooms = []
        for prepared in ((), IN_NUMPY):
            with fork(fresh, *prepared) as kernel:
                printed(kernel, "import cs231n_lib.prepared.contents")
                rooms.append([int(number) for number in printed(kernel, ROOM).split()])
        assert all(before - after < 2 * MIB for before, after in zip(*rooms, strict=True))
    with fork(zygote, *NAMED_BY) as kernel:
        limit = int(
            printed(kernel, "import resource; print(resource.getrlimit(resource.RLIMIT_DATA)[0])")
        )
        assert limit - LIMITS.memory_bytes > 15 * MIB  # the weights are no mapped files
        sandbox = kernel.sandbox
        own = [sandbox.private_bytes(exact=exact) for exact in (False, True)]
        size = int(printed(kernel, EVERYTHING).split()[0])
        assert size > 90 * MIB
        grown = [sandbox.private_bytes(exact=exact) for exact in (False, True)]
        assert all(b - a < 8 * MIB for b, a in zip(grown, own, strict=True))


def test_the_process_that_is_forked_stays_without_threads(zygote: Zygote) -> None:
    with fork(zygote, *NAMED_BY):
        assert len(list(Path(f"/proc/{zygote.pid}/task").iterdir())) == 1


def test_a_notebook_has_at_hand_what_its_code_names() -> None:
    """Every loader of the lessons is known, and a notebook asks for no more than it uses."""
    wanted = {
        name: load_template(ROOT, *name.split("/")).prepared()
        for name in (
            *("assignment1/features", "assignment1/svm", "assignment2/Style_Transfer"),
            *("assignment3/Transformer_Captioning", "assignment3/Self_Supervised_Learning"),
            "assignment3/Generative_Adversarial_Networks",
            *("assignment4/DDPM", "assignment4/CLIP_DINO", "assignment4/Seq2Seq_Attention"),
        )
    }
    assert wanted == {
        "assignment1/features": ("cifar10", "features"),
        "assignment1/svm": ("cifar10",),
        "assignment2/Style_Transfer": ("imagenet-weights",),
        "assignment3/Transformer_Captioning": ("cifar10", "captions"),
        "assignment3/Self_Supervised_Learning": ("cifar10", "simclr-weights"),
        "assignment3/Generative_Adversarial_Networks": (),
        "assignment4/DDPM": (),
        "assignment4/CLIP_DINO": ("imagenet-weights", "clip-weights"),
        "assignment4/Seq2Seq_Attention": (),
    }


def test_a_cache_in_memory_is_not_mapped() -> None:
    """Its pages would count as the student's own."""
    code = (
        "import sys; from cs231n_lib import prepared; from autograder.judge.prepare import prepare;"
        "from autograder.sandbox.at_hand import AtHand; prepare(['captions']);"
        "AtHand({}).load(['captions']); print(prepared.get('captions') is not None)"
    )
    for folder, expected in (("/dev/shm", "False"), (None, "True")):
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            run = subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "CS231N_CACHE": cache},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        assert run.stdout.split() == [expected]
