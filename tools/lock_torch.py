"""Write torch-cpu.lock and torch-cuda.lock for the version of PyTorch in requirements.lock.

    python tools/lock_torch.py      (`make lock` runs it; needs Linux and the Python Package Index)

What PyPI's build for Linux brings besides what requirements.lock names is resolved by pip, which
downloads the packages' metadata and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
INDEX = "https://download.pytorch.org/whl/cpu"

CPU = f"""\
# PyTorch for machines without a GPU; to be installed before requirements.lock:
#   pip install --no-deps --index-url {INDEX} -r torch-cpu.lock
# Written by `make lock`. On macOS the only build there is has no suffix.
torch=={{version}}+cpu ; sys_platform != "darwin"
torch=={{version}} ; sys_platform == "darwin"
"""
CUDA = """\
# PyTorch for Linux machines with an NVIDIA GPU; to be installed before
# requirements.lock:
#   pip install --no-deps -r torch-cuda.lock
# Written by `make lock`.
"""


def main() -> None:
    pinned = read_lock(ROOT / "requirements.lock")
    brought = resolve(pinned["torch"])
    names = sorted(name for name in brought if name == "torch" or name not in pinned)
    if not any(name.startswith("nvidia-") for name in names):
        sys.exit(f"pip found a build of PyTorch {pinned['torch']} without CUDA: {', '.join(names)}")
    (ROOT / "torch-cpu.lock").write_text(CPU.format(version=pinned["torch"]), encoding="utf-8")
    lines = "".join(f"{name}=={brought[name]}\n" for name in names)
    (ROOT / "torch-cuda.lock").write_text(CUDA + lines, encoding="utf-8")


def read_lock(path: Path) -> dict[str, str]:
    """The exact version of each package that a lock names."""
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    requirements = [Requirement(line) for line in lines if line]
    return {canonicalize_name(one.name): next(iter(one.specifier)).version for one in requirements}


def resolve(version: str) -> dict[str, str]:
    """What installing this version of PyTorch from PyPI would install, by pip's own report."""
    options = ("--dry-run", "--quiet", "--ignore-installed", "--report", "-")
    command = [sys.executable, "-m", "pip", "install", *options, f"torch=={version}"]
    command += ["--constraint", "requirements.lock"]
    # Without what this machine's pip is configured with: a folder of wheels, another index.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    clean["PIP_CONFIG_FILE"] = os.devnull
    found = subprocess.run(command, cwd=ROOT, env=clean, check=True, stdout=subprocess.PIPE)
    packages = [one["metadata"] for one in json.loads(found.stdout)["install"]]
    return {canonicalize_name(one["name"]): one["version"] for one in packages}


if __name__ == "__main__":
    main()
