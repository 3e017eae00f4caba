"""Starting the warm process that submissions are forked from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from autograder.host import gpus
from autograder.judge.kernel import Kernel, KernelDied
from autograder.judge.zygote import Zygote
from autograder.sandbox import probe
from autograder.sandbox.policy import OWN_LIBRARY, Library, Packages, Policy, SandboxError
from cs231n_lib.data import spritecifar
from cs231n_lib.data.cache import CACHE_VARIABLE, cache_dir
from cs231n_lib.data.folders import DATA_VARIABLE
from cs231n_lib.scale import SCALE_VARIABLE, at_scale

TIER_VARIABLE = "CS231N_ISOLATION"

TRIAL = """
import numpy.testing, tempfile
from cs231n_lib.data import load_cifar10
tempfile.TemporaryFile().close()
load_cifar10(num_train=1, num_test=1)[0].shape
"""
TRIAL_ANSWER = "(1, 32, 32, 3)"
# The same in a course that has no such data: its library is there, and NumPy.
OTHER_TRIAL = """
import numpy, numpy.testing, tempfile
import {0} as library
tempfile.TemporaryFile().close()
library.__name__, numpy.zeros((1, 32)).shape
"""
OTHER_ANSWER = "('{0}', (1, 32))"


def start_zygote(
    tier: str | None = None, packages: Packages = "all", library: Library = OWN_LIBRARY
) -> Zygote:
    """A zygote of the best isolation this host offers, or of the tier named.

    It has ``packages`` ready, and gets others ready when they are first asked for.

    ``tier`` defaults to the environment's ``CS231N_ISOLATION``. Raises SandboxError where no
    isolation is to be had: grading never falls back to running unprotected.
    """
    policy = policy_here(tier, packages, library)
    zygote = Zygote(
        policy.tier,
        readable=[Path(path) for path in policy.readable],
        env=policy.env,
        gpu_nodes=policy.gpu_nodes,
        packages=packages,
        trial=try_out,
        library=library,
    )
    return tried_out(zygote)


def policy_here(tier: str | None, packages: Packages, library: Library) -> Policy:
    """How kernels are locked down on this host. Raises SandboxError; see `start_zygote`."""
    wanted = tier or os.environ.get(TIER_VARIABLE) or None
    chosen = probe.choose(wanted)
    if chosen == "none":
        print(
            "\033[1;31mNO ISOLATION: grade nothing with this but solutions you wrote yourself."
            "\033[0m",
            file=sys.stderr,
        )
    elif chosen == "flat" and wanted is None:
        print(
            "Isolation: tier 'flat', that is, Landlock, seccomp and limits without namespaces, "
            f"which is weaker (docs/threat-model.md). {_sentence(probe.why_only_flat())}",
            file=sys.stderr,
        )
    folders, environment = data_for_kernels(library)
    nodes = dict.fromkeys(node for device in gpus.devices()[0] for node in device.nodes)
    return Policy(
        chosen,
        readable=tuple(str(folder.absolute()) for folder in folders),
        env=environment,
        gpu_nodes=tuple(nodes),
        packages=packages,
        library=library,
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def tried_out(zygote: Zygote) -> Zygote:
    """The zygote, closed again where no kernel of it works. Raises SandboxError."""
    try:
        try_out(zygote)
    except BaseException:
        zygote.close()
        raise
    return zygote


def try_out(zygote: Zygote) -> None:
    """Run what every notebook needs in a kernel, so that nobody is graded in a broken one."""
    code, answer = TRIAL, TRIAL_ANSWER
    library = zygote.library
    if library.folder:
        code, answer = OTHER_TRIAL.format(library.name), OTHER_ANSWER.format(library.name)
    kernel = Kernel(zygote.fork())
    try:
        run = kernel.run_cell(code, seconds=60)
        outcome = str(run.outputs)
    except KernelDied as death:
        outcome = f"the kernel {death}"
    finally:
        kernel.close()
    if answer not in outcome:
        what = f"import {library.name}" if library.folder else "run numpy on the data set"
        raise SandboxError("trial", f"a kernel cannot {what}: {outcome[-600:]}")


@contextmanager
def warm_zygote(
    tier: str | None = None, packages: Packages = "all", library: Library = OWN_LIBRARY
) -> Iterator[Callable[[], Zygote]]:
    """A function that gives a live zygote.

    The first is started at once, in the background: it has two seconds of imports before it, and
    so has the caller. One that has died (out of memory, say) is replaced. Where none can be
    started, the function raises SandboxError.
    """
    with ThreadPoolExecutor(1) as pool:
        started = [pool.submit(start_zygote, tier, packages, library)]

        def live() -> Zygote:
            if not started[-1].result().alive:
                started.append(pool.submit(start_zygote, tier, packages, library))
            return started[-1].result()

        try:
            yield live
        finally:
            for future in started:
                with suppress(SandboxError):  # it was told to whoever asked for the zygote
                    future.result().close()


def data_for_kernels(library: Library = OWN_LIBRARY) -> tuple[list[Path], dict[str, str]]:
    """What kernels read the data sets from: folders, and the variables of the data.

    Makes the embedded data set if it is not in the cache yet, beside a real one as well, since
    Model_Compression always takes it: kernels cannot write there, and each would make it anew. A
    course with a library of its own has its data in there.
    """
    environment = {CACHE_VARIABLE: str(cache_dir())}
    environment[SCALE_VARIABLE] = at_scale(embedded="embedded", full="full")  # raises if wrong
    folders = [cache_dir()]
    if given := os.environ.get(DATA_VARIABLE):
        folders.append(Path(given).expanduser().resolve())
        environment[DATA_VARIABLE] = str(folders[-1])
    if not library.folder:
        make_embedded_data()
    return [folder for folder in folders if folder.exists()], environment


def make_embedded_data() -> None:
    """Put the embedded data set into this user's cache, unless it is there."""
    present, total = spritecifar.cached_chunks()
    if present < total:
        print("Making the embedded data set, once (some 20 s) ...", file=sys.stderr)
        spritecifar.load("train")
        spritecifar.load("test")
