"""Events from a kernel as nbformat outputs: joined, bounded to text, valid whatever was sent."""

from __future__ import annotations

from typing import Any

Outputs = list[dict[str, Any]]

# Of a whole notebook, whose page a person has to open. A cell's own share is the agent's to keep.
MAX_BYTES, MAX_OUTPUTS = 24 << 20, 5_000


class OutputBudget:
    """What the cells of one notebook may still print and draw. The rest is left out, and said."""

    def __init__(self) -> None:
        self._bytes, self._outputs = MAX_BYTES, MAX_OUTPUTS
        self.cut: list[str] = []  # cells whose outputs are not all there

    def within(self, outputs: Outputs, cell: str) -> Outputs:
        """The outputs of a cell as far as there is room for them; then a sentence says so."""
        kept: Outputs = []
        for output in outputs:
            self._bytes -= _size(output)
            self._outputs -= 1
            if self._bytes < 0 or self._outputs < 0:
                self.cut.append(cell)
                return [*kept, {"output_type": "stream", "name": "stderr", "text": f"{TOO_MUCH}\n"}]
            kept.append(output)
        return kept


TOO_MUCH = (
    f"[The rest is not kept: a notebook's cells may produce {MAX_OUTPUTS:,} outputs and "
    f"{MAX_BYTES >> 20} MB in all. The points do not depend on it.]"
)


def left_out(cells: list[str]) -> list[str]:
    """What to say of cells whose outputs are not all there."""
    why = "all cells together had printed or drawn too much"
    return [f"outputs of cell {cell!r} were left out: {why}" for cell in dict.fromkeys(cells)]


def _size(output: dict[str, Any]) -> int:
    texts = (output.get("text", ""), *output.get("data", {}).values(), *output.get("traceback", ()))
    return sum(map(len, texts))


def to_notebook(events: list[Any], stdio: str = "") -> Outputs:
    """nbformat outputs from events: streams joined, displays updated, cleared where asked."""
    outputs: Outputs = []
    clear_next = False
    for event in [*events, *_stream(stdio)]:
        if not isinstance(event, dict):
            continue
        kind = event.get("output_type")
        if kind == "clear_output":
            clear_next = bool(event.get("wait"))
            if not clear_next:
                outputs.clear()
            continue
        if clear_next:
            outputs.clear()
            clear_next = False
        output = _output(kind, event)
        if kind == "update_display_data":
            same = [o for o in outputs if o.get("display_id") == event.get("display_id") != ""]
            for old in same:
                old |= {"data": _bundle(event), "metadata": {}}
        elif output is None:
            continue
        elif (
            outputs
            and kind == "stream"
            and outputs[-1]["output_type"] == "stream"
            and outputs[-1]["name"] == output["name"]
        ):
            outputs[-1]["text"] += output["text"]
        else:
            outputs.append(output)
    for output in outputs:
        output.pop("display_id", None)
    return outputs


def _stream(text: str) -> Outputs:
    return [{"output_type": "stream", "name": "stdout", "text": text}] if text else []


def _output(kind: Any, event: dict[str, Any]) -> dict[str, Any] | None:
    match kind:
        case "stream":
            name = "stderr" if event.get("name") == "stderr" else "stdout"
            return {"output_type": "stream", "name": name, "text": str(event.get("text", ""))}
        case "display_data":
            return {
                "output_type": "display_data",
                "data": _bundle(event),
                "metadata": {},
                "display_id": str(event.get("display_id", "")),
            }
        case "execute_result":
            count = event.get("execution_count")
            return {
                "output_type": "execute_result",
                "execution_count": count if isinstance(count, int) else None,
                "data": _bundle(event),
                "metadata": {},
            }
        case "error":
            lines = event.get("traceback", [])
            return {
                "output_type": "error",
                "ename": str(event.get("ename", "")),
                "evalue": str(event.get("evalue", "")),
                "traceback": [str(line) for line in lines] if isinstance(lines, list) else [],
            }
    return None


def _bundle(event: dict[str, Any]) -> dict[str, Any]:
    """The mime bundle with text values only: a notebook must stay valid whatever was sent."""
    data = event.get("data")
    if not isinstance(data, dict):
        return {}
    return {str(mime): value for mime, value in data.items() if isinstance(value, str)}
