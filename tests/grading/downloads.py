"""Downloads as Canvas, Moodle and Gradescope write them, and a course to collect them into."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import yaml

from autograder.collect.run import Collected, collect

REPOSITORY = Path(__file__).resolve().parents[2]
ASSIGNMENT = "assignment1"
NOON = datetime(2031, 3, 1, 12)
COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")
CLASS = (
    ("ann", "Ann", "Müller", "ann@x.edu", "101"),
    ("bob", "Bob", "O'Neil", "bob@x.edu", "102"),
    ("06758767", "Zoë", "van der Berg", "zoe@x.edu", "103"),
)


class AsUtf8(zipfile.ZipInfo):
    """A member whose name is UTF-8 without saying so, as rubyzip (Canvas) and macOS write it."""

    def _encodeFilenameFlags(self):  # noqa: N802  (zipfile's own hook)
        return self.filename.encode("utf-8"), self.flag_bits & ~0x800


class AsCp437(zipfile.ZipInfo):
    """A member named as DOS did."""

    def _encodeFilenameFlags(self):  # noqa: N802
        return self.filename.encode("cp437"), self.flag_bits & ~0x800


def notebook(name: str = "knn", remark: str = "mine", assignment: str = ASSIGNMENT) -> bytes:
    """The released notebook with something written into its first answer."""
    document = released(name, assignment)
    answers = [c for c in document["cells"] if c["metadata"].get("nbgrader", {}).get("solution")]
    answers[0]["source"] = f"# {remark}\n{''.join(answers[0]['source'])}"
    return json.dumps(document).encode()


def released(name: str = "knn", assignment: str = ASSIGNMENT) -> dict:
    path = REPOSITORY / "release" / assignment / f"{name}.ipynb"
    return json.loads(path.read_text("utf-8"))


def write_zip(
    path: Path,
    members: Mapping[str, bytes],
    time: datetime = NOON,
    kind: type[zipfile.ZipInfo] = zipfile.ZipInfo,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = kind(name, time.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def zipped(members: Mapping[str, bytes], folder: Path) -> bytes:
    """A zip as a student hands it in."""
    return write_zip(folder / "inner.zip", members).read_bytes()


def gradescope(folder: Path, submissions: Mapping[str, dict], files: Mapping[str, bytes]) -> Path:
    """An export: ``submissions`` are the people and the time of each folder."""
    about = {
        name: {
            ":submitters": [
                {f":{key}": value for key, value in person.items()} for person in one["people"]
            ],
            ":created_at": datetime.fromisoformat(one["time"]),
            ":score": 0.0,
            ":status": "processed",
            ":results": {"tests": [], "output": "no autograder"},
            ":history": [],
        }
        for name, one in submissions.items()
    }
    metadata = {"submission_metadata.yml": yaml.safe_dump(about, allow_unicode=True).encode()}
    members = metadata | dict(files)
    inside = {f"assignment_77_export/{name}": data for name, data in members.items()}
    return write_zip(folder / "assignment_77_export.zip", inside)


def write_course(root: Path) -> Path:
    """What collecting needs of a course: its release."""
    shutil.copytree(REPOSITORY / "release", root / "release")
    return root


def write_roster(path: Path, rows=CLASS, **options) -> Path:
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        writer = csv.writer(file, **options)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return path


def tree(folder: Path) -> dict[str, str]:
    """Every file below, with the hash of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def submitted(root: Path, student: str, name: str = "knn.ipynb") -> Path:
    return root / "submitted" / student / ASSIGNMENT / name


def students(root: Path) -> dict[str, list[str]]:
    """Whose submissions there are, and of which files."""
    return {
        folder.parent.name: sorted(path.name for path in folder.iterdir())
        for folder in sorted((root / "submitted").glob(f"*/{ASSIGNMENT}"))
    }


def outcomes(done: Collected) -> dict[str, str]:
    """What became of every file of the download, by its own name."""
    return {row.where.rpartition("/")[2]: row.outcome for row in done.rows}


def remarks(done: Collected) -> str:
    return "\n".join(f"{row.student}/{row.notebook} {row.where}: {row.note}" for row in done.rows)


def gather(root: Path, *paths: Path, **options) -> Collected:
    """Collect into the course, with the class as its roster unless one is named."""
    if "roster" not in options:
        options["roster"] = write_roster(root / "roster.csv")
    return collect(root, ASSIGNMENT, paths, **options)
