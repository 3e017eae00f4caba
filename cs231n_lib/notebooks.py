"""Use what an earlier notebook defines: ``fc = load("FullyConnectedNets")``.

Only definitions are executed: imports, functions, classes, constants (``LIKE_THIS = 0.5``, a
literal), ``svm = load("svm")``, the import of a still earlier notebook, and shorter names for what
is in one (``forward, backward = svm.forward, svm.backward``). Everything else in the notebook,
training and plotting included, is left alone.
"""

import ast
import difflib
import json
import linecache
import sys
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

from cs231n_lib.cell_source import python_of
from cs231n_lib.errors import NotebookError

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: The notebooks that are being loaded, each by the one before it.
_loading: ContextVar[tuple[Path, ...]] = ContextVar("loading", default=())


def load(name: str, folder: str | Path | None = None) -> ModuleType:
    """Import the definitions of the notebook ``name`` (no suffix) from ``folder``.

    ``folder`` defaults to the working directory, which in Jupyter is the calling notebook's; for
    what a loaded notebook loads itself, it is the folder of that notebook. A notebook that is not
    there may be in a folder of another assignment beside it (``../assignment1``).
    Every call reads the file afresh, so that it sees what was saved last.
    Raises NotebookError when the notebook is missing, is not one, has a syntax error in a cell,
    loads itself, or a definition in it fails.
    """
    outer = _loading.get()
    beside = outer[-1].parent if outer else Path.cwd()
    path = _find(name.removesuffix(".ipynb"), beside if folder is None else Path(folder)).resolve()
    if path in outer:
        circle = " which loads ".join(p.stem for p in (*outer[outer.index(path) :], path))
        raise NotebookError(f"a circle: {circle}. Move what both need into the earlier one.")
    within = _loading.set((*outer, path))
    try:
        return _execute(path)
    finally:
        _loading.reset(within)


def _execute(path: Path) -> ModuleType:
    module = ModuleType(f"cs231n_notebook_{path.stem}", f"The definitions of {path.name}.")
    module.__file__ = str(path)
    loaded: set[str] = set()
    for cell in _code_cells(path):
        where = f"{path.name}, cell {cell['id']!r}"
        source = python_of(cell["source"])
        tree = _parse(source, where)
        tree.body = definitions(tree.body, loaded)
        # Python looks source lines up by file name: tracebacks then show the student's own lines.
        filename = f"<{where}>"
        linecache.cache[filename] = (len(source), None, f"{source}\n".splitlines(True), filename)
        try:
            exec(compile(tree, filename, "exec"), module.__dict__)
        except Exception as error:
            raise NotebookError(
                f"{where}: a definition fails with {type(error).__name__}: {error}. Definitions "
                "may use imports, constants (UPPER_CASE = a literal) and earlier definitions only."
            ) from error
    sys.modules[module.__name__] = module  # pickle and inspect find classes by their module
    return module


def _find(name: str, folder: Path) -> Path:
    beside = (f for f in folder.resolve().parent.glob("assignment*") if f != folder.resolve())
    folders = [folder, *sorted(beside, reverse=True)]  # of two, the later assignment's
    for path in (place / f"{name}.ipynb" for place in folders):
        if path.is_file():
            return path
    present = sorted({other.stem for place in folders for other in place.glob("*.ipynb")})
    by_lower = {stem.lower(): stem for stem in present}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if near:
        advice = "Did you mean " + " or ".join(repr(by_lower[stem]) for stem in near) + "?"
    elif present:
        advice = f"There are {', '.join(present)}."
    else:
        advice = "That folder has no notebooks; pass folder=... if they are elsewhere."
    raise NotebookError(
        f"no notebook {name}.ipynb in {folder.resolve()}, nor in a folder of another assignment "
        f"beside it. {advice}"
    )


def read_document(path: Path) -> tuple[bytes, dict[str, Any]]:
    """The bytes of a notebook, and what they mean. Raises NotebookError.

    Plain JSON: nbformat would take a second to import.
    """
    try:
        data = path.read_bytes()
        document = json.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise NotebookError(f"{path}: cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise NotebookError(
            f"{path}: not a notebook (its JSON is damaged). Open it in Jupyter; if that fails too, "
            "go back to an earlier version."
        ) from error
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list) or document.get("nbformat") != 4:
        raise NotebookError(
            f"{path}: not a notebook of format 4. If it is an old one, open and save it in Jupyter."
        )
    return data, document


def _code_cells(path: Path) -> list[dict[str, str]]:
    """Id and source of the code cells."""
    _, document = read_document(path)
    cells = document["cells"]
    code = [c for c in cells if isinstance(c, dict) and c.get("cell_type") == "code"]
    return [
        {"id": str(c.get("id", number)), "source": "".join(c.get("source", ""))}
        for number, c in enumerate(code, start=1)
    ]


def _parse(source: str, where: str) -> ast.Module:
    try:
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(source, where, "exec", flags)
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise NotebookError(
            f"{where}{line}: {message}. Correct it in that notebook, save, and load again."
        ) from error


def definitions(body: list[ast.stmt], loaded: set[str]) -> list[ast.stmt]:
    """The statements of a cell that ``load`` executes.

    ``loaded`` holds the names of loaded notebooks in the cells before; those of this one are added.
    """
    kept = []
    for node in body:
        if isinstance(node, ast.Assign) and _loads_notebook(node.value):
            loaded |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            kept.append(node)
        elif _is_definition(node) or (isinstance(node, ast.Assign) and _renames(node, loaded)):
            kept.append(node)
    return kept


def _renames(node: ast.Assign, loaded: set[str]) -> bool:
    """``Net = tln.Net``, or several at once: names for what is in a loaded notebook."""
    values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    return all(
        isinstance(value, ast.Attribute)
        and isinstance(value.value, ast.Name)
        and value.value.id in loaded
        for value in values
    )


def _is_definition(node: ast.stmt) -> bool:
    """An import, a function, a class, a constant."""
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, ast.AnnAssign):
        targets, value = [node.target], node.value
    else:
        return isinstance(node, _DEFINITIONS)
    constant = all(isinstance(target, ast.Name) and target.id.isupper() for target in targets)
    return constant and value is not None and _is_literal(value)


def _loads_notebook(node: ast.expr) -> bool:
    """``load("svm")`` as a notebook writes it; with more arguments it may depend on anything."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "load"
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Constant)
        and not node.keywords
    )


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True
