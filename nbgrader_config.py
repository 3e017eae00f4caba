"""Makes this repository an nbgrader course directory: run `nbgrader ...` here, unchanged."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # `autograder` is importable even when it is not installed
    sys.path.insert(0, str(ROOT))

from autograder.host.installed import complaint  # noqa: E402

wrong = complaint("nbgrader")
if wrong:  # an nbgrader of another environment
    if Path(sys.argv[0]).stem == "nbgrader" or Path(sys.argv[0]).parent.name == "nbgrader":
        sys.exit(wrong)  # nothing else runs in this process
    raise ImportError(wrong)

from autograder.authoring import release  # noqa: E402
from autograder.batch import nbgrader_autograde  # noqa: E402
from autograder.collect import exchange  # noqa: E402
from autograder.course import late  # noqa: E402
from autograder.feedback import pages  # noqa: E402

c = get_config()  # noqa: F821  (nbgrader puts it there)

c.CourseDirectory.root = str(ROOT)
c.NbGrader.logfile = ""  # no .nbgrader.log in the checkout

release.configure(c)  # source/ -> release/
exchange.configure(c)  # the exchange's inbound/ -> submitted/: no links, nothing of somebody else's
nbgrader_autograde.configure(c)  # submitted/ -> autograded/: our sandbox, our judge
late.configure(c)  # due dates and penalties, by calendar.toml
pages.configure(c)  # autograded/ -> feedback/, and what the formgrader shows: no scripts
