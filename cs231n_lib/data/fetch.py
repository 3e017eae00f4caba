"""Download the real CIFAR-10: checksum, progress, resume, and never half a data set in place."""

import shutil
import tarfile
import tempfile
from pathlib import Path

import pooch
import requests
from tqdm.auto import tqdm

from cs231n_lib.data.cache import cache_dir
from cs231n_lib.data.cifar10 import find_cifar10
from cs231n_lib.errors import DataError

CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10_HASH = "md5:c58f30108f718f92721af3b95e74349a"  # as published on that page
ARCHIVE_BYTES = 170_498_071
EXTRACTED_BYTES = 186_000_000
FOLDER = "cifar-10-batches-py"
_TIMEOUT = 30  # seconds of silence


def fetch_cifar10(
    folder: Path | None = None, *, url: str = CIFAR10_URL, known_hash: str = CIFAR10_HASH
) -> Path:
    """Download CIFAR-10 into ``folder`` (default: the user cache) and return the batches' folder.

    Does nothing when it is there already. An interrupted download continues where it stopped.
    Raises DataError when offline, when the file is not the published one, when the disk is full or
    the folder cannot be written.
    """
    folder = cache_dir() if folder is None else folder
    target = folder / FOLDER
    if target.is_dir():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _require_space(folder)
        archive = Path(
            pooch.retrieve(
                url,
                known_hash,
                fname="cifar-10-python.tar.gz",
                path=folder,
                downloader=_download_resuming,  # pyright: ignore[reportArgumentType]
            )
        )
        _extract(archive, target)
        archive.unlink()
    except requests.exceptions.RequestException as error:
        raise DataError(
            f"{url}: could not be downloaded ({_reason(error)}). Check the connection and run the "
            "command again: it continues where it stopped. The notebooks work meanwhile, on the "
            f"built-in images; or copy {FOLDER} from elsewhere into {folder}."
        ) from error
    except ValueError as error:  # pooch: another hash; it has removed the file
        raise DataError(
            f"{url}: not the published CIFAR-10 (its checksum differs), so it was deleted. Run the "
            "command again; if it fails again, something between you and that site changes files."
        ) from error
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{url}: the archive cannot be unpacked ({error}).") from error
    except OSError as error:
        raise DataError(
            f"{error.filename or folder}: {error.strerror or error}. Free some space or choose a "
            "folder you may write with --to or the variable CS231N_CACHE."
        ) from error
    return target


def installed() -> Path | None:
    """The folder of the real CIFAR-10 that the loaders would use, or None."""
    files = find_cifar10()
    return files.folder if files else None


def _require_space(folder: Path) -> None:
    needed, free = ARCHIVE_BYTES + EXTRACTED_BYTES, shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(
            f"{folder}: {free // 10**6} MB free, {needed // 10**6} MB needed. Free some space or "
            "choose another folder with --to or the variable CS231N_CACHE."
        )


def _download_resuming(url: str, output_file: str, _pooch: object) -> None:
    """Download as pooch wants it, through ``NAME.part``, which an interruption leaves behind."""
    part = Path(output_file).with_name("cifar-10-python.tar.gz.part")
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # the file as it is, to count its bytes
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(url, stream=True, timeout=_TIMEOUT, headers=headers) as response:
        finished = have and response.status_code == requests.codes.requested_range_not_satisfiable
        if not finished:
            response.raise_for_status()
            if response.status_code != requests.codes.partial_content:
                have = 0  # the server sends it all again
            total = have + int(response.headers.get("Content-Length", 0)) or None
            with (
                part.open("ab" if have else "wb") as file,
                tqdm(total=total, initial=have, unit="B", unit_scale=True, desc="CIFAR-10") as bar,
            ):
                for block in response.iter_content(1 << 16):
                    file.write(block)
                    bar.update(len(block))
    part.replace(output_file)  # pooch checks the hash next, and deletes what is wrong


def _extract(archive: Path, target: Path) -> None:
    """Unpack beside ``target`` and rename: it exists whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as temporary:
        with tarfile.open(archive) as tar:
            tar.extractall(temporary, filter="data")  # refuses paths that lead outside
        unpacked = Path(temporary) / FOLDER
        if not unpacked.is_dir():
            raise tarfile.TarError(f"it holds no folder {FOLDER}")
        unpacked.replace(target)


def _reason(error: requests.exceptions.RequestException) -> str:
    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.Timeout):
        return "the server does not answer"
    return "no connection to the server"
