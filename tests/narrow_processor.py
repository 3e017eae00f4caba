"""The same code on a processor without wide vector instructions."""

import os
import subprocess
import sys

#: NumPy picks its exp, cos and sums by these.
WIDE = ["AVX2", "FMA3", "X86_V3", "X86_V4", "AVX512F", "AVX512CD", "AVX512_SKX"]
WIDE += ["AVX512_CLX", "AVX512_CNL", "AVX512_ICL", "AVX512_SPR"]


def printed_without_wide_vectors(code: str) -> str:
    """What ``code`` prints in a Python of its own, whose NumPy does as on an older processor."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(WIDE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()
