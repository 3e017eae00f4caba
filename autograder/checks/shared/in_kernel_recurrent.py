"""A student's recurrent layer over right steps, asked in the kernel, which gets this as source.

``made`` names the step ("rnn_step"), the layer ("rnn"), the cells that define the layer, and the
arguments of a step; ``right_forward`` and ``right_backward`` are the judge's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any


def forward(notebook: Any, made: dict, right: dict, arguments: Sequence[Any]) -> Any:
    """What the layer's forward function returns."""
    _over_right_steps(notebook, made, right)
    return _named(notebook, f"{made['layer']}_forward")(*arguments)


def arguments_afterwards(
    notebook: Any, made: dict, right: dict, arguments: Sequence[Any]
) -> Sequence[Any]:
    """The arguments of the layer's forward function after the call."""
    forward(notebook, made, right, arguments)
    return arguments


def forward_and_backward(
    notebook: Any, made: dict, right: dict, arguments: Sequence[Any], upstreams: Sequence[Any]
) -> tuple[Any, list[Any] | None]:
    """What forward returns without the cache, and what backward returns for each gradient.

    Where forward does not return two things: what it returns, and None.
    """
    _over_right_steps(notebook, made, right)
    answer = _named(notebook, f"{made['layer']}_forward")(*arguments)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return answer, None
    backward = _named(notebook, f"{made['layer']}_backward")
    return answer[0], [backward(upstream, answer[1]) for upstream in upstreams]


def arguments_after_forward(
    notebook: Any, made: dict, right: dict, arguments: Sequence[Any]
) -> list[Any]:
    """The arguments after a call of the layer's forward function."""
    _over_right_steps(notebook, made, right)
    _named(notebook, f"{made['layer']}_forward")(*arguments)
    return list(arguments)


def _named(notebook: Any, name: str) -> Callable[..., Any]:
    if name not in notebook:
        raise NameError(f"name {name!r} is not defined in the notebook")
    return notebook[name]


def _over_right_steps(notebook: Any, made: dict, right: dict) -> None:
    """Define the layer again, with right step functions in the places of the student's.

    A right step hands out the student's own cache, for a layer may take it apart; what came with it
    is remembered. A cache that the layer has made by itself goes to the student's own step.
    """
    own_forward = notebook.get(f"{made['step']}_forward")
    own_backward = notebook.get(f"{made['step']}_backward")
    known: list[tuple[Any, list[Any]]] = []

    def remembered(cache: Any) -> list[Any] | None:
        return next((given for one, given in known if one is cache), None)

    def step_forward(*positional: Any, **named: Any) -> tuple[Any, ...]:
        names = made["arguments"][len(positional) :]
        given = [*positional, *(named[name] for name in names)]
        states = right["forward"](*given)
        cache = None
        with contextlib.suppress(Exception):
            cache = own_forward(*(array.copy() for array in given))[-1]
        if cache is None or remembered(cache) is not None:
            cache = (*given, *states)
        known.append((cache, given))
        return (*states, cache)

    def step_backward(*upstream_and_cache: Any) -> Any:
        *upstream, cache = upstream_and_cache
        given = remembered(cache)
        if given is None:
            return own_backward(*upstream_and_cache)
        return right["backward"](upstream, given)

    steps = {f"{made['step']}_forward": step_forward, f"{made['step']}_backward": step_backward}
    notebook.update(steps)
    for cell in made["cells"]:
        notebook.run(cell)
    notebook.update(steps)  # a cell may define them, too
