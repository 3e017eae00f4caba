"""Archives made to hurt: each costs a line, and nothing of anybody else's."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from autograder.collect.archives import ArchiveLimits, Unpacker
from tests.grading.downloads import (
    ASSIGNMENT,
    gather,
    notebook,
    remarks,
    students,
    submitted,
    tree,
    write_course,
    write_zip,
    zipped,
)

ZEROS = bytes(60 << 20)


def link(target: str) -> bytes:
    """A zip with a symbolic link, and a notebook behind it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("knn.ipynb")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    return buffer.getvalue()


def encrypted() -> bytes:
    """A zip whose member says that it needs a password."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("knn.ipynb", "secret")
    data = bytearray(buffer.getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] | 1)
    return bytes(data)


def twice(folder: Path) -> bytes:
    """A zip with two members of one name."""
    data = zipped({"knn.ipynb": notebook(), "kNN.ipynb": notebook(remark="second")}, folder)
    return data.replace(b"kNN.ipynb", b"knn.ipynb")


def deep(folder: Path) -> bytes:
    data = zipped({"knn.ipynb": notebook()}, folder)
    for _ in range(3):
        data = zipped({"deeper.zip": data}, folder)
    return data


def damaged(folder: Path) -> bytes:
    """A zip of which the content is not what its checksum says."""
    data = bytearray(zipped({"knn.ipynb": notebook()}, folder))
    data[200:300] = bytes(100)
    return bytes(data)


HOSTILE = {
    "climbs": (lambda f: zipped({"../../../knn.ipynb": b"x"}, f), "leads outside the folder"),
    "climbs as on Windows": (lambda f: zipped({"..\\knn.ipynb": b"x"}, f), "leads outside"),
    "absolute": (lambda f: zipped({"/tmp/knn.ipynb": b"x"}, f), "leads outside the folder"),
    "drive": (lambda f: zipped({"C:/knn.ipynb": b"x"}, f), "leads outside the folder"),
    "link": (lambda f: link("/etc/passwd"), "a link: not unpacked"),
    "bomb": (
        lambda f: zipped({"knn.ipynb": ZEROS}, f), "more than 50 MB when unpacked. A zip bomb?"
    ),
    "bomb within": (
        lambda f: zipped({"a.zip": zipped({"knn.ipynb": ZEROS}, f)}, f), "A zip bomb?"
    ),
    "deep": (deep, "a zip within a zip within a zip: unpack it by hand"),
    "encrypted": (lambda f: encrypted(), "encrypted: ask for it without a password"),
    "twice": (twice, "a second file of this name: unpacked beside the first"),
    "many": (
        lambda f: zipped({f"{n}": b"" for n in range(10_001)}, f), "it holds 10001 files"
    ),
    "folders": (lambda f: zipped({f"{'a/' * 50}knn.ipynb": b"x"}, f), "more than 40 folders"),
    "long": (lambda f: zipped({f"{'a' * 300}.ipynb": b"x"}, f), "cannot be unpacked"),
    "longer": (lambda f: zipped({"a" * 5000: b"x"}, f), "longer than 1000 bytes"),
    "file and folder": (lambda f: zipped({"a": b"x", "a/knn.ipynb": b"x"}, f), "File exists"),
    "damaged": (damaged, "cannot be unpacked"),
    "cut off": (lambda f: zipped({"knn.ipynb": notebook()}, f)[:-30], "cannot be read as a zip"),
    "no zip": (lambda f: b"Rar!", "cannot be read as a zip"),
    "empty": (lambda f: b"", "cannot be read as a zip"),
}  # fmt: skip


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory):
    """All of them in one download, with a good submission between them."""
    folder = tmp_path_factory.mktemp("hostile")
    root = write_course(folder / "course")
    members = {
        f"{name}_{number}_{number}_hw.zip": make(folder)
        for number, (name, (make, _)) in enumerate(HOSTILE.items(), start=200)
    }
    members["müllerann_101_300_knn.ipynb"] = notebook(remark="good")
    before = set(tree(folder)) | {"submissions.zip", "course/roster.csv"}
    done = gather(root, write_zip(folder / "submissions.zip", members))
    added = {path for path in tree(folder) if path not in before}
    return root, done, added, members


@pytest.mark.parametrize("name", HOSTILE)
def test_every_archive_costs_a_line_and_is_kept(collected, name: str) -> None:
    root, done, _, members = collected
    rows = [row for row in done.rows if f"/{name}_" in row.where]
    assert any(HOSTILE[name][1] in row.note for row in rows), remarks(done)
    assert all(row.human for row in rows)
    assert len(rows) <= 5
    [member] = [member for member in members if member.startswith(f"{name}_")]
    kept = root / "downloaded" / ASSIGNMENT / "unattributed" / "submissions.zip!"
    found = list(kept.rglob(f"{member}")) + list(kept.rglob("deeper.zip"))
    assert members[member] in [path.read_bytes() for path in found] or name in (
        "deep",
        "bomb within",
    )


def test_the_rest_goes_on_and_nothing_is_written_elsewhere(collected) -> None:
    root, _, added, _ = collected
    assert submitted(root, "ann").read_bytes() == notebook(remark="good")
    assert list(students(root)) == ["ann"]
    places = ("course/submitted/", "course/downloaded/", "course/.autograder/collected/")
    assert all(path.startswith(places) for path in added)
    assert not [path for path in root.rglob("*") if path.is_symlink()]
    assert not Path("/tmp/knn.ipynb").exists()


def test_names_cannot_talk_to_a_terminal(tmp_path: Path) -> None:
    root = write_course(tmp_path / "course")
    name = "müllerann_101_1_kn\x1b[31mn\u202e\n.ipynb"
    done = gather(root, write_zip(tmp_path / "c\x07.zip", {name: notebook()}))
    assert students(root) == {"ann": ["knn.ipynb"]}
    assert "its name had characters that cannot be printed: replaced" in remarks(done)
    assert remarks(done).replace("\n", "").isprintable()


def test_a_download_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    root = write_course(tmp_path / "course")
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 cut off")
    good = write_zip(tmp_path / "good.zip", {"müllerann_101_1_knn.ipynb": notebook()})
    done = gather(root, tmp_path / "bad.zip", good)
    assert students(root) == {"ann": ["knn.ipynb"]}
    assert done.needs_human
    assert "bad.zip: cannot be read as a zip" in remarks(done)


@pytest.mark.parametrize(
    ("caps", "left"),
    [
        (ArchiveLimits(), 30),
        (ArchiveLimits(inner_bytes=5000), 5),
        (ArchiveLimits(total_bytes=5000), 2),  # besides the zip itself
        (ArchiveLimits(file_bytes=999), 0),
        (ArchiveLimits(ratio=2, free_bytes=10), 0),
        (ArchiveLimits(inner_files=29), 0),
        (ArchiveLimits(zips=0), 0),
    ],
)
def test_caps_hold_for_all_that_comes_out(tmp_path: Path, caps: ArchiveLimits, left: int) -> None:
    source = tmp_path / "source"
    source.mkdir()
    inner = {f"{number}.txt": bytes(1000) for number in range(30)}
    (source / "a.zip").write_bytes(zipped(inner, tmp_path))
    unpacker = Unpacker(tmp_path / "out", caps)
    unpacker.unpack(source)
    files = list((tmp_path / "out").rglob("*.txt"))
    assert len(files) == left
    assert bool(unpacker.refused) == (left < 30)
    assert len(unpacker.refused) <= caps.lines + 1


def test_a_list_of_members_without_end_is_not_read(tmp_path: Path) -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 6, *[0] * 3, 1, *[0] * 4, *[0] * 2)
    directory = (entry + b"a") * 800_000  # 37 MB, a gigabyte as objects
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, len(directory), 0, 0)
    (tmp_path / "many.zip").write_bytes(directory + end)
    unpacker = Unpacker(tmp_path / "out")
    unpacker.unpack(tmp_path / "many.zip")
    [refused] = unpacker.refused
    assert "the list of its members is too long" in refused.reason


def test_a_folder_is_copied_without_what_leads_out_of_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "locked").mkdir(parents=True)
    (source / "good.txt").write_text("good")
    (source / "link").symlink_to("/etc/passwd")
    (source / "folder").symlink_to("/etc")
    os.mkfifo(source / "pipe")
    unpacker = Unpacker(tmp_path / "out")
    unpacker.unpack(source)
    assert list(tree(tmp_path / "out")) == ["source/good.txt"]
    reasons = {refused.where: refused.reason for refused in unpacker.refused}
    assert reasons == {
        "source/folder": "a link: not followed",
        "source/link": "a link: not followed",
        "source/pipe": "neither a file nor a folder: left where it is",
    }
