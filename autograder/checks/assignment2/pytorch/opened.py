"""What is asked of the open challenge, besides its accuracy: a sound training, and two modes.

The student's cell is run again on a handful of random images, with a training loop of ours; nothing
useful is learned there. What can be seen is which parameters an optimiser has changed, and whether
anybody looks at the test images.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.random import Generator

from autograder.checks.assignment2.pytorch.training import STAND_INS
from autograder.judge import Student, StudentError, as_array, expect

CELL = "open-challenge"
SECONDS = 60.0

FEW_IMAGES = """
from torch.optim.optimizer import register_optimizer_step_post_hook as _register_hook

_asked = []

class _TestImages(ImageSet):
    def __len__(self):
        return 8

    def __getattribute__(self, name):
        if name in ("X", "y", "__getitem__"):
            _asked.append(name)
        return super().__getattribute__(name)

    def __getitem__(self, rows):
        _asked.append("rows")
        return super().__getitem__(rows)

train_set, val_set = (
    ImageSet(_x[_rows].clone(), _y[_rows].clone(), _rows.start == 0)
    for _rows in (slice(0, 16), slice(16, 24))
)
test_set = _TestImages(_x[24:].clone(), _y[24:].clone())
loader_train = BatchLoader(train_set, 8, shuffle=True)
loader_val, loader_test = BatchLoader(val_set, 8), BatchLoader(test_set, 8)
_asked.clear()
_changed = []  # the parameters that an optimiser has changed
_hook = _register_hook(
    lambda _o, _args, _kwargs: _changed.extend(
        _p for _group in _o.param_groups for _p in _group["params"]
        if _p.grad is not None and not any(_p is _q for _q in _changed)
    )
)

def train_part34(model, optimizer, epochs=1, loader=None, scheduler=None, val_loader=None):
    losses = []
    for _ in range(epochs):
        for x, y in loader_train if loader is None else loader:
            model.train()
            loss = F.cross_entropy(model(x.to(dtype)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            losses.append(loss.item())
    return losses

def check_accuracy_part34(loader, model):
    model.eval()
    right = rows = 0
    with torch.no_grad():
        for x, y in loader:
            right, rows = right + int((model(x.to(dtype)).argmax(1) == y).sum()), rows + len(y)
    return right / rows

try:
{cell}
finally:
    _hook.remove()
_best = best_model if best_model is not None else model
_own = [_p for _p in _best.parameters() if _p.requires_grad] if isinstance(_best, nn.Module) else []
if _own:  # a layer that forward never uses need not be trained
    _loss = F.cross_entropy(_best.train()(_x[:8].to(_own[0])), _y[:8].to(_own[0].device))
    _slopes = torch.autograd.grad(_loss, _own, allow_unused=True)
    _own = [_p for _p, _slope in zip(_own, _slopes) if _slope is not None]
_shapes = [list(_p.shape) for _p in _own]
_trained = [list(_p.shape) for _p in _changed]
_asked = len(_asked)
"""
IN_PLACE = """
_best = best_model if best_model is not None else model
_own = [_p for _p in _best.parameters() if _p.requires_grad]
_shapes = [list(_p.shape) for _p in _own]
_trained = [list(_p.shape) for _g in optimizer.param_groups for _p in _g["params"]]
_asked = 0
"""
TWICE = """
import copy as _copy
import torch as _torch
_net = _copy.deepcopy(best_model).eval()
_like = next(iter(_net.parameters()), _torch.zeros(()))
with _torch.no_grad():
    _images = _x.to(_like)
    _first, _again = _net(_images).cpu(), _net(_images).cpu()
    _alone = _torch.cat([_net(_images[_i : _i + 1]).cpu() for _i in range(len(_images))])
"""


def model_is_trained_by_its_optimizer(student: Student, rng: Generator) -> None:
    """The cell trains best_model: an optimiser changes all of its parameters."""
    after = _few_images(student, rng)
    shapes = [tuple(shape) for shape in after.get("_shapes") or ()]
    expect(bool(shapes), "best_model (or else model) is no module with parameters")
    trained = [tuple(shape) for shape in after.get("_trained") or ()]
    left = [shape for shape in set(shapes) if trained.count(shape) < shapes.count(shape)]
    expect(
        not left,
        f"no optimiser changes the parameters of shape {sorted(left)[:4]} of best_model: is it "
        "trained in this cell, and does the optimiser have its parameters?",
    )


def test_images_are_left_alone(student: Student, rng: Generator) -> None:
    """Nothing is trained on test images, and nothing is chosen by them."""
    asked = _few_images(student, rng).get("_asked")
    expect(asked == 0, "the cell looks at the test images: leave them for section 12")


def scores_do_not_depend_on_chance(student: Student, rng: Generator) -> None:
    """In evaluation mode, the same images get the same scores twice."""
    after = _asked_twice(student, rng)
    first, again = (as_array(after.get(name), "the scores") for name in ("_first", "_again"))
    same = first.shape == again.shape and abs(first - again).max() < 1e-3
    expect(same, "the scores differ from call to call after eval(): use nn.Dropout, for instance, "
           "or F.dropout(x, training=self.training)")  # fmt: skip


def images_do_not_depend_on_their_batch(student: Student, rng: Generator) -> None:
    """In evaluation mode, an image alone gets the scores it has in a batch."""
    after = _asked_twice(student, rng)
    first, alone = (as_array(after.get(name), "the scores") for name in ("_first", "_alone"))
    same = first.shape == alone.shape and abs(first - alone).max() < 1e-2
    expect(same, "the scores of an image depend on the other images of its batch, after eval()")


def _few_images(student: Student, rng: Generator) -> dict[str, Any]:
    cell = student.sources.get(CELL, "") or "pass"
    indented = "\n".join(f"    {line}" for line in cell.split("\n"))
    source = STAND_INS + FEW_IMAGES.replace("{cell}", indented)
    bindings = {
        "_x": torch.from_numpy(rng.normal(size=(32, 3, 32, 32))).float(),
        "_y": torch.from_numpy(rng.integers(0, 10, size=32)),
    }
    names = ("_shapes", "_trained", "_asked")

    def run() -> dict[str, Any]:
        try:
            return student.rerun(source, bindings, names, seconds=SECONDS)
        except StudentError:
            # It may need more than a handful of images: then what it left has to do.
            return student.rerun(IN_PLACE, {}, names)

    return student.once("the open challenge on a few images", run)


def _asked_twice(student: Student, rng: Generator) -> dict[str, Any]:
    x = torch.from_numpy(rng.normal(size=(4, 3, 32, 32))).float()
    return student.rerun(TWICE, {"_x": x}, ("_first", "_again", "_alone"))
