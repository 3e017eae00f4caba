"""The rule that nothing ready-made does the work, for every layer that students write here.

Frameworks are not there at all when this notebook is graded; the course's own fast layers are.
Whoever hands in a call of those gets nothing for it: each check of an answer fails as well, however
right the numbers are. A weight could not do that: one that is large enough to take all
points from a copied answer would give them to a wrong one that keeps the rule.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import wraps

from numpy.random import Generator

from autograder.judge import Student, check, check_each, forbid_names, forbid_unread, parse_cell
from cs231n_lib import fast_layers, im2col, layer_utils

CheckFunction = Callable[[Student, Generator], None]

LIBRARY = {
    *fast_layers.__all__,
    *im2col.__all__,
    *layer_utils.__all__,
    *("fast_layers", "layer_utils"),
}
FRAMEWORKS = {"torch", "tensorflow", "jax", "cv2"}
# Functions of other packages; a helper of one's own may be called so, too.
COMMON = {
    *("convolve", "convolve1d", "convolve2d", "fftconvolve", "oaconvolve"),
    *("correlate", "correlate1d", "correlate2d", "conv2d"),
    *("maximum_filter", "block_reduce", "max_pool2d"),
}

CONVOLUTION = "Here the convolution is to be written by yourself."
POOLING = "Here the pooling is to be written by yourself."
NUMPY = "Here NumPy and your own layers do the work."
# Of each question: the function, and what the message says.
RULES = {
    "cnn-conv-forward": ("conv_forward_naive", CONVOLUTION),
    "cnn-conv-backward": ("conv_backward_naive", CONVOLUTION),
    "cnn-pool-forward": ("max_pool_forward_naive", POOLING),
    "cnn-pool-backward": ("max_pool_backward_naive", POOLING),
    "cnn-sbn-forward": ("spatial_batchnorm_forward", NUMPY),
    "cnn-sbn-backward": ("spatial_batchnorm_backward", NUMPY),
    "cnn-gn-forward": ("spatial_groupnorm_forward", NUMPY),
    "cnn-gn-backward": ("spatial_groupnorm_backward", NUMPY),
}


def check_answer(
    grade_id: str, *, probe: str, weight: float = 1.0
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare a check that carries points, as ``check`` does; only one's own work passes it."""

    def register(function: CheckFunction) -> CheckFunction:
        @check(grade_id, probe=probe, weight=weight)
        @wraps(function)  # its module included, where the check is looked for
        def run(student: Student, rng: Generator) -> None:
            function(student, rng)
            expect_own_work(student, grade_id)

        return run

    return register


def expect_own_work(student: Student, grade_id: str) -> None:
    """Fail when the function of this question, or a helper, lets something ready-made work."""
    name, hint = RULES[grade_id]

    def read() -> None:
        library = LIBRARY | (COMMON - _own_helpers(student)) if hint != NUMPY else set()
        forbid_names(student, name, FRAMEWORKS | library, hint, unread=True)

    student.once(f"{name} is own work", read)  # every check of the question asks


# A helper in a module of its own is no offence. It costs little, and its author can mend it.
@check_each(RULES, weight=0.5, condition=True)
def all_of_it_can_be_read(student: Student, rng: Generator, rule: tuple[str, str]) -> None:
    """The function and its helpers are written in the notebook."""
    forbid_unread(student, rule[0])


def _own_helpers(student: Student) -> set[str]:
    """Functions of the notebook whose name is never one of a package (np.convolve)."""
    own, others = set(), set()
    for tree in map(parse_cell, student.sources.values()):
        own |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                others.add(node.attr)
            elif isinstance(node, ast.alias):
                others |= {node.name, node.asname}
    return own - others
