"""The limit of `overhead`: what remains when kernels, files, checks and gradebook cost nothing.

    python -m benchmarks.warm_cells CELLS.json COUNT

Executes the cells so many times, each time in a fork of this process, which has all that they
import. Says "warm" when it begins, and "done" after each fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib

PACKAGES = ("numpy", "scipy.spatial.distance", "torch", "matplotlib.pyplot")
PACKAGES += ("cs231n_lib.data", "cs231n_lib.plotting", "cs231n_lib.timing")


def main() -> None:
    cells, count = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    matplotlib.use("agg")
    for package in PACKAGES:
        importlib.import_module(package)
    gc.collect()
    gc.freeze()
    print("warm", flush=True)
    for _ in range(count):
        child = os.fork()
        if child == 0:
            space = {"__name__": "__main__"}
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
                for source in cells:
                    exec(compile(source, "cell", "exec"), space)
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            sys.exit("a cell failed")
        print("done", flush=True)


if __name__ == "__main__":
    main()
