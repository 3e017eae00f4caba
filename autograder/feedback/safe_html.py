"""Student-authored HTML, made harmless: nothing in it runs, loads, submits or covers the page.

nbconvert shows outputs and markdown as they are, and nbgrader's templates do so even when told to
sanitise. The filters here take the place of nbconvert's in feedback and formgrader, where a
script would run with a TA's rights. The allow-list is of tags and attributes; nh3 does the work.
Formulas are put in after that (`formulas`), and the pages' own references to other servers taken
out: a page needs no network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters import ansi2html, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.filters import strip_files_prefix as without_files_prefix
from traitlets.config import Config

from autograder.feedback.colours import on_white
from autograder.feedback.formulas import mathml
from autograder.notebook.attachments import Attachments, of_cell

_TEXT = "a abbr b br code del div em hr i kbd li ol p pre s small span strong sub sup ul var"
_BLOCKS = "blockquote dd dl dt details figcaption figure h1 h2 h3 h4 h5 h6 summary"
_TABLE = "caption col colgroup table tbody td tfoot th thead tr"
TAGS = {*_TEXT.split(), *_BLOCKS.split(), *_TABLE.split(), "img"}

ATTRIBUTES = {
    "*": {"class", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
}

#: Of classes only those of highlighted code (Pygments) and of data frames: the page's own classes
#: would let an answer look like a grade.
_CLASSES = re.compile(r"highlight( hl-\w+)?|dataframe|[a-z]{1,2}[0-9a-z]?")

#: Images that are in the page itself. Others would tell their server who looks, and when.
_INLINE_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
#: Pictures that lie beside the page, by path: never one that leads out of its folder, nor an SVG.
_BESIDE = re.compile(
    r"(?!/)(?!.*(^|/)\.)(?!.*//)(?:[^\\:?#%&<>\"'\x00-\x1f]|%(?!2[fF]|5[cC]|2[eE]|00)[0-9A-Fa-f]{2})+"
    r"\.(?:png|jpe?g|gif|webp)",
    re.IGNORECASE,
)
_LINK = re.compile(r"(https?:|mailto:|#)", re.IGNORECASE)

# Parsing takes time quadratic in the depth of nesting: 10,000 tags take a quarter of a second.
# Pasted pictures are characters, too.
MAX_CHARS, MAX_TAGS = 16 << 20, 10_000
# Ends of TeX environments are sought from each beginning on, colours from each code on.
MAX_ENVIRONMENTS, MAX_COLOURS = 500, 10_000

TEMPLATE = Path(__file__).parent / "templates" / "page.html.j2"

#: The place of a formula while the text around it is made safe. In an attribute its quotation marks
#: are escaped, and nothing is put there.
_PLACE = '<var class="tex">{}</var>'
_PLACES = re.compile(_PLACE.format(r"(\d+)"))
#: Scripts that come from elsewhere, and MathJax with its settings, which MathML does without.
_FOREIGN = re.compile(r"<script\b(?:(?!</script).)*?(?:https?:|MathJax).*?</script>", re.DOTALL)


class Safe(str):
    """HTML that need not be cleaned again, and must not: the formulas would go."""

    __slots__ = ()


def configure(c: Config) -> None:
    """Make nbconvert's HTML, and so nbgrader's feedback and formgrader, safe to look at.

    It is ours then: `templates/page.html.j2` stands around whichever page is made.
    """
    c.HTMLExporter.template_file = str(TEMPLATE)
    c.HTMLExporter.preprocessors = ["autograder.feedback.rubrics.Rubrics"]
    # By name: nbgrader prints its configuration as JSON.
    c.HTMLExporter.filters = {
        "markdown2html": f"{__name__}.render_cell",
        "clean_html": f"{__name__}.clean",
        "strip_files_prefix": f"{__name__}.strip_files_prefix",
        "without_foreign_scripts": f"{__name__}.without_foreign_scripts",
        "rubric": "autograder.feedback.rubrics.rubric",
        "ansi2html": f"{__name__}.render_colours",
        # What nbgrader's pages round may be words: "not read yet".
        "float": f"{__name__}.number_or_words",
        "round": f"{__name__}.rounded_or_words",
    }
    c.HTMLExporter.sanitize_html = True  # outputs go through clean_html, scripts are left out
    # What a cell displays is taken from the first of these it has. No scripts, no widgets. An SVG
    # is shown as an image, where its scripts do not run.
    # Set for the one filter that asks, since nbgrader complains of options its own parts lack.
    c.WidgetsDataTypeFilter.display_data_priority = [
        "text/html",
        "text/markdown",
        "image/svg+xml",
        "text/latex",
        "image/png",
        "image/jpeg",
        "text/plain",
    ]


def clean(html: str | bytes) -> str:
    """HTML with everything taken out that is not on the allow-list; its text stays."""
    if isinstance(html, Safe):
        return html
    text = html.decode("utf-8", "replace") if isinstance(html, bytes) else str(html)
    if len(text) > MAX_CHARS or text.count("<") > MAX_TAGS:
        return f"<p>(HTML of {len(text):,} characters is too large to be shown)</p>"
    return nh3.clean(
        text,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
    )


def render_markdown(source: str, attachments: Attachments | None = None) -> str:
    """Markdown (with TeX in it, which becomes MathML) as safe HTML."""
    if source.count("\\begin") > MAX_ENVIRONMENTS:
        return f"<pre>{escape(source[:MAX_TAGS])}</pre><p>(cut: too many TeX environments)</p>"
    renderer = _Renderer(escape=False, exclude_anchor_links=True, attachments=attachments or {})
    html = clean(MarkdownWithMath(renderer=renderer).render(source))
    return Safe(_PLACES.sub(partial(_formula, renderer.formulas), html))


def _formula(formulas: list[str], place: re.Match[str]) -> str:
    number = int(place[1]) if len(place[1]) < 6 else len(formulas)  # a student's own <var>
    return formulas[number] if number < len(formulas) else ""


def strip_files_prefix(text: str) -> str:
    """nbconvert's filter, for addresses of long ago; what is safe stays so."""
    stripped = without_files_prefix(text)
    return Safe(stripped) if isinstance(text, Safe) else stripped


