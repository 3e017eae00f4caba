"""Whether what graders need is installed in this Python: a sentence in place of a traceback.

Read by whatever Python somebody happens to start, so that it imports nothing of ours and is written
in a Python of long ago.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

OLDEST = (3, 11)
NEEDED = ("click", "nbgrader", "nbconvert", "nh3", "math_core", "msgpack", "rich", "numpy")
COURSE = Path(__file__).resolve().parents[2]


def complaint(command):
    """What is wrong with this Python and what to do, as one line; empty where nothing is.

    ``command``: what was run, as one types it in an activated environment.
    """
    version = ".".join(map(str, sys.version_info[:2]))
    if sys.version_info < OLDEST:
        wrong = "is Python {}, and the course needs {}.{} or newer".format(version, *OLDEST)
    else:
        missing = [name for name in NEEDED if find_spec(name) is None]
        if not missing:
            return ""
        more = f" and {len(missing) - 3} more packages" if len(missing) > 3 else ""
        wrong = f"lacks {', '.join(missing[:3])}{more}"
    if Path(sys.prefix) == COURSE / ".venv":
        todo = "bring it up to date: `pip install -r requirements.lock`"
    elif (COURSE / ".venv" / "bin" / "activate").exists():
        todo = f"run `source {COURSE}/.venv/bin/activate` first"
    else:
        todo = (
            "set up an environment (`make demo`, or `pip install -r requirements.lock`) and "
            "activate it first"
        )
    return "{}: {} {}; {}".format(command, sys.executable or "this Python", wrong, todo)
