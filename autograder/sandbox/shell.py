"""IPython in the sandbox: runs cells and reports their outputs as an ipykernel would.

The shell is built in the zygote, so that a fork starts with everything in place. It speaks no zmq;
every output is handed to one ``emit(event)`` callable as plain data in nbformat's own terms.
"""

from __future__ import annotations

import asyncio
import base64
import builtins
import getpass
import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

Emit = Callable[[dict[str, Any]], None]

INLINE = "module://matplotlib_inline.backend_inline"
FLUSH_CHARS = 1 << 13
FLUSH_SECONDS = 0.1


class Stream(io.TextIOBase):
    """A text stream whose writes become ``stream`` events, a few at a time."""

    def __init__(self, name: str, emit: Emit) -> None:
        self.name = name
        self._emit = emit
        self._parts: list[str] = []
        self._chars = 0
        self._flushed = time.monotonic()

    encoding = "utf-8"
    errors = "replace"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        """The real descriptor, as ipykernel gives it: what C code writes there is kept too."""
        return {"stdout": 1, "stderr": 2}[self.name]

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._parts.append(text)
        self._chars += len(text)
        if self._chars > FLUSH_CHARS or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()
        return len(text)

    def flush(self) -> None:
        parts, self._parts, self._chars = self._parts, [], 0
        self._flushed = time.monotonic()
        if parts:
            self._emit({"output_type": "stream", "name": self.name, "text": "".join(parts)})


class _Hook(DisplayHook):
    """The value of a cell's last line becomes an ``execute_result``."""

    def start_displayhook(self) -> None:
        self._result: dict[str, Any] = {"output_type": "execute_result"}

    def write_output_prompt(self) -> None:
        self._result["execution_count"] = self.prompt_count

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        self._result |= {"data": _text_only(format_dict), "metadata": _plain(md_dict)}

    def finish_displayhook(self) -> None:
        if self._result.get("data"):
            _emit(self.shell, self._result)


class _Publisher(DisplayPublisher):
    """``display(...)``, figures, and ``clear_output``."""

    def publish(  # type: ignore[override]
        self,
        data: dict,
        metadata: dict | None = None,
        *,
        transient: dict | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        _emit(
            self.shell,
            {
                "output_type": "update_display_data" if update else "display_data",
                "data": _text_only(data),
                "metadata": _plain(metadata),
                "display_id": str((transient or {}).get("display_id", "")),
            },
        )

    def clear_output(self, wait: bool = False) -> None:
        _emit(self.shell, {"output_type": "clear_output", "wait": bool(wait)})


class SandboxShell(InteractiveShell):
    """InteractiveShell whose outputs all go through :meth:`emit`."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    emit_event: Emit | None = None

    def emit(self, event: dict[str, Any]) -> None:
        """Send one output, after the text printed before it."""
        if isinstance(sys.stdout, Stream):
            sys.stdout.flush()
        if isinstance(sys.stderr, Stream):
            sys.stderr.flush()
        if self.emit_event is not None:
            self.emit_event(event)

    @contextmanager
    def _tee(self, channel: Literal["stdout", "stderr"]) -> Iterator[None]:
        """IPython's keeps in memory whatever is printed, so that a loop that prints filled it."""
        yield

    def enable_gui(self, gui: str | None = None) -> None:
        """No window system here, and none needed."""

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.emit(
            {
                "output_type": "error",
                "ename": str(etype.__name__),
                "evalue": str(evalue),
                "traceback": stb,
            }
        )


def _emit(shell: InteractiveShell | None, event: dict[str, Any]) -> None:
    assert isinstance(shell, SandboxShell)
    shell.emit(event)


def build_shell() -> SandboxShell:
    """The one shell of the process, with inline figures; called in the zygote."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "linux"  # what ipykernel's tracebacks carry
    shell = SandboxShell.instance(config=config)
    # `len?` opens a pager in the browser, which a notebook's outputs do not show.
    shell.set_hook("show_in_pager", lambda *_, **__: None, 0)
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline.backend_inline import configure_inline_support, flush_figures

    activate_matplotlib(INLINE)
    configure_inline_support(shell, INLINE)
    if flush_figures not in shell.events.callbacks["post_execute"]:
        shell.events.register("post_execute", flush_figures)
    return shell


def connect(shell: SandboxShell, emit: Emit) -> None:
    """Let the shell, stdout, stderr and ``input`` of this process speak to ``emit``."""
    shell.emit_event = emit
    sys.stdout, sys.stderr = Stream("stdout", emit), Stream("stderr", emit)
    builtins.input = _no_input  # type: ignore[assignment]
    getpass.getpass = _no_input  # type: ignore[assignment]


async def run_cell(shell: SandboxShell, source: str) -> BaseException | None:
    """Run one cell to its end, outputs going to ``emit``; what it raised, if it did."""
    preprocessing_error = None
    try:
        transformed = shell.transform_cell(source)
    except Exception:
        transformed, preprocessing_error = source, sys.exc_info()
    is_async = shell.should_run_async(
        source, transformed_cell=transformed, preprocessing_exc_tuple=preprocessing_error
    )
    if is_async:
        # run_cell cannot be used within a running loop; it would fire these events itself.
        result = await asyncio.ensure_future(
            shell.run_cell_async(
                source,
                store_history=True,
                transformed_cell=transformed,
                preprocessing_exc_tuple=preprocessing_error,
            )
        )
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)
    else:
        result = shell.run_cell(source, store_history=True)
    sys.stdout.flush()
    sys.stderr.flush()
    return result.error_before_exec or result.error_in_exec


def _no_input(prompt: str = "", stream: Any = None) -> str:
    raise StdinNotImplementedError(
        "raw_input was called, but this frontend does not support input requests."
    )


def _text_only(data: dict) -> dict[str, Any]:
    """A mime bundle with binary images in base64, as notebooks store them."""
    return {
        str(mime): base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
        for mime, value in data.items()
    }


def _plain(metadata: dict | None) -> dict[str, Any]:
    return dict(metadata or {})
