"""What stands where on the site; pages that nobody has placed come last."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A heading of the site's navigation: its own page, and the pages below it."""

    name: str  # of its page, without .md
    title: str
    about: str
    pages: tuple[str, ...]  # paths in the repository, without suffix


SECTIONS = (
    Section(
        "start",
        "Quick start",
        "From nothing to a first result: a page for each of the three who use this course.",
        (
            "docs/start-student",
            "docs/start-ta",
            "docs/start-instructor",
            "docs/roads",
            "docs/installation",
            "docs/students",
            "docs/student-help",
        ),
    ),
    Section(
        "grading",
        "Grading",
        "How a notebook is graded, why that can be trusted, and what a TA does before and after.",
        (
            "docs/grading",
            "docs/threat-model",
            "docs/collect",
            "docs/jupyterhub",
            "docs/watch",
            "docs/calendar",
            "docs/report",
            "docs/export",
            "docs/similar",
        ),
    ),
    Section(
        "machines",
        "Machines",
        "Grading on many machines, on GPUs, and when students push; what it costs.",
        ("docs/cluster", "docs/runners", "docs/scale"),
    ),
    Section(
        "authoring",
        "Teaching",
        "Writing and keeping notebooks, questions, hidden checks and data.",
        (
            "docs/new-course",
            "CONTRIBUTING",
            "docs/notebooks",
            "docs/checks",
            "docs/mutation",
            "docs/data",
            "docs/vision",
            "docs/pretraining",
            "docs/fast-layers",
        ),
    ),
    Section(
        "reference",
        "Reference",
        "Every command and option, where things are, and what it is all built on.",
        ("docs/commands", "docs/layout", "docs/dependencies", "CHANGELOG"),
    ),
)
#: Where the notebooks and the gallery of their figures are.
NOTEBOOKS = Section(
    "notebooks",
    "Notebooks",
    "All notebooks as students get them, with the figures that a right solution draws. To work on "
    "one, open the file in Jupyter.",
    ("release/00_course_map", "docs/figures", "release/glossary", "release/conventions"),
)
#: Pages that only other pages link to: licences of data.
REST = Section("further", "Further pages", "Licences of data, and what has no other place.", ())


def placed(pages: Iterable[str]) -> list[Section]:
    """The sections with those of their pages that there are; the last one has all others."""
    there = set(pages)
    sections = [SECTIONS[0], NOTEBOOKS, *SECTIONS[1:]]
    named = {page for section in sections for page in section.pages}
    rest = tuple(
        sorted(page for page in there - named - {"index"} if not _is_notebook_of_assignment(page))
    )
    found = [
        Section(s.name, s.title, s.about, tuple(page for page in pages if page in there))
        for s, pages in [*((s, s.pages) for s in sections), (REST, rest)]
    ]
    return [section for section in found if section.pages]


def _is_notebook_of_assignment(page: str) -> bool:
    return page.startswith("release/assignment")
