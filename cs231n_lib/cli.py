"""The ``cs231n`` command. Exit status: 0 done, 1 a problem (and which one), 2 wrong use."""

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cs231n_lib.data import cifar10, spritecifar
from cs231n_lib.data.cache import CACHE_VARIABLE, cache_dir
from cs231n_lib.data.coco_files import find_coco
from cs231n_lib.data.folders import DATA_VARIABLE
from cs231n_lib.data.mnist import find_mnist
from cs231n_lib.device import describe_device
from cs231n_lib.errors import CourseError

GRADED_WITH = (3, 11)  # the Python that reads what students hand in
PACKAGES = ("numpy", "scipy", "matplotlib", "pooch")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    for stream in (sys.stdout, sys.stderr):  # Windows pipes may know no more than cp1252
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except CourseError as error:
        print(f"cs231n: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncs231n: interrupted; no partial files are left behind", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cs231n", description="Manage the course's data and check your set-up."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    doctor = commands.add_parser("doctor", help="check Python, packages, data, GPU and cache")
    doctor.set_defaults(run=_doctor)
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
    return parser


def _doctor(_options: argparse.Namespace) -> int:
    """Print one line a finding; status 1 when something needed is missing."""
    problems = []
    print(f"Python     {platform.python_version()} on {platform.platform()}")
    if sys.version_info[:2] > GRADED_WITH:
        print(f"note:      {newer_python()}")
    for package in PACKAGES:
        try:
            print(f"{package:<10} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            print(f"{package:<10} missing")
            problems.append(f"{package} is missing: pip install {package}")
    print(f"device     {describe_device()}")
    writable = _writable(cache_dir())
    print(f"cache      {cache_dir()}{'' if writable else ' (not writable: images are not kept)'}")
    try:
        print(f"CIFAR-10   {_describe_cifar10()}")
        print(f"captions   {_describe_captions()}")
        print(f"digits     {_describe_digits()}")
    except CourseError as error:
        problems.append(str(error))
    for problem in problems:
        print(f"problem:   {problem}")
    print("Something needs attention." if problems else "All is well.")
    return 1 if problems else 0


def newer_python() -> str:
    """What to mind with a Python that is newer than the one used for grading."""
    theirs, ours = (f"{major}.{minor}" for major, minor in (GRADED_WITH, sys.version_info[:2]))
    return (
        f"the course is graded with Python {theirs}, which does not know what is new in {ours}: in "
        "f-strings, for example, use other quotes inside than outside"
    )


def _info(_options: argparse.Namespace) -> int:
    print(f"CIFAR-10: {_describe_cifar10()}")
    print(f"captions: {_describe_captions()}")
    print(f"digits: {_describe_digits()}")
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


def _describe_cifar10() -> str:
    files = cifar10.find_cifar10()
    if files is None:
        return "built-in SpriteCIFAR (for the photographs: cs231n data fetch cifar10)"
    missing = [path.name for path in files.train + files.test if not path.is_file()]
    if missing:
        raise cifar10.DataError(f"{files.folder}: {', '.join(missing)} missing. {cifar10.REMEDY}")
    return f"the real data set, {files.format} version, in {files.folder}"


def _describe_captions() -> str:
    folder = find_coco()
    if folder is None:
        return "built-in SpriteScenes (COCO's files go into a folder coco_captioning)"
    return f"COCO's, in {folder}"


def _describe_digits() -> str:
    folder = find_mnist()
    if folder is None:
        return "built-in, 5,000 of MNIST's (its own files go into a folder mnist)"
    return f"MNIST's files, in {folder}"


def _writable(folder: Path) -> bool:
    """Whether the folder, or the nearest existing one above it, may be written."""
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    return os.access(existing, os.W_OK)


if __name__ == "__main__":
    sys.exit(main())
