"""A JupyterHub's machine without the hub: an exchange folder, and students who use it.

Where the tests run as root, each student is a Unix user of this machine, and the instructor is
root. Otherwise all of them are the same user, and each student has a home and settings of their
own.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.courses import SECONDS

COURSE_ID = "cs231n"
ACCOUNTS = ("games", "daemon", "news")  # every Debian has them, and nobody works as one of them
AS_ROOT = os.getuid() == 0

#: Becomes the student once all is imported, since a student may not be able to read this Python.
STUDENT = """
import json, os, sys
import nbgrader.apps.nbgraderapp as app
import nbgrader.server_extensions.assignment_list.handlers as handlers
from traitlets.config import Application
import nbgrader.exchange.default, encodings.idna, multiprocessing, unicodedata
uid, gid, umask = map(int, sys.argv[1:4])
os.umask(umask)
if uid >= 0:
    os.setgroups([]), os.setgid(gid), os.setuid(uid)
api = handlers.AssignmentList()
api.root_dir = os.getcwd()
said = []
for kind, *words in json.loads(sys.argv[4]):
    if kind == "api":  # what JupyterLab's assignment list asks its server
        said.append(getattr(api, words[0])(*words[1:]))
    elif kind == "nbgrader":
        if Application.initialized():
            type(Application.instance()).clear_instance()
        try:
            app.NbGraderApp.launch_instance(argv=words)
        except SystemExit as end:
            assert not end.code, words
    else:
        exec(words[0])
print("\\n" + json.dumps(said, default=str))
"""


@dataclass(frozen=True)
class Student:
    """Somebody with a home, who is on the machine with the exchange."""

    name: str  # as nbgrader knows them
    home: Path
    exchange: Path
    uid: int = -1
    gid: int = -1

    def does(self, *actions: Sequence[str], umask: int = 0o022) -> list:
        """Run them one after the other; what the assignment list answered to those that ask it."""
        values = map(str, (self.uid, self.gid, umask, json.dumps(actions)))
        done = subprocess.run(
            [sys.executable, "-c", STUDENT, *values],
            cwd=self.home,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.rpartition("\n")[0].rpartition("\n")[2] or done.stdout)

    def _environment(self) -> dict[str, str]:
        here = {"HOME": str(self.home), "JUPYTER_CONFIG_DIR": str(self.home / "config")}
        here |= {f"JUPYTER_{k}_DIR": str(self.home / k.lower()) for k in ("DATA", "RUNTIME")}
        return os.environ | here | {"JUPYTER_NO_CONFIG": "", "IPYTHONDIR": str(self.home / "ipy")}


def students(place: Path, count: int) -> list[Student]:
    """Students of this machine, with homes in ``place``; the exchange is there, too."""
    exchange = place / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    found = []
    for account in ACCOUNTS[:count]:
        home = place / account
        (home / "config").mkdir(parents=True)
        settings = exchange_settings(exchange)
        if AS_ROOT:
            user = pwd.getpwnam(account)
            one = Student(account, home, exchange, user.pw_uid, user.pw_gid)
        else:
            one = Student(account, home, exchange)
            settings += f"c.CourseDirectory.student_id = {account!r}\n"
        (home / "config" / "nbgrader_config.py").write_text(f"c = get_config()\n{settings}")
        if AS_ROOT:
            for path in (home, *home.rglob("*")):
                os.chown(path, one.uid, one.gid)
            home.chmod(0o700)
        found.append(one)
    return found


def exchange_settings(exchange: Path) -> str:
    """Lines of an nbgrader_config.py, the instructor's and the students'."""
    lines = f"c.Exchange.root = {str(exchange)!r}\nc.CourseDirectory.course_id = {COURSE_ID!r}\n"
    # Without users of their own, a hand-in's owner says nothing.
    return lines if AS_ROOT else lines + "c.ExchangeCollect.check_owner = False\n"
