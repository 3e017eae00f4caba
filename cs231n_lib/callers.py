"""Find a function of the reader's own by its name, in the notebook that called the library."""

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from cs231n_lib.errors import LayerError

#: A (loaded) notebook, or anything else that holds functions: an object, or a dict. None: the
#: calling code.
Place = ModuleType | Mapping[str, Any] | object | None

#: The layers that students write, and what each returns.
RETURNS = {
    "affine_forward": "out, cache",
    "affine_backward": "dx, dw, db",
    "softmax_loss": "loss, dx",
    "relu_forward": "out, cache",
    "relu_backward": "dx",
    "batchnorm_forward": "out, cache",
    "batchnorm_backward": "dx, dgamma, dbeta",
    "layernorm_forward": "out, cache",
    "layernorm_backward": "dx, dgamma, dbeta",
    "spatial_batchnorm_forward": "out, cache",
    "spatial_batchnorm_backward": "dx, dgamma, dbeta",
}


def find_layer(name: str, place: Place = None) -> Callable[..., Any]:
    """Return the function ``name`` of ``place``.

    None stands for the code that called the library, the nearest first: a loaded notebook, whose
    class is at work, comes before the notebook that uses the class.
    Raises LayerError, which says where it was looked for.
    """
    spaces = calling_namespaces() if place is None else [place]
    for space in spaces:
        found = space.get(name) if isinstance(space, Mapping) else getattr(space, name, None)
        if callable(found):
            return cast(Callable[..., Any], found)
    if place is not None:
        called = getattr(place, "__name__", f"a {type(place).__name__}")
        raise LayerError(
            f"layers={called} has no function {name}. Pass a notebook that defines it, "
            'layers=load("..."), or leave layers out and define it in this notebook.'
        )
    looked = " or ".join(filter(None, map(_title, calling_namespaces())))
    raise LayerError(
        f"your {name} is needed, and there is none in {looked}. Run the cell that defines it. Is "
        f'it in another notebook? Load that one, earlier = load("..."), and write {name} = '
        f"earlier.{name}, or pass layers=earlier."
    )


def call_layer(name: str, place: Place, *arguments: Any) -> Any:
    """Call the layer ``name`` of ``place``, and check that it returns as many values as it should.

    Raises LayerError when it is missing, or returns something other than ``RETURNS`` says.
    """
    answer = find_layer(name, place)(*arguments)
    wanted = RETURNS[name].split(", ")
    if len(wanted) == 1:
        fits, found = answer is not None, "nothing"
    elif isinstance(answer, tuple | list):
        fits, found = len(answer) == len(wanted), f"{len(answer)} values"
    else:
        fits, found = False, "nothing" if answer is None else f"a single {type(answer).__name__}"
    if not fits:
        raise LayerError(f"your {name} must return {RETURNS[name]}; it returned {found}")
    return answer


def calling_namespaces() -> list[Mapping[str, Any]]:
    """The global names of the code that called the library, the nearest first.

    The notebook itself is always among them: a function of the library may have been called by
    the library alone.
    """
    spaces: dict[int, Mapping[str, Any]] = {}
    frame = inspect.currentframe()
    while frame is not None:
        if not _is_ours(frame.f_globals):
            spaces.setdefault(id(frame.f_globals), frame.f_globals)
        frame = frame.f_back
    main = vars(sys.modules["__main__"])
    spaces.setdefault(id(main), main)
    return list(spaces.values())


def _is_ours(space: Mapping[str, Any]) -> bool:
    return str(space.get("__name__")).split(".")[0] == __name__.split(".")[0]


def _title(space: Mapping[str, Any]) -> str:
    """What the reader calls it; empty for what is not a notebook."""
    file = Path(str(space.get("__file__", "")))
    if file.suffix == ".ipynb":
        return file.name
    return "this notebook" if space.get("__name__") == "__main__" else ""
