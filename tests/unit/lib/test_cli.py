"""The cs231n command as its users meet it: through a process, by exit status and text."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cifar_files import write_binary
from coco_samples import write_coco
from mnist_files import write_mnist

from cs231n_lib import cli
from cs231n_lib.cli import doctor


def cs231n(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cs231n_lib.cli", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_doctor_is_content() -> None:
    result = cs231n("doctor")
    assert result.returncode == 0, result.stderr
    for expected in (
        "Python ",
        "numpy ",
        "device ",
        "cache ",
        "SpriteCIFAR",
        "SpriteScenes",
        "5,000 of MNIST's",
        "All is well.",
    ):
        assert expected in result.stdout


def test_doctor_warns_of_a_python_newer_than_the_graders(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["doctor"])
    assert ("note: " in capsys.readouterr().out) == (sys.version_info[:2] > doctor.GRADED_WITH)
    monkeypatch.setattr(doctor, "GRADED_WITH", (3, 2))
    assert cli.main(["doctor"]) == 0
    assert "note:      the course is graded with Python 3.2, which" in capsys.readouterr().out


def test_doctor_names_an_incomplete_data_set(tmp_path: Path) -> None:
    root = write_binary(tmp_path / "data", 1)
    (root / "data_batch_4.bin").unlink()
    result = cs231n("doctor", CS231N_DATA=str(root))
    assert result.returncode == 1
    assert "problem:" in result.stdout
    assert "data_batch_4.bin missing" in result.stdout
    assert cs231n("data", "info", CS231N_DATA=str(root)).returncode == 1


def test_info_says_which_data_is_used(tmp_path: Path) -> None:
    assert "0 of 44 parts ready" in cs231n("data", "info").stdout
    root = write_binary(tmp_path / "data", 1)
    result = cs231n("data", "info", CS231N_DATA=str(root))
    assert result.returncode == 0
    assert f"the real data set, binary version, in {root}" in result.stdout
    assert "SpriteScenes" in result.stdout
    assert "digits: built-in" in result.stdout
    captions = write_coco(tmp_path / "data" / "coco_captioning")
    digits = write_mnist(tmp_path / "data" / "mnist")
    said = cs231n("data", "info", CS231N_DATA=str(tmp_path / "data")).stdout
    assert f"captions: COCO's, in {captions}" in said
    assert f"digits: MNIST's files, in {digits}" in said


def test_make_that_cannot_write_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cs231n_lib import cli
    from cs231n_lib.data import spritecifar

    monkeypatch.setattr(spritecifar, "SIZES", {"train": 1000, "test": 500})
    assert cli.main(["data", "make"]) == 0
    assert "images are in" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CS231N_CACHE", str(tmp_path / "file" / "cache"))
    assert cli.main(["data", "make"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_fetch_offline_is_one_message_without_traceback() -> None:
    # Port 9 on this machine (discard): nobody listens there.
    result = cs231n("data", "fetch", "cifar10", "--url", "http://127.0.0.1:9/x.tar.gz")
    assert result.returncode == 1
    assert "could not be downloaded (no connection to the server)" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [(), ("data",), ("data", "fetch", "mnist"), ("nonsense",)])
def test_wrong_use_is_status_2(arguments: tuple[str, ...]) -> None:
    result = cs231n(*arguments)
    assert result.returncode == 2
    assert "usage: cs231n" in result.stderr


def test_help_names_every_command() -> None:
    top, data = cs231n("--help"), cs231n("data", "--help")
    assert top.returncode == data.returncode == 0
    assert "doctor" in top.stdout
    for action in ("info", "fetch", "make"):
        assert action in data.stdout
