"""Where a memory cgroup can be made, told from a made-up tree: no test may change this host's."""

from pathlib import Path

import pytest

from autograder.host.memory_group import delegated, usable


def tree(root: Path, *groups: str, handing_on: str) -> Path:
    for name in ("", *groups):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.controllers").write_text("cpu memory")
        (folder / "cgroup.procs").write_text("")
        (folder / "cgroup.subtree_control").write_text("cpu memory" if name == handing_on else "")
    return root


@pytest.mark.parametrize(("handing_on", "found"), [("a/scope", True), ("a", True), ("", False)])
def test_the_group_that_hands_the_controller_on(
    tmp_path: Path, handing_on: str, found: bool
) -> None:
    mount = tree(tmp_path / "cgroup", "a", "a/scope", handing_on=handing_on)
    own = tmp_path / "own"
    own.write_text("9:name=systemd:/\n0::/a/scope\n")
    folder, why = delegated(mount, own)
    assert folder == (mount / handing_on if found else None)
    assert bool(why) is not found
    assert found or "Delegate=yes" in why


def test_without_version_2_it_is_said(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("4:memory:/\n")
    assert usable(tmp_path, own) == (
        None,
        "this host has no cgroups of version 2 at /sys/fs/cgroup",
    )


def test_a_group_that_cannot_be_made_or_joined_is_not_used(tmp_path: Path) -> None:
    """A made-up tree looks like one that is handed on; only the trial tells."""
    mount = tree(tmp_path / "cgroup", "a", handing_on="a")
    own = tmp_path / "own"
    own.write_text("0::/a\n")
    assert delegated(mount, own)[0] == mount / "a"
    folder, why = usable(mount, own)
    assert folder is None
    assert "but a trial failed" in why
