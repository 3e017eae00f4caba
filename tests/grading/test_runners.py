"""A CI runner: pushes, a hostile one too, graded by the very commands of the workflows.

A repository on disk stands for GitHub's and GitLab's, and a script for sudo: it clears the
environment, as sudo does, but stays the same user.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from autograder.authoring.release import release
from autograder.course.secret import course_secret
from autograder.export.gradescope.push import PushError, grade_commit, read_settings, unpack
from autograder.export.gradescope.run import Settings
from cs231n_lib.data.cache import cache_dir
from tests.little import ASSIGNMENT, CLASS_POINTS, ROOT, answer, cell_of, write_course

CI = ROOT / "deploy" / "ci"
REPOSITORY = "class/ann"
SUDO = """#!/bin/sh
[ "$1 $2 $3 $4" = "-n -u cs231n-grader --" ] || exit 99
shift 4
exec env -i PATH=/usr/bin:/bin "$@"
"""
MARK = "import os\nopen({mark!r}, 'a').write(__file__)\n"
ORDER = "::error::points"


@dataclass(frozen=True)
class Runner:
    """A machine as docs/runners.md sets it up: ``folder`` is its /srv/cs231n."""

    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", **more}

    def run(self, script: str, place: Path, environment: Mapping[str, str]) -> Done:
        """As a CI agent runs a step: bash, in a folder of the job's."""
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["bash", "-e", "-c", script.replace("/srv/cs231n", str(self.folder))],
            cwd=place,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return Done(done.returncode, done.stdout + done.stderr, place / "results")


@dataclass(frozen=True)
class Done:
    """How a job ended, its log, and where its artifact is."""

    status: int
    log: str
    results: Path

    def read(self) -> dict:
        return json.loads((self.results / "results.json").read_bytes())


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """With a bundle laid out as `autograder gradescope` does (test_gradescope.py builds some)."""
    folder = tmp_path_factory.mktemp("runner")
    course = write_course(tmp_path_factory.mktemp("course"))
    release(course)
    bundle = folder / "bundles" / ASSIGNMENT
    shutil.copytree(course / "release", bundle / "course" / "release")
    shutil.copy(course / "gradebook.db", bundle / "course")
    course_secret(bundle / "course")
    settings = {"assignment": ASSIGNMENT, "minutes": 10, "visibility": "visible"}
    (bundle / "settings.json").write_text(json.dumps(settings))
    for name in ("autograder", "cs231n_lib"):
        (bundle / name).symlink_to(ROOT / name)
    for name in ("push.py", "grade_push"):
        shutil.copy(CI / name, folder)
    (folder / "cache").symlink_to(cache_dir())
    programs = {"bin/sudo": SUDO, "venv/bin/python": f'#!/bin/sh\nexec {sys.executable} "$@"\n'}
    for name, text in programs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return Runner(folder)


# -- the commands of the workflows -----------------------------------------------------------------


def committed(server: Path, files: Mapping[str, bytes], links: Mapping[str, str]) -> str:
    """Make REPOSITORY on a server on disk, with one commit; returns the commit's hash."""
    folder = server / f"{REPOSITORY}.git"
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for name, target in links.items():
        (folder / name).symlink_to(target)
    author = ("-c", "user.name=ann", "-c", "user.email=ann@uni.example")
    for command in (("init", "-q"), ("add", "-A"), (*author, "commit", "-q", "-m", ORDER)):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True)
    return found.stdout.strip()


def on_github(runner: Runner, place: Path, commit: str) -> Done:
    """What the reusable workflow does for a push."""
    workflow = yaml.safe_load((CI / "github" / "grade-push.yml").read_text("utf-8"))
    step = workflow["jobs"]["grade"]["steps"][0]
    given = {"${{ github.token }}": "a-token", "${{ inputs.assignment }}": ASSIGNMENT}
    github = {
        "GITHUB_SERVER_URL": (place / "server").as_uri(),
        "GITHUB_REPOSITORY": f"{REPOSITORY}.git",
        "GITHUB_REPOSITORY_ID": "77",
        "GITHUB_SHA": commit,
        "GITHUB_STEP_SUMMARY": str(place / "summary"),
        "RUNNER_TEMP": str(place / "job"),
    }
    step_environment = {name: given[value] for name, value in step["env"].items()}
    return runner.run(step["run"], place / "job", github | step_environment)


