"""Student-authored HTML, made harmless: nothing in it runs, loads, submits or covers the page.

nbconvert shows outputs and markdown as they are, and nbgrader's templates do so even when told to
sanitise. The two filters here take the place of nbconvert's in feedback and formgrader, where a
script would run with a TA's rights. The allow-list is of tags and attributes; nh3 does the work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters import ansi2html, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

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


def configure(c: Config) -> None:
    """Make nbconvert's HTML, and so nbgrader's feedback and formgrader, safe to look at."""
    # By name: nbgrader prints its configuration as JSON.
    c.HTMLExporter.filters = {
        "markdown2html": f"{__name__}.render_cell",
        "clean_html": f"{__name__}.clean",
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
    """Markdown (with TeX in it) as safe HTML."""
    if source.count("\\begin") > MAX_ENVIRONMENTS:
        return f"<pre>{escape(source[:MAX_TAGS])}</pre><p>(cut: too many TeX environments)</p>"
    renderer = _Renderer(escape=False, exclude_anchor_links=True, attachments=attachments or {})
    return clean(MarkdownWithMath(renderer=renderer).render(source))


@pass_context
def render_cell(context: Context, source: str) -> str:
    """The same for what stands in the cell at hand, with the pictures pasted into it."""
    cell = context.get("cell")
    pictures: Attachments = of_cell(dict(cell), "", []) if isinstance(cell, Mapping) else {}
    return render_markdown(source, pictures)


class _Renderer(IPythonRenderer):
    """A picture that is not there is left out; nbconvert would give up the page."""

    def _embed_image_or_attachment(self, src: str) -> str:
        pasted = src.startswith("attachment:")
        if pasted and src.removeprefix("attachment:") not in self.attachments:
            return ""
        return super()._embed_image_or_attachment(src)


def render_colours(text: str) -> str:
    """A terminal's colours as HTML; without them where there are very many."""
    text = str(text)
    return str(escape(strip_ansi(text)) if text.count("\x1b") > MAX_COLOURS else ansi2html(text))


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
        return value if _CLASSES.fullmatch(value) else None
    test = allowed.get((tag, name))
    return value if test is None or test(value) else None


def _shown_picture(source: str) -> bool:
    return bool(_INLINE_IMAGE.fullmatch(source) or _BESIDE.fullmatch(source))
