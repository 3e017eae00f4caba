"""`make` sets up with the Python that it finds, or says in a line what to install.

The script is run with Pythons that are stand-ins: they answer what it asks, and write down what it
has pip install.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash") or "/bin/bash"

STAND_IN = """\
#!{bash}
# Python {version}; made an environment by -m venv, it is a copy of itself.
here=$(dirname "$0")
case "$*" in
  *"sys.exit(not (3, 11)"*) exit {unfit} ;;
  *"import ensurepip"*) exit {no_venv} ;;
  *"%d.%d"*) echo {version} ;;
  "-m venv --clear "*) rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
  "-m pip --version") ;;
  "-m pip install "*)
    echo "$*" >>"$PIP_LOG"
    if [ -n "${{NO_CPU_BUILD:-}}" ] && [[ "$*" == *torch-cpu.lock* ]]; then
      echo "WARNING: retrying"; echo "ERROR: No matching distribution found for torch==2.13.0+cpu"
      exit 1
    fi ;;
  *) echo "unexpected: $*"; exit 9 ;;
esac
"""


class Machine:
    """A checkout with the script, and a PATH with the Pythons that this machine has."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.path = folder / "course", folder / "bin"
        for made in (self.checkout / "tools", self.path):
            made.mkdir(parents=True)
        shutil.copy(ROOT / "tools" / "environment.sh", self.checkout / "tools")
        for tool in ("dirname", "grep", "mkdir", "rm", "cp"):
            (self.path / tool).symlink_to(shutil.which(tool) or tool)

    def has(self, name: str, version: str, *, venv: bool = True) -> None:
        fits = version in ("3.11", "3.12", "3.13")
        text = STAND_IN.format(
            bash=BASH, version=version, unfit=int(not fits), no_venv=int(not venv)
        )
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o755)

    def set_up(self, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": str(self.path),
            "PIP_LOG": str(self.checkout / "pip.log"),
            "CS231N_NVIDIA_DRIVER": str(self.checkout / "driver"),
            **variables,
        }
        command = [BASH, str(self.checkout / "tools" / "environment.sh")]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    def installed(self) -> list[str]:
        """What pip was told, without the options that are always there."""
        lines = (self.checkout / "pip.log").read_text().splitlines()
        (self.checkout / "pip.log").unlink()
        return [line.partition("--disable-pip-version-check ")[2] for line in lines]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("has", "chosen"),
    [
        ({"python3": "3.13", "python3.12": "3.12", "python3.11": "3.11"}, "3.11"),
        ({"python3": "3.13", "python3.12": "3.12"}, "3.12"),
        ({"python3": "3.13"}, "3.13"),
        ({"python3": "3.14", "python3.13": "3.13"}, "3.13"),
    ],
)
def test_takes_the_first_python_that_fits(
    machine: Machine, has: dict[str, str], chosen: str
) -> None:
    for name, version in has.items():
        machine.has(name, version)
    done = machine.set_up()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"with Python {chosen} and PyTorch for cpu" in done.stdout
    cpu, rest, ours = machine.installed()
    assert cpu.startswith("--no-deps --retries 1 --index-url https://download.pytorch.org/whl/cpu")
    assert cpu.endswith("--requirement torch-cpu.lock")
    assert rest == "--requirement requirements.lock"
    assert ours == "--no-deps --editable ."


def test_takes_the_python_that_is_named_and_no_other(machine: Machine) -> None:
    machine.has("python3.11", "3.11")
    machine.has("python3.13", "3.13")
    assert "with Python 3.13" in machine.set_up(PYTHON="python3.13").stdout
    assert "with Python 3.13" in machine.set_up().stdout, "an environment that works is kept"
    assert "with Python 3.11" in machine.set_up(PYTHON="python3.11").stdout
    machine.has("python3", "3.10")
    done = machine.set_up(PYTHON="python3")
    assert done.returncode == 1
    assert done.stderr.startswith("make: Python 3.11, 3.12 or 3.13 is needed (python3 3.10)")


def test_a_broken_environment_is_made_anew(machine: Machine) -> None:
    machine.has("python3.12", "3.12")
    machine.set_up()
    (machine.checkout / ".venv/bin/python").unlink()
    (machine.checkout / ".venv/leftover").touch()
    assert machine.set_up().returncode == 0
    assert not (machine.checkout / ".venv/leftover").exists()


def test_says_in_a_line_what_to_install(machine: Machine) -> None:
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stderr == (
        "make: Python 3.11, 3.12 or 3.13 is needed (python3.11 is not there, python3.12 is not "
        "there, python3.13 is not there, python3 is not there); install one (Debian, Ubuntu: apt "
        "install python3 python3-venv; with uv: uv python install 3.11), or name it: make "
        "PYTHON=...\n"
    )
    machine.has("python3", "3.12", venv=False)
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stderr == (
        "make: python3 has no venv; install it (Debian, Ubuntu: apt install python3.12-venv), then "
        "run the command again\n"
    )
    assert not (machine.checkout / ".venv").exists()
    machine.has("python3.13", "3.13")
    assert "with Python 3.13" in machine.set_up().stdout, "another one that has venv will do"


def test_chooses_the_build_of_torch(machine: Machine) -> None:
    machine.has("python3.11", "3.11")
    (machine.checkout / "driver").touch()  # NVIDIA's driver is loaded
    assert "and PyTorch for cuda" in machine.set_up().stdout
    assert machine.installed()[0] == "--no-deps --requirement torch-cuda.lock"
    assert "and PyTorch for cpu" in machine.set_up(TORCH="cpu").stdout
    machine.installed()
    machine.set_up(TORCH="cpu", CS231N_TORCH_INDEX="https://mirror.example/cpu")
    assert "--index-url https://mirror.example/cpu " in machine.installed()[0]
    done = machine.set_up(TORCH="rocm")
    assert (done.returncode, done.stderr) == (1, "make: TORCH=rocm is neither cpu nor cuda\n")


def test_without_a_cpu_build_it_says_so_and_takes_the_usual_one(machine: Machine) -> None:
    machine.has("python3.11", "3.11")
    done = machine.set_up(NO_CPU_BUILD="1")
    assert done.returncode == 0
    assert done.stderr == (
        "make: no CPU build of PyTorch from https://download.pytorch.org/whl/cpu (ERROR: No "
        "matching distribution found for torch==2.13.0+cpu); taking the usual build, which on "
        "Linux brings gigabytes for CUDA\n"
    )
    assert machine.installed()[1:] == ["--requirement requirements.lock", "--no-deps --editable ."]
