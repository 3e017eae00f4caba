"""``python -m benchmarks.gpu``: see the package."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks.gpu import classes, kernels, machine, places, verdicts
from benchmarks.gpu.machine import Machine
from benchmarks.gpu.table import Row, table
from benchmarks.measure import ONE_THREAD

Part = Callable[[Machine], Iterator[Row]]
#: In this order: the first forks, which has to be before anything has threads.
PARTS: dict[str, Part] = {
    "places": places.places,
    "starts": kernels.starts,
    "caps": kernels.caps,
    "host-memory": kernels.host_memory,
    "around": kernels.around,
    "asserts": classes.asserts,
    "hogs": classes.hogs,
    "verdicts": verdicts.verdicts,
    "workers": classes.workers,
}
EXTRA = {"workers"}  # only where it is asked for


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description="GPUs for grading, tried on a machine that has one: one table.",
    )
    parser.add_argument("--only", metavar="PARTS", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--workers", action="store_true", help="1 to 16 workers as well")
    parser.add_argument("--dry-run", action="store_true", help="without a GPU: does it work?")
    options = parser.parse_args(arguments)
    chosen = options.only.split(",") if options.only else [p for p in PARTS if p not in EXTRA]
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"--only {','.join(sorted(unknown))}: name some of {', '.join(PARTS)}")
    chosen += ["workers"] * (options.workers and "workers" not in chosen)
    os.environ.update(ONE_THREAD)
    device, why = machine.find(dry=options.dry_run)
    if device is None:
        print(f"Nothing was measured: {why}.", file=sys.stderr)
        return 1
    began, found = time.monotonic(), {}
    for name in (part for part in PARTS if part in chosen):
        print(f"{name} ...", file=sys.stderr)
        found[name] = list(PARTS[name](device))
    if device.dry:
        print("DRY RUN, without a GPU: the figures mean nothing.\n")
    print(machine.described(device), end="\n\n")
    print(table(found.items(), judged=not device.dry))
    print(f"\n{time.monotonic() - began:.0f} s in all.")
    wrong = any(row.right is False for rows in found.values() for row in rows)
    return int(wrong and not device.dry)


if __name__ == "__main__":
    sys.exit(main())