def on_gitlab(runner: Runner, place: Path, commit: str, **other: str) -> Done:
    """What the job of the configuration file does for a push."""
    job = yaml.safe_load((CI / "gitlab" / "grade-push.yml").read_text("utf-8"))["grade"]
    [assignment] = job["parallel"]["matrix"][0]["ASSIGNMENT"]
    gitlab = {
        "ASSIGNMENT": assignment,
        "CI_SERVER_URL": (place / "server").as_uri(),
        "CI_PROJECT_PATH": REPOSITORY,
        "CI_PROJECT_ID": "78",
        "CI_COMMIT_SHA": commit,
        "CI_JOB_TOKEN": "a-token",
    }
    return runner.run("\n".join(job["script"]), place / "job", gitlab | other)


def hostile(runner: Runner, place: Path) -> str:
    """A right solution that imports a module of its own, among files that would like to run."""

    def imports(document: dict) -> None:
        cell_of(document, "imports")["source"] += "\nfrom of_my_own import NOTHING"

    mark = MARK.format(mark=str(place / "mark")).encode()
    names = ("sitecustomize", "usercustomize", "conftest", "nbgrader_config", "autograder", "click")
    files = {f"assignment1/{name}.py": mark for name in names}
    files |= {f"{name}.py": mark for name in names}
    files |= {"autograder/__init__.py": mark, "git": b"", "sudo": b""}
    odd = (f"$(touch {place.name})", "-rf", ORDER, "a\nb'\"", "<b>")
    files |= {f"odd/{name}.ipynb": b"{}" for name in odd}
    files |= {
        ".gitattributes": b"*.ipynb filter=evil diff=evil\n*.txt export-subst\n",
        ".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = file:///etc\n',
        "assignment1/knn.ipynb": answer(imports),
        "assignment1/of_my_own.py": b"NOTHING = None\n",
    }
    secret = runner.folder / "bundles" / ASSIGNMENT / "course" / ".autograder" / "secret"
    assert secret.is_file()
    links = {"secret.ipynb": str(secret), "away": str(runner.folder), "of.py": "/etc/passwd"}
    return committed(place / "server", files, links)


@pytest.fixture(scope="module")
def pushed(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Done:
    place = tmp_path_factory.mktemp("pushed")
    return on_github(runner, place, hostile(runner, place))


@pytest.mark.sandbox
def test_a_push_is_graded_whatever_lies_beside_the_notebook(pushed: Done) -> None:
    assert pushed.status == 0, pushed.log
    assert pushed.log == "11 of 11 points; written answers that a person will read: 1\n"
    found = pushed.read()
    assert found["score"] == CLASS_POINTS
    assert {test["status"] for test in found["tests"]} == {"passed"}
    assert "secret.ipynb: " in found["output"]
    assert "link" in found["output"]


@pytest.mark.sandbox
def test_nothing_of_a_push_is_executed_or_left_on_the_runner(pushed: Done, runner: Runner) -> None:
    place = pushed.results.parents[1]
    assert not (place / "mark").exists()
    assert {path.name for path in place.iterdir()} == {"server", "job", "summary"}
    assert {path.name for path in (place / "job").rglob("*")} == {
        *("results", "results.json", "summary.md", "junit.xml"),
    }
    secret = (runner.folder / "bundles" / ASSIGNMENT / "course/.autograder/secret").read_text()
    told = [path.read_text("utf-8") for path in pushed.results.iterdir()]
    assert not [text for text in told if secret in text]


@pytest.mark.sandbox
def test_words_of_a_student_are_no_orders(pushed: Done) -> None:
    """Neither in the log, where a CI system looks for them, nor as HTML in the summary."""
    assert ORDER not in pushed.log
    text = (pushed.results.parents[1] / "summary").read_text("utf-8")
    assert text.startswith("## assignment1: 11 of 11 points")
    assert "<b>" not in text
    assert "&lt;b&gt;.ipynb" in text
    assert text.count("<details>") == 4


@pytest.mark.nightly
@pytest.mark.sandbox
def test_a_broken_notebook_says_what_is_wrong_and_that_somebody_has_to_look(
    runner: Runner, tmp_path: Path
) -> None:
    commit = committed(tmp_path / "server", {"knn.ipynb": answer()[:-200]}, {})
    done = on_gitlab(runner, tmp_path, commit)
    assert done.status == 1
    assert "somebody has to look at it" in done.log
    assert "knn" in done.read()["output"]
    cases = ElementTree.parse(done.results / "junit.xml").getroot()
    assert len(cases) == 4
    assert all(case.find("failure") is not None for case in cases)


@pytest.mark.sandbox
def test_the_runner_keeps_hand_ins_and_what_only_the_staff_may_see(
    pushed: Done, runner: Runner
) -> None:
    records = runner.folder / "records" / ASSIGNMENT
    assert {path.name for path in records.iterdir()} == {"77.json", "77.log"}
    assert len(json.loads((records / "77.json").read_text())["knn"]) == 1
    assert "hand_ins" not in pushed.read()["extra_data"]
    assert "user-77" in (records / "77.log").read_text("utf-8")


# -- what is refused before anything is graded -----------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"ASSIGNMENT": "assignment9"}, 2, "this runner grades no assignment9"),
        ({"ASSIGNMENT": "../records"}, 2, "give the name of an assignment"),
        ({"CI_PROJECT_ID": "7;x"}, 2, "give the name of an assignment and the number"),
        ({"CI_COMMIT_SHA": "--upload-pack=x"}, 2, "--commit"),
        ({"CI_COMMIT_SHA": "0" * 40}, 1, "the commit could not be fetched"),
    ],
)
def test_a_job_that_cannot_be_right_says_why(
    runner: Runner, tmp_path: Path, change: dict[str, str], status: int, message: str
) -> None:
    commit = committed(tmp_path / "server", {"knn.ipynb": b"{}"}, {})
    done = on_gitlab(runner, tmp_path, commit, **change)
    assert done.status == status, done.log
    assert message in done.log
    assert "Traceback" not in done.log
    assert not (done.results / "results.json").exists()


