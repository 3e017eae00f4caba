"""Sphinx's settings. Nothing that the pages load comes from another host."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.website import formulas  # noqa: E402

project = "CS231n, autograded"
author = "the course's authors"
copyright = ""  # noqa: A001  (Sphinx's name); the licence is on the first page
html_title = project
root_doc = "index"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4  # GitHub's own anchors, so that links with # hold here and there
myst_dmath_double_inline = True
highlight_language = "none"
# A step from # to ### is how some cells of notebooks begin.
suppress_warnings = ["myst.header"]

html_theme = "pydata_sphinx_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_math_renderer = formulas.RENDERER
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_nav_level": 1,
    "show_toc_level": 2,
    "navigation_depth": 2,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_context = {"default_mode": "auto"}  # light or dark as the system is
html_sidebars = {"index": []}


def setup(app) -> None:
    formulas.register(app)
