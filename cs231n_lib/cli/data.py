"""``cs231n data``: which data sets there are, and where."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from cs231n_lib.data import cifar10, spritecifar
from cs231n_lib.data.cache import CACHE_VARIABLE
from cs231n_lib.data.coco_files import find_coco
from cs231n_lib.data.folders import DATA_VARIABLE
from cs231n_lib.data.mnist import find_mnist


def add_to(commands: Any) -> None:
    """Add the command and its actions."""
    data = commands.add_parser("data", help="inspect, fetch or prepare data sets")
    actions = data.add_subparsers(title="actions", metavar="ACTION", required=True)
    info = actions.add_parser("info", help="which data the notebooks use, and where they are")
    info.set_defaults(run=_info)
    fetch = actions.add_parser("fetch", help="download a real data set (CIFAR-10: 170 MB)")
    fetch.add_argument("name", choices=["cifar10"], help="which data set")
    fetch.add_argument("--to", type=Path, metavar="FOLDER", help="default: the cache folder")
    fetch.add_argument("--url", help="a mirror of the published file (its checksum must match)")
    fetch.set_defaults(run=_fetch)
    make = actions.add_parser("make", help="generate the built-in images now, not on first use")
    make.set_defaults(run=_make)


def _info(_options: argparse.Namespace) -> int:
    print(f"CIFAR-10: {describe_cifar10()}")
    print(f"captions: {describe_captions()}")
    print(f"digits: {describe_digits()}")
    present, count = spritecifar.cached_chunks()
    print(f"built-in images: {present} of {count} parts ready in {spritecifar.cache_folder()}")
    print(
        f"{DATA_VARIABLE}: {os.environ.get(DATA_VARIABLE) or 'not set'}; "
        f"{CACHE_VARIABLE}: {os.environ.get(CACHE_VARIABLE) or 'not set'}"
    )
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from cs231n_lib.data import fetch  # here: its network libraries take a while to import

    target = fetch.fetch_cifar10(options.to, url=options.url or fetch.CIFAR10_URL)
    print(f"CIFAR-10 is in {target}")
    if options.to is not None:
        print(f"Set {DATA_VARIABLE} to {options.to.resolve()} for the notebooks to find it.")
    return 0


def _make(_options: argparse.Namespace) -> int:
    start = time.perf_counter()
    for split in spritecifar.SIZES:
        spritecifar.load(split)
    present, count = spritecifar.cached_chunks()
    if present < count:
        print(
            f"cs231n: {spritecifar.cache_folder()} cannot be written, so the images are not kept; "
            f"point {CACHE_VARIABLE} to a folder of yours",
            file=sys.stderr,
        )
        return 1
    seconds = time.perf_counter() - start
    print(f"22,000 images are in {spritecifar.cache_folder()} ({seconds:.1f} s)")
    return 0


def describe_cifar10() -> str:
    """Which images the notebooks use. Raises DataError where files are missing."""
    files = cifar10.find_cifar10()
    if files is None:
        return "built-in SpriteCIFAR (for the photographs: cs231n data fetch cifar10)"
    missing = [path.name for path in files.train + files.test if not path.is_file()]
    if missing:
        raise cifar10.DataError(f"{files.folder}: {', '.join(missing)} missing. {cifar10.REMEDY}")
    return f"the real data set, {files.format} version, in {files.folder}"


def describe_captions() -> str:
    """Which captions the notebooks use."""
    folder = find_coco()
    if folder is None:
        return "built-in SpriteScenes (COCO's files go into a folder coco_captioning)"
    return f"COCO's, in {folder}"


def describe_digits() -> str:
    """Which digits the notebooks use."""
    folder = find_mnist()
    if folder is None:
        return "built-in, 5,000 of MNIST's (its own files go into a folder mnist)"
    return f"MNIST's files, in {folder}"