def zipped(files: Mapping[str, bytes]) -> BytesIO:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    packed.seek(0)
    return packed


def test_what_leads_out_or_blows_up_is_left_out(tmp_path: Path) -> None:
    files = {"../out.ipynb": b"x", "/abs.ipynb": b"x", "big.ipynb": bytes(65 << 20), "a.py": b"y"}
    root = tmp_path / "root"
    root.mkdir()
    notes = unpack(zipped(files), root)
    kept = [path for path in (root / "submission").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == ["a.py"]
    assert len(notes) == 3
    assert not list(tmp_path.rglob("out.ipynb"))


def test_what_is_no_zip_is_said(tmp_path: Path) -> None:
    [note] = unpack(BytesIO(b"no zip"), tmp_path)
    assert "cannot be read as a zip" in note


def test_a_grader_that_fails_gives_no_grade_and_tells_only_the_staff_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(ASSIGNMENT, 10, "visible")
    found = grade_commit(tmp_path, settings, 7, tmp_path / "7.json", zipped({}))
    assert found["output"].startswith("NOT GRADED: the 0 is not a grade.")
    assert (found["extra_data"]["graded"], found["extra_data"]["needs_human"]) == (False, True)
    assert "FileNotFoundError" not in json.dumps(found)
    assert "FileNotFoundError" in capsys.readouterr().out


def test_a_bundle_that_hides_its_messages_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(
        json.dumps({"assignment": ASSIGNMENT, "minutes": 10, "visibility": "hidden"})
    )
    with pytest.raises(PushError, match="--visibility visible"):
        read_settings(tmp_path)


# -- the files themselves --------------------------------------------------------------------------


def test_workflows_check_nothing_out_and_give_the_token_no_more_than_reading() -> None:
    workflow = yaml.safe_load((CI / "github" / "grade-push.yml").read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    [job] = workflow["jobs"].values()
    assert job["runs-on"] == {"group": "grading"}
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert [use.partition("@")[0] for use in used] == ["actions/upload-artifact"]
    assert all(len(use.partition("@")[2]) == 40 for use in used)  # pinned: tags can be moved
    # An expression in a script is pasted into it as text: inputs are a student's.
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]
    student = yaml.safe_load((CI / "github" / "student.yml").read_text("utf-8"))
    assert student["permissions"] == {"contents": "read"}
    gitlab = yaml.safe_load((CI / "gitlab" / "grade-push.yml").read_text("utf-8"))
    assert gitlab["grade"]["variables"] == {"GIT_STRATEGY": "none"}
