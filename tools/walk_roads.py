"""Walk docs/roads.md: do what it says on a fresh machine, and write down what came out.

    .venv/bin/python tools/walk_roads.py            # all roads; half an hour
    .venv/bin/python tools/walk_roads.py student    # the roads whose heading has this word

The page is its own script. A line that begins with `$` in a block of type console is a command;
what follows it is its output, which is replaced, as are the seconds behind it. Before a block there
may stand

    File `PATH`:                the block is written into this file
    Add to `PATH`:              the block is appended to it
    Cell `ID` of `NOTEBOOK`:    the block replaces what the cell holds
    Function `NAME` of `PATH`:  the block replaces this function, also within a class or a notebook;
                                where its body is `...`, our answer does, which is not for readers
    <!-- keep 5+3 -->           of each output in the block, the first 5 and the last 3 lines

Each road (a heading that begins with "A" or "An") is a shell of its own, and all have one home, an
empty folder. Nothing is installed but what the page installs; the course comes from a clone of this
repository as it was last committed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "roads.md"
ADDRESS = "ADDRESS-OF-YOUR-COURSE"
BLOCK = re.compile(
    r"(?:^<!-- keep (?P<first>\d+)\+(?P<last>\d+) -->\n+)?"
    r"(?:^(?P<verb>File|Add to|Cell|Function) `(?P<name>[^`]+)`(?: of `(?P<path>[^`]+)`)?:\n\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SECONDS = re.compile(r"\s+# \d+ s(, exit status \d+)?$")
END = "--- end of the command:"
KEEP = 12, 6  # lines of an output, unless the page says otherwise


class Shell:
    """A shell that goes on from command to command; its first folder is `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        not_ours = re.compile("VIRTUAL_ENV|CS231N_|JUPYTER|PYTHON")
        kept = {name: value for name, value in os.environ.items() if not not_ours.match(name)}
        of_its_own = {"HOME": str(home), "COLUMNS": "100", "TERM": "dumb"}
        user = Path.home() / ".config" / "pip" / "pip.conf"  # this machine's mirrors of packages
        if user.is_file():
            of_its_own["PIP_CONFIG_FILE"] = str(user)
        self.process = subprocess.Popen(
            ["bash"],
            cwd=home,
            env=kept | of_its_own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def run(self, command: str) -> tuple[str, int, float]:
        """What it prints, its exit status, its seconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        began = time.monotonic()
        command = command.replace(ADDRESS, str(ROOT))
        told = f"{{ {command}\n}} </dev/null; status=$?; echo; echo '{END}' $status"
        print(told, file=self.process.stdin, flush=True)
        lines = []
        for line in self.process.stdout:
            if line.startswith(END):
                seconds = time.monotonic() - began
                return self.tidy("".join(lines)), int(line.removeprefix(END)), seconds
            lines.append(line)
            print(line, end="", file=sys.stderr, flush=True)
        raise SystemExit(f"the shell ended in: {command}")

    def tidy(self, output: str) -> str:
        """Without colours, progress and the names of this machine's folders."""
        output = re.sub(r".*\r(?!\n)", "", ANSI.sub("", output))
        output = re.sub(r"^WARNING: Location .*\n", "", output, flags=re.M)  # of pip's mirrors
        output = output.replace(str(self.home), "~").replace(str(ROOT), ADDRESS)
        output = output.replace(str(Path.home()), "~")  # where this machine's Python may be
        return re.sub(r"[ \t]+$", "", output, flags=re.M).strip("\n")

    def where(self, path: str) -> Path:
        folder = self.run("pwd")[0].replace("~", str(self.home))
        return Path(folder) / path


def walk(shell: Shell, match: re.Match[str]) -> str:
    """Do what a block says; the block, with what came out."""
    if match["verb"]:
        fill_in(shell, match)
        return match[0]
    if match["language"] != "console":
        return match[0]
    first, last = (int(match["first"]), int(match["last"])) if match["first"] else KEEP
    told = []
    for command in re.findall(r"^\$ (.*)$", match["text"], re.M):
        command = SECONDS.sub("", command)
        print(f"$ {command}", file=sys.stderr, flush=True)
        output, status, seconds = shell.run(command)
        spent = f"    # {seconds:.0f} s" + (f", exit status {status}" if status else "")
        told.append(f"$ {command}{spent if seconds >= 1 or status else ''}")
        lines = output.splitlines()
        if len(lines) > first + last + 1:
            left_out = len(lines) - first - last
            lines[first : len(lines) - last] = [f"[... {left_out} lines]"]
        told += lines
    return match[0].replace(match["text"], "".join(f"{line}\n" for line in told))


def fill_in(shell: Shell, match: re.Match[str]) -> None:
    path, text = shell.where(match["path"] or match["name"]), match["text"]
    if match["verb"] == "File":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    elif match["verb"] == "Add to":
        path.write_text(path.read_text("utf-8") + text, "utf-8")
    elif match["verb"] == "Function" and path.suffix == ".py":
        path.write_text(replaced(path.read_text("utf-8"), match["name"], text), "utf-8")
    else:
        notebook = json.loads(path.read_text("utf-8"))
        changed = 0
        for cell in notebook["cells"]:
            source = "".join(cell["source"])
            if match["verb"] == "Cell" and cell["id"] == match["name"]:
                new = text.rstrip("\n")
            elif match["verb"] == "Function" and f"def {match['name']}(" in source:
                if re.search(r"^    \.\.\.", text, re.M):
                    text = answer(path, match["name"])
                new = replaced(source, match["name"], text)
            else:
                continue
            cell["source"] = new.splitlines(keepends=True)
            changed += 1
        if changed != 1:
            raise SystemExit(f"{path}: {changed} cells for {match['verb']} {match['name']}")
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def answer(released: Path, name: str) -> str:
    """A function as the instructors' notebook of the same name has it."""
    notebook = json.loads(Path(ROOT, "source", *released.parts[-2:]).read_text("utf-8"))
    cells = ("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    source = next(cell for cell in cells if f"def {name}(" in cell)
    lines = source.splitlines(keepends=True)
    old = function_in(source, name)
    text = textwrap.dedent("".join(lines[old.lineno - 1 : old.end_lineno]))
    return re.sub(r"^ *### (BEGIN|END) SOLUTION\n", "", text, flags=re.M)


def function_in(source: str, name: str) -> ast.FunctionDef:
    (found,) = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    return found


def replaced(source: str, name: str, text: str) -> str:
    """Source with another definition of one function, indented as the old one is."""
    old = function_in(source, name)
    lines = source.splitlines(keepends=True)
    indent = " " * old.col_offset
    new = [indent + line if line.strip() else line for line in text.splitlines(keepends=True)]
    lines[old.lineno - 1 : old.end_lineno] = new
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("roads", nargs="*", help="words of headings; default: all of them")
    parser.add_argument("--page", type=Path, default=PAGE, help="another page in this form")
    parser.add_argument("--home", type=Path, help="a folder that stays; default: one that does not")
    options = parser.parse_args()
    page = options.page.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        home = (options.home or Path(folder)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        # A road's heading begins with A or An; others may stand within blocks.
        for section in re.split(r"^(?=## An? )", page, flags=re.M):
            heading = section.splitlines()[0].lower() if section.startswith("## A") else ""
            if not heading or (options.roads and not any(one in heading for one in options.roads)):
                continue
            shell = Shell(home)
            walked = BLOCK.sub(lambda match, shell=shell: walk(shell, match), section)
            page = page.replace(section, walked)
            options.page.write_text(page, "utf-8")
            assert shell.process.stdin is not None
            shell.process.stdin.close()
            shell.process.wait()


if __name__ == "__main__":
    main()
