"""An x that is not C-contiguous, made in the kernel, which gets this as source: it cannot be sent.

Shapes: x (N, d_1, ..., d_k); w (D, M); b (M,); dout (N, M).
"""

from __future__ import annotations

from typing import Any

import numpy as np


def affine_of_fortran_order(notebook: Any, x: Any, w: Any, b: Any) -> tuple[Any, Any]:
    """The student's out for x in C order and in Fortran order."""
    forward = notebook["affine_forward"]
    return forward(x.copy(), w, b)[0], forward(np.asfortranarray(x), w, b)[0]


def gradients_of_fortran_order(notebook: Any, x: Any, w: Any, b: Any, dout: Any) -> tuple[Any, Any]:
    """The student's gradients for x in C order and in Fortran order."""
    forward, backward = notebook["affine_forward"], notebook["affine_backward"]
    in_c_order = backward(dout.copy(), forward(x.copy(), w, b)[1])
    return in_c_order, backward(dout.copy(), forward(np.asfortranarray(x), w, b)[1])
