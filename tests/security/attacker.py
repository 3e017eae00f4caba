"""The outside half of an attack: the bait, and talking to ``inside.py``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from autograder.judge.sandbox import Sandbox

HERE = Path(__file__).parent
GPU_NODE = "/dev/full"  # stands for a GPU's device file: no sandbox has it otherwise


def ask(sandbox: Sandbox, code: str, seconds: float = 30, **names: object) -> dict[str, str]:
    """Run ``code`` inside; ``{"got": repr}`` or ``{"error": text}``."""
    sandbox.channel.settimeout(seconds)
    sandbox.channel.sendall(json.dumps({"code": code, "names": names}).encode() + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        chunk = sandbox.channel.recv(1 << 16)
        assert chunk, f"the sandbox died: {sandbox.exit_reason()}"
        answer += chunk
    return json.loads(answer)


@dataclass
class Bait:
    """Things of the host that an attack goes for; open to every user, so that only the sandbox
    stands in between."""

    folder: Path
    names: dict[str, object] = field(default_factory=dict)

    @property
    def secret(self) -> Path:
        return self.folder / "secret.txt"
