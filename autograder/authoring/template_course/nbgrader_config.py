"""Makes this folder an nbgrader course directory: run `nbgrader ...` here, unchanged."""

from pathlib import Path

from autograder.authoring import release
from autograder.batch import nbgrader_autograde
from autograder.collect import exchange
from autograder.course import late
from autograder.feedback import pages

c = get_config()  # noqa: F821  (nbgrader puts it there)

c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.NbGrader.logfile = ""  # no .nbgrader.log in the course folder

release.configure(c)  # source/ -> release/
exchange.configure(c)  # the exchange's inbound/ -> submitted/: no links, nothing of somebody else's
nbgrader_autograde.configure(c)  # submitted/ -> autograded/: our sandbox, our judge
late.configure(c)  # due dates and penalties, by calendar.toml
pages.configure(c)  # autograded/ -> feedback/, and what the formgrader shows: no scripts
