"""nbgrader's two plug-in points of ``nbgrader zip_collect``, for downloads of Canvas & Co.

In ``nbgrader_config.py``::

    c.ZipCollectApp.extractor_plugin = "autograder.collect.plugins.LmsExtractor"
    c.ZipCollectApp.collector_plugin = "autograder.collect.plugins.LmsCollector"

`run.collect` drives the same two classes; docs/collect.md says what zip_collect itself cannot do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Enum, Unicode

from autograder.collect import FORMATS
from autograder.collect.archives import UNPACKED, Download, Unpacker
from autograder.collect.exports import read, recognise
from autograder.collect.names import clean
from autograder.collect.notebooks import load_released
from autograder.collect.people import Roster, gradebook_students, read_roster
from autograder.collect.plan import Candidate, Plan, make_plan


class LmsExtractor(ExtractorPlugin):
    """Unpacks under caps. What is refused is a warning and leaves a student's zip beside it."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack every zip and copy every folder and file of ``archive_path``."""
        _, unpacker = self.unpack(sorted(Path(archive_path).iterdir()), Path(extracted_path))
        for refused in unpacker.refused:
            self.log.warning("%s: %s", refused.where, refused.reason)

    def unpack(self, paths: Iterable[Path], folder: Path) -> tuple[list[Download], Unpacker]:
        """Put the paths into the folder; say what came out of each, and what was refused."""
        unpacker = Unpacker(folder)
        downloads = []
        for path in paths:
            if path.is_dir() or path.suffix.casefold() == ".zip":
                downloads.append(unpacker.unpack(path))
            else:
                unpacker.copy(path, folder / clean(path.name))
        return downloads, unpacker


class LmsCollector(FileNameCollectorPlugin):
    """Tells whose a file is and which notebook, having looked at all files of the download."""

    source = Enum(("auto", *FORMATS), default_value="auto", help="What the download is of.").tag(
        config=True
    )
    roster = Unicode(
        "",
        help="A CSV file with the columns id, first_name, last_name, email, lms_user_id. "
        "Without one, students are looked up in the gradebook.",
    ).tag(config=True)

    _found: dict[Path, Candidate | str] | None = None

    def collect(self, submitted_file: str) -> dict | None:
        """As zip_collect wants it: student_id, file_id and timestamp, or None to skip the file."""
        path = Path(submitted_file)
        if self._found is None:
            self._found = self._look_at_all()
        found = self._found.get(path, "not used")
        if isinstance(found, str):
            self.log.warning("%s: %s", path, found)
            return None
        if not found.beside and path.suffix != ".ipynb":  # zip_collect would keep the ending
            self.log.warning("%s: rename it to %s.ipynb, collect again", path, found.notebook)
            return None
        time = found.handed.time
        timestamp = {"timestamp": time.isoformat(" ")} if time else {}
        name = found.path.removesuffix(path.suffix)
        return {"student_id": found.student, "file_id": name, **timestamp}

    def plan(
        self,
        root: Path,
        assignment: str,
        downloads: Sequence[Download],
        attempt: int | None = None,
    ) -> Plan:
        """What goes where. Raises CollectError, and TemplateError where nothing is released."""
        students = read_roster(root / self.roster) if self.roster else gradebook_students(root)
        roster, released = Roster(students), load_released(root, assignment)
        handed_in = []
        for download in downloads:
            handed_in += read(download, self.source, assignment, roster.knows)
        return make_plan(handed_in, roster, released, attempt)

    def _look_at_all(self) -> dict[Path, Candidate | str]:
        """What to do with each extracted file: collect it, or the reason why not."""
        app = self.parent
        assert app is not None, "nbgrader zip_collect makes this plug-in"
        extracted = Path(app._format_collect_path(app.extracted_directory))
        course = app.coursedir
        plan = self.plan(Path(course.root), course.assignment_id, _downloads(extracted))
        found: dict[Path, Candidate | str] = {}
        for one in plan.chosen:
            if one.handed.file in found:
                self.log.warning("%s: also of %s, not collected", one.handed.file, one.student)
            found.setdefault(one.handed.file, one)
        for one, reason in plan.spare:
            found.setdefault(one.handed.file, reason)
        for leftover in plan.leftovers:
            if leftover.file is not None:
                found.setdefault(leftover.file, leftover.reason)
        return found


def _downloads(extracted: Path) -> list[Download]:
    """What was in the archive folder: one unpacked download, or several."""
    folders = [path for path in sorted(extracted.iterdir()) if path.is_dir()]
    if recognise(extracted) or not folders:
        return [Download(extracted, extracted.name, zipped=False)]
    names = [(path, path.name.removesuffix(UNPACKED)) for path in folders]
    return [
        Download(path, Path(name).stem if name != path.name else name, zipped=name != path.name)
        for path, name in names
    ]
