"""Run in the kernel, as source: a search with a classifier of the judge's. It holds no secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def search(
    notebook: Any,
    cell: str,
    classifier: str,
    best: str,
    names: Sequence[str],
    learn: Callable[..., tuple[Any, list[float]]],
    answer: Callable[[Any, Any], Any],
) -> dict[str, Any]:
    """Execute the search with a stand-in for ``classifier``: the variables it leaves.

    ``W`` is a real attribute of the stand-in, so that copies of it, and of the object, work as
    usual. ``learn`` and ``answer`` are the judge's.
    """

    class StandIn:
        def __init__(self) -> None:
            self.W: Any = None

        def train(
            self,
            X: Any,
            y: Any,
            learning_rate: float = 1e-3,
            reg: float = 1e-5,
            num_iters: int = 100,
            batch_size: int = 200,
            verbose: bool = False,
        ) -> list[float]:
            self.W, losses = learn(self.W, X, y, learning_rate, reg, num_iters)
            return losses

        def loss(self, X_batch: Any, y_batch: Any, reg: float) -> tuple[float, Any]:
            return 1.0, 0.0 * self.W

        def predict(self, X: Any) -> Any:
            return answer(self.W, X)

    StandIn.__name__ = StandIn.__qualname__ = classifier
    notebook[classifier] = StandIn
    notebook.run(cell)
    kept = notebook.get(best)
    left = {name: notebook[name] for name in names if name in notebook}
    return left | {"has best": kept is not None, "best W": getattr(kept, "W", None)}


def share_right(notebook: Any, best: str, X: str, y: str) -> float:
    """The share of rows that the student's own best classifier gets right."""
    return float((notebook[best].predict(notebook[X]) == notebook[y]).mean())
