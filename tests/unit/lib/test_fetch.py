"""The download, against a server of our own on this machine; no test talks to a real host."""

import hashlib
import io
import re
import socket
import tarfile
import threading
from collections import namedtuple
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cifar_files import NAMES, write_python

from cs231n_lib.data import fetch
from cs231n_lib.data.cifar10 import find_cifar10
from cs231n_lib.errors import DataError

PART = "cifar-10-python.tar.gz.part"


class Server(ThreadingHTTPServer):
    """Serves ``content`` with ranges; ``status`` other than 200 answers that instead."""

    content = b""
    status = 200
    ranges = True
    requested: list[str | None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/cifar-10-python.tar.gz"


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.requested.append(wanted)
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.server.ranges else 0
        status, body = self.server.status, self.server.content[start:]
        if start and status == 200:
            status = 206 if body else 416
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name above)
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.requested = []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    folder = write_python(tmp_path / "made", 20)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.add(folder, "cifar-10-batches-py")
    return out.getvalue()


def md5(content: bytes) -> str:
    return "md5:" + hashlib.md5(content).hexdigest()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_download_is_unpacked_found_and_not_repeated(
    server: Server, archive: bytes, empty_cache: Path
) -> None:
    server.content = archive
    target = fetch.fetch_cifar10(url=server.url, known_hash=md5(archive))
    assert files_in(empty_cache) == ["cifar-10-batches-py"]
    assert files_in(target) == NAMES
    found = find_cifar10()
    assert found is not None
    assert found.folder == target
    assert fetch.fetch_cifar10(url=server.url, known_hash=md5(archive)) == target
    assert server.requested == [None]


@pytest.mark.parametrize("ranges", [True, False])
def test_interrupted_download_goes_on(
    ranges: bool, server: Server, archive: bytes, empty_cache: Path
) -> None:
    server.content, server.ranges = archive, ranges
    empty_cache.mkdir()
    (empty_cache / PART).write_bytes(archive[:1000])
    target = fetch.fetch_cifar10(url=server.url, known_hash=md5(archive))
    assert files_in(target) == NAMES
    assert server.requested == ["bytes=1000-"]


def test_complete_part_needs_no_more_bytes(
    server: Server, archive: bytes, empty_cache: Path
) -> None:
    server.content = archive
    empty_cache.mkdir()
    (empty_cache / PART).write_bytes(archive)
    assert files_in(fetch.fetch_cifar10(url=server.url, known_hash=md5(archive))) == NAMES


def test_broken_connection_leaves_the_part_for_next_time(
    server: Server, archive: bytes, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = archive
    real_end_headers = Handler.end_headers

    def promise_more(handler: Handler) -> None:
        handler.send_header("Content-Length", str(len(archive) + 5000))
        real_end_headers(handler)

    def send_header(handler: Handler, name: str, value: str) -> None:
        if name != "Content-Length" or int(value) > len(archive):
            BaseHTTPRequestHandler.send_header(handler, name, value)

    monkeypatch.setattr(Handler, "end_headers", promise_more)
    monkeypatch.setattr(Handler, "send_header", send_header)
    with pytest.raises(DataError, match="continues where it stopped"):
        fetch.fetch_cifar10(url=server.url, known_hash=md5(archive))
    assert files_in(empty_cache) == [PART]
    monkeypatch.undo()
    monkeypatch.setenv("CS231N_CACHE", str(empty_cache))
    assert files_in(fetch.fetch_cifar10(url=server.url, known_hash=md5(archive))) == NAMES
    assert server.requested[0] is None
    assert str(server.requested[1]).startswith("bytes=")


def test_wrong_file_is_deleted(server: Server, archive: bytes, empty_cache: Path) -> None:
    server.content = b"<html>please log in</html>"
    with pytest.raises(DataError, match="checksum differs"):
        fetch.fetch_cifar10(url=server.url, known_hash=md5(archive))
    assert files_in(empty_cache) == []


def test_archive_that_leads_outside_is_refused(server: Server, empty_cache: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../../escaped"))
    server.content = out.getvalue()
    with pytest.raises(DataError, match="cannot be unpacked"):
        fetch.fetch_cifar10(url=server.url, known_hash=md5(server.content))
    assert not (empty_cache.parent / "escaped").exists()
    assert "cifar-10-batches-py" not in files_in(empty_cache)


def test_offline_is_explained(empty_cache: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/x"
        with pytest.raises(DataError, match=r"no connection.*built-in images.*cifar-10-batches-py"):
            fetch.fetch_cifar10(url=url)
    assert files_in(empty_cache) == []


def test_server_error_is_explained(server: Server) -> None:
    server.status = 503
    with pytest.raises(DataError, match="the server answered 503"):
        fetch.fetch_cifar10(url=server.url)


def test_full_disk_is_said_before_the_download(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 10**6)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match=r"1 MB free, 356 MB needed"):
        fetch.fetch_cifar10(url=server.url)
    assert server.requested == []


def test_folder_that_cannot_be_made(tmp_path: Path, server: Server) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="choose a folder you may write"):
        fetch.fetch_cifar10(tmp_path / "file" / "below", url=server.url)
