"""Hidden checks of the notebook on small networks.

Everything is asked of small tensors whose answers NumPy gives; training with masks of a toy network
in the kernel. The open challenge is judged here: `challenge` takes plain data from the notebook,
weighs the file and measures the network in the judge's own process.
"""

from autograder.checks.assignment4.model_compression import (
    challenge,
    codebooks,
    counting,
    masks,
    quantization,
    schedule,
    sharing,
    training,
)

__all__ = [
    "challenge", "codebooks", "counting", "masks", "quantization", "schedule", "sharing", "training"
]  # fmt: skip
