#!/usr/bin/env python3
"""What a CI job runs on a grading runner for one push; see docs/runners.md.

    python3 -I push.py --repository URL --commit SHA --id NUMBER --assignment NAME --out FOLDER

It fetches the commit and hands it, as a zip, to the program beside it, `grade_push`, which runs as
another user: whoever takes over the CI agent has neither the checks nor the secret. The commit is
never checked out, so that none of its files, links, hooks, filters or submodules is ever here.

Writes results.json, summary.md and junit.xml to FOLDER. A token for URL is read from CS231N_TOKEN.
Exit status: 0 graded, whatever the points; 1 something needs a person; 2 wrong use.

It needs Python 3.9 and git, nothing of the course. It prints no word of a student's: CI systems
take some lines of a job's log for orders.
"""

import argparse
import base64
import html
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

GRADER = "cs231n-grader"  # the user who has the checks
GRADE = Path(__file__).resolve().with_name("grade_push")
NEEDS_HUMAN, WRONG_USE = 1, 2
MOST_BYTES = 1 << 30  # of a file that git writes
SECONDS = 300  # for git
MOST_SUMMARY = 1 << 20  # bytes that GitHub takes; of a longer one it shows nothing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repository", required=True, help="URL to fetch from")
    parser.add_argument("--commit", required=True, help="its full hash")
    parser.add_argument("--id", required=True, help="the repository's number: whose hand-in it is")
    parser.add_argument("--assignment", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--summary", type=Path, help="also append the summary to this file")
    parser.add_argument("--user", default="x-access-token", help="the name the token goes with")
    options = parser.parse_args()
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", options.commit):
        return say("--commit is no full hash of a commit", WRONG_USE)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cs231n-push-") as scratch:
        try:
            commit = fetch(options, Path(scratch))
        except (subprocess.SubprocessError, OSError) as error:
            return say(f"the commit could not be fetched: {error}", NEEDS_HUMAN)
        with commit.open("rb") as file:
            command = ["sudo", "-n", "-u", GRADER, "--", str(GRADE)]
            done = subprocess.run(
                [*command, options.assignment, options.id], stdin=file, stdout=subprocess.PIPE
            )
    try:
        results = json.loads(done.stdout)
    except ValueError:
        return say("the grader gave no results", done.returncode or NEEDS_HUMAN)
    write(results, options)
    return say(in_short(results), done.returncode)


def say(text: str, status: int) -> int:
    print(text, flush=True)
    return status


def fetch(options: argparse.Namespace, folder: Path) -> Path:
    """The commit as a zip. The token is in git's environment, not in a file or its arguments."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",  # no filter, helper or LFS that somebody has set up here
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }
    if token := os.environ.get("CS231N_TOKEN"):
        known = base64.b64encode(f"{options.user}:{token}".encode()).decode()
        environment["GIT_CONFIG_COUNT"] = "1"
        environment["GIT_CONFIG_KEY_0"] = "http.extraHeader"
        environment["GIT_CONFIG_VALUE_0"] = f"Authorization: Basic {known}"

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=SECONDS,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES)),
        )

    git("init", "--quiet", "--bare", "commit.git")
    source, only = ("--git-dir=commit.git", ("--depth=1", "--no-tags", "--no-recurse-submodules"))
    git(source, "fetch", "--quiet", *only, "--", options.repository, options.commit)
    git(source, "archive", "--format=zip", "--output=commit.zip", options.commit)
    return folder / "commit.zip"


def write(results: "dict[str, Any]", options: argparse.Namespace) -> None:
    """The same results for programs, for people, and for CI systems that list tests."""
    (options.out / "results.json").write_text(json.dumps(results, indent=1), "utf-8")
    text = summary(results, options.assignment)
    (options.out / "summary.md").write_text(text, "utf-8")
    if options.summary:
        if len(text.encode()) > MOST_SUMMARY:
            text = f"{text.splitlines()[0]}\n\nThe rest is too long for here: see the artifact.\n"
        with options.summary.open("a", encoding="utf-8") as file:
            file.write(text)
    suite = ET.Element("testsuite", name=options.assignment)
    for test in results["tests"]:
        case = ET.SubElement(suite, "testcase", classname=options.assignment, name=test["name"])
        if test["status"] != "passed":
            ET.SubElement(case, "failure", message=points(test)).text = test["output"]
    ET.ElementTree(suite).write(options.out / "junit.xml", encoding="utf-8", xml_declaration=True)


def summary(results: "dict[str, Any]", assignment: str) -> str:
    """In Markdown. Words of students are text in it, whatever they are."""
    lines = [f"## {assignment}: {in_short(results)}", ""]
    if results["output"]:
        lines += [f"<pre>{html.escape(results['output'])}</pre>", ""]
    for test in results["tests"]:
        title = html.escape(f"{test['name']}: {points(test)}")
        text = html.escape(test["output"]).replace("\n", "&#10;")  # a blank line would end the HTML
        lines += [f"<details><summary>{title}</summary><pre>{text}</pre></details>", ""]
    return "\n".join(lines) + "\n"


def in_short(results: "dict[str, Any]") -> str:
    """Numbers and fixed words only: this goes to the log."""
    extra = results["extra_data"]
    if not extra["graded"] and not any(test.get("max_score") for test in results["tests"]):
        return "not graded; this is no grade"
    most = sum(test.get("max_score", 0) for test in results["tests"])
    said = f"{results['score']:g} of {most:g} points"
    if extra.get("written_answers_to_read"):
        said += f"; written answers that a person will read: {extra['written_answers_to_read']}"
    if not extra["graded"]:
        said += "; not all of it was graded"
    return said + ("; somebody has to look at it" if extra["needs_human"] else "")


def points(test: "dict[str, Any]") -> str:
    return f"{test.get('score', 0):g} of {test.get('max_score', 0):g} points"


if __name__ == "__main__":
    sys.exit(main())
