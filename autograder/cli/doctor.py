"""What this host offers for grading: isolation first, then versions and accelerators.

Runs on every system; where grading is impossible it says so and why.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.errors import WrongUse
from autograder.sandbox import probe
from autograder.sandbox.policy import SandboxError
from autograder.settings import settings_of
from cs231n_lib.cli.doctor import GRADED_WITH

Status = Literal["ok", "note", "problem"]
_MARKS = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "problem": "[red]problem[/]"}
_KEY_PACKAGES = ("numpy", "torch", "matplotlib", "ipython", "nbgrader", "nbclient", "msgpack")
_EXPLAINED = {
    "root": "its own namespaces and file system, and a user for each sandbox",
    "userns": "its own namespaces and file system, through user namespaces",
    "flat": "Landlock, seccomp and limits only: weaker, see docs/threat-model.md",
}


@dataclass(frozen=True)
class Line:
    """One row of the report."""

    topic: str
    status: Status
    text: str


def report() -> list[Line]:
    """Everything worth knowing before grading on this host."""
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    lines = [Line("system", "ok", f"{system}, {os.cpu_count()} CPUs")]
    if platform.system() != "Linux":
        remedy = "grading needs Linux: use WSL2, a virtual machine or a container"
        return [*lines, Line("isolation", "problem", remedy), *_packages(), _gpu()]
    return [*lines, *_tiers(), *_kernel_features(), *_packages(), _gpu()]


def _tiers() -> list[Line]:
    lines = []
    for tier in probe.ISOLATING:
        finding = probe.attempt(tier)
        text = _EXPLAINED[tier] if finding.works else f"not here: {finding.reason}"
        lines.append(Line(f"tier {tier}", "ok" if finding.works else "note", text))
    try:
        best = probe.choose()
    except SandboxError as error:
        return [*lines, Line("isolation", "problem", f"grading will refuse to start: {error}")]
    text = f"{best!r} will be used, the best that works here"
    if best != "flat":
        return [*lines, Line("isolation", "ok", text)]
    return [*lines, Line("isolation", "note", f"{text}. Why not more: {probe.why_only_flat()}")]


def _kernel_features() -> list[Line]:
    from autograder.sandbox import landlock

    version = landlock.abi()
    text = f"ABI {version}" if version else "absent, or not enabled at boot (lsm=landlock,...)"
    lines = [Line("Landlock", "ok" if version else "note", text)]
    lines.append(Line("seccomp", *_feature(Path("/proc/sys/kernel/seccomp/actions_avail"))))
    spaces = Path("/proc/sys/user/max_user_namespaces")
    status, text = _feature(spaces)
    lines.append(Line("user namespaces", "note" if text == "0" else status, f"at most {text}"))
    return [*lines, _memory_group()]


def _memory_group() -> Line:
    from autograder.host.memory_group import usable

    folder, why = usable()
    if folder:
        return Line("memory group", "ok", f"a judge and its sandboxes share one, in {folder}")
    without = "the judge watches memory itself, less tightly: see docs/threat-model.md"
    return Line("memory group", "note", f"{why}; {without}")


def _feature(path: Path) -> tuple[Status, str]:
    try:
        return "ok", path.read_text().strip()
    except OSError as error:
        return "note", f"{path}: {error.strerror}"


def _packages() -> list[Line]:
    """Installed versions, compared with those that this project pins."""
    pins: dict[str, str] = {}
    with contextlib.suppress(metadata.PackageNotFoundError):
        for requirement in metadata.requires("cs231n-course") or ():
            if match := re.match(r"([\w.-]+)==([\w.]+)", requirement):
                pins[match[1].lower()] = match[2]
    missing, different, found = [], [], []
    for name in dict.fromkeys((*_KEY_PACKAGES, *pins)):
        try:
            have = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if have.partition("+")[0] != pins.get(name, have.partition("+")[0]):
            different.append(f"{name} {have} (pinned: {pins[name]})")
        if name in _KEY_PACKAGES:
            found.append(f"{name} {have}")
    lines = [_python(), Line("packages", "ok", ", ".join(found))]
    if different:
        lines.append(Line("packages", "note", "not as pinned: " + ", ".join(different)))
    if missing:
        remedy = 'run `pip install -e ".[ta]"`'
        lines.append(Line("packages", "note", f"missing: {', '.join(missing)}; {remedy}"))
    return lines


def _python() -> Line:
    """Students are told which Python grades, by their own ``cs231n doctor``."""
    version = platform.python_version()
    if sys.version_info[:2] == GRADED_WITH:
        return Line("Python", "ok", version)
    told = "{}.{}".format(*GRADED_WITH)
    return Line("Python", "note", f"{version}; `cs231n doctor` tells students that it is {told}")


def _gpu() -> Line:
    from autograder.host.gpus import usable_devices  # may import torch

    found, why = usable_devices()
    if not found:
        return Line("GPU", "ok", f"{why}; everything is graded on the CPU")
    names = ", ".join(f"{one.name}, {one.total_bytes >> 30} GiB" for one in found)
    return Line("GPU", "ok", f"{names}; for notebooks that want one, with --gpus")


def _course(root: Path) -> Line:
    """Whether the packages that a course's settings name can be imported."""
    from autograder.judge.registry import ensure_packages

    try:
        course = settings_of(root)
        ensure_packages(course)
    except WrongUse as error:
        return Line("course", "problem", str(error))
    if not course.folder:
        return Line("course", "ok", "the one that comes with the engine: here is no course.toml")
    return Line("course", "ok", f"checks: {course.checks}, library: {course.library.name}")


def main(root: Path) -> int:
    """Print the report. Returns 0 when this host can grade, 1 otherwise."""
    table = Table(box=None, show_header=False, pad_edge=False)
    lines = [*report(), _course(root)]
    for line in lines:
        table.add_row(line.topic, _MARKS[line.status], escape(line.text))
    Console().print(table)
    return int(any(line.status == "problem" for line in lines))