def without_foreign_scripts(head: str) -> str:
    """The head of a page without scripts of other servers, and without MathJax."""
    return _FOREIGN.sub("", head)


@pass_context
def render_cell(context: Context, source: str) -> str:
    """The same for what stands in the cell at hand, with the pictures pasted into it."""
    cell = context.get("cell")
    pictures: Attachments = of_cell(dict(cell), "", []) if isinstance(cell, Mapping) else {}
    return render_markdown(source, pictures)


class _Renderer(IPythonRenderer):
    """Formulas are kept aside, with a mark in their place. A picture that is not there is left out;
    nbconvert would give up the page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.formulas: list[str] = []
        self._tex: list[str] = []

    def block_math(self, body: str) -> str:
        return self._keep(body, block=True)

    def inline_math(self, body: str) -> str:
        return self._keep(body, block=False)

    def latex_environment(self, name: str, body: str) -> str:
        return self._keep(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        # Words in place of a picture are text: with the formula as it was written.
        words = _PLACES.sub(partial(_formula, self._tex), text)
        return super().image(words, url, title)

    def _keep(self, tex: str, *, block: bool) -> str:
        self.formulas.append(mathml(tex, block=block))
        self._tex.append(f"${escape(tex, quote=False)}$")
        return _PLACE.format(len(self.formulas) - 1)

    def _embed_image_or_attachment(self, src: str) -> str:
        pasted = src.startswith("attachment:")
        if pasted and src.removeprefix("attachment:") not in self.attachments:
            return ""
        return super()._embed_image_or_attachment(src)


def render_colours(text: str) -> str:
    """A terminal's colours as HTML, dark enough; without them where there are very many."""
    text = str(text)
    if text.count("\x1b") > MAX_COLOURS:
        return escape(strip_ansi(text))
    return on_white(str(ansi2html(text)))


def number_or_words(value: Any) -> Any:
    """Jinja's filter ``float``, for a template that is not ours: words stay."""
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return value


def rounded_or_words(value: Any, precision: int = 0) -> Any:
    """Jinja's filter ``round``; words stay."""
    return round(value, precision) if isinstance(value, float | int) else value


def _attribute(tag: str, name: str, value: str) -> str | None:
    """The attribute's value, or None to drop it."""
    allowed = {("img", "src"): _shown_picture, ("a", "href"): _LINK.match}
    if name == "class":
        value = value.strip()  # nbconvert writes " highlight hl-ipython3"
        return value if _CLASSES.fullmatch(value) else None
    test = allowed.get((tag, name))
    return value if test is None or test(value) else None


def _shown_picture(source: str) -> bool:
    return bool(_INLINE_IMAGE.fullmatch(source) or _BESIDE.fullmatch(source))
