"""The formgrader's pages: each question that a person grades with its rubric beside the answer.

Only there: what is asked for is that the page is one of the formgrader's, which gives it the id of a
submission. Feedback pages are made by the same exporter with the same configuration, and get none.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from traitlets import Bool

from autograder.course.pages import report_page
from autograder.course.rubrics import Rubric, read_rubrics
from autograder.course.submissions import CourseError
from autograder.notebook.template import grade_id


class Rubrics(Preprocessor):
    """Puts rubrics, and the address of the student's page in the report, beside the notebook."""

    enabled = Bool(True)

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        if not resources.get("submission_id"):
            return nb, resources
        root = Path(self.config.CourseDirectory.get("root", "") or Path.cwd())
        assignment, student = resources["assignment_id"], resources["student"]
        try:
            resources["rubrics"] = read_rubrics(root, assignment, resources["notebook_id"])
        except CourseError as error:
            resources["no_rubrics"] = str(error)
        page = report_page(assignment, student)
        if (root / page).is_file():
            resources["report_page"] = _served(resources, page)
        return nb, resources


@pass_context
def rubric(context: Context, cell: NotebookNode) -> Rubric | None:
    """A Jinja filter: what there is to go by for this cell."""
    return (context["resources"].get("rubrics") or {}).get(grade_id(cell))


def _served(resources: ResourcesDict, page: Path) -> str:
    """The address under which Jupyter's server has a file of the course.

    ``notebook_path`` is that of the graded notebook, from the folder that is served.
    """
    course = re.sub(r"/?autograded/.*", "", resources["notebook_path"]).removeprefix("./")
    place = "/".join(filter(None, ["files", course.strip("./"), page.as_posix()]))
    return f"{resources['base_url']}/{quote(place)}"
