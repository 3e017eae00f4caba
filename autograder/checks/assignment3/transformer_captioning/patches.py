"""What is asked of PatchEmbedding.forward(x).

Shapes: x (N, C, side, side) -> (N, patches, E), with patches of C*P*P numbers.
"""

from __future__ import annotations

import ast

import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.transformer_captioning import asking, oracle
from autograder.judge import Student, check, expect, expect_near, expect_shape, parse_cell

CELL = "patches"
NAME = "PatchEmbedding"
LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


# In another order the weights of a trained ViT, and of anybody else's, mean nothing.
@check(CELL, probe="VIT-A1", weight=4)
def patches_are_cut_in_order(student: Student, rng: Generator) -> None:
    """Each patch flattened as (channel, row, column), patches row by row: patches of 2, 4 and 8."""
    for C, P, side in ((3, 2, 6), (1, 4, 12), (3, 8, 16)):
        size = C * P * P
        state = {"proj.weight": torch.eye(size), "proj.bias": torch.zeros(size)}
        x = oracle.draw(rng, 2, C, side, side)
        got = asking.answers(student, NAME, (side, P, C, size), state, [x])[0]
        want = oracle.cut(x, P).numpy()
        wrong = {text: answer.numpy() for text, answer in _cut_slips(x, P).items()}
        what = f"the patches ({P} x {P} pixels, {C} channels)"
        expect_near(got, want, what=what, precision="float32", slips=wrong)


@check(CELL, probe="VIT-A1", weight=2)
def patches_are_projected(student: Student, rng: Generator) -> None:
    """proj makes E numbers of each patch; also of one image, and of one patch."""
    for N, side, P, E in ((1, 6, 3, 5), (3, 4, 4, 7)):
        state = {"proj.weight": oracle.draw(rng, E, 2 * P * P), "proj.bias": oracle.draw(rng, E)}
        x = oracle.draw(rng, N, 2, side, side)
        sent = {name: value.float() for name, value in state.items()}
        unit = {"proj.weight": torch.eye(2 * P * P), "proj.bias": torch.zeros(2 * P * P)}
        own = asking.answers(student, NAME, (side, P, 2, 2 * P * P), unit, [x])[0]
        count = (side // P) ** 2
        rows = torch.from_numpy(asking.own_answer(own, (N, count, 2 * P * P), "the patches"))
        got = asking.answers(student, NAME, (side, P, 2, E), sent, [x])[0]
        want = (rows @ state["proj.weight"].T + state["proj.bias"]).numpy()
        got = expect_shape(got, (N, count, E), "the output")
        what = f"the output for {count} patches"
        expect_near(got, want, what=what, precision="float32")


@check(CELL, probe="VIT-A1", condition=True)
def there_is_no_loop(student: Student, rng: Generator) -> None:
    """No Python loop in forward."""
    cell = student.cell_defining(NAME)
    for node in parse_cell(student.sources.get(cell, "")).body:
        if isinstance(node, ast.ClassDef) and node.name == NAME:
            loop = next((inner for inner in ast.walk(node) if isinstance(inner, LOOPS)), None)
            if loop is not None:
                expect(
                    False,
                    f"line {loop.lineno} of cell {cell!r}: a Python loop. "
                    "reshape and permute cut all patches at once",
                )


def _cut_slips(x: Tensor, P: int) -> dict[str, Tensor]:
    """The same numbers in another order."""
    N, C, side, _ = x.shape
    n = side // P
    grid = x.reshape(
        N, C, n, P, n, P
    )  # image, channel, row of patches, row, column of them, column

    def flattened(*axes: int) -> Tensor:
        return grid.permute(0, *axes).reshape(N, n * n, C * P * P)

    wanted = "a patch is flattened as (channel, row, column)"
    slips = {
        f"{wanted}, not as (row, column, channel)": flattened(2, 4, 3, 5, 1),
        f"{wanted}, not as (channel, column, row)": flattened(2, 4, 1, 5, 3),
        "patches are numbered row by row; here they go down the columns": flattened(4, 2, 1, 3, 5),
        "rows and columns are exchanged, of patches and of pixels": flattened(4, 2, 1, 5, 3),
        "F.unfold puts the patches last: move that axis before the numbers of a patch": (
            oracle.cut(x, P).transpose(1, 2).reshape(N, n * n, C * P * P)
        ),
        "patches and pixels are mixed up: reshape alone does not cut squares out of an image": (
            x.reshape(N, n * n, C * P * P)
        ),
    }
    windows = x.unfold(2, P, P).unfold(3, P, P)  # (N, C, n, n, P, P)
    slips["after cutting, the axis of channels must be moved behind those of the patches"] = (
        windows.reshape(N, n * n, C * P * P)
    )
    return slips
