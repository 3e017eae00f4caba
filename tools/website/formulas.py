"""Formulas as MathML, made while the site is built: no script, no font, nothing to be loaded."""

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging

RENDERER = "mathml"
_logger = logging.getLogger(__name__)
_converter = LatexToMathML()


def register(app: Sphinx) -> None:
    """Tell Sphinx how to write a formula."""
    app.add_html_math_renderer(RENDERER, (_inline, None), (_block, None))


def mathml(tex: str, node: nodes.Node | None = None, *, block: bool) -> str:
    """The formula as an element ``math``; a warning, which ends a strict build, if it is none."""
    try:
        return _converter.convert_with_local_state(tex, displaystyle=block)
    except LatexError as error:
        _logger.warning("no formula: %s: %s", tex, error, location=node)
        return ""


def _inline(translator, node) -> None:
    translator.body.append(mathml(node.astext(), node, block=False))
    raise nodes.SkipNode


def _block(translator, node) -> None:
    translator.body.append(f'<div class="formula">{mathml(node.astext(), node, block=True)}</div>')
    raise nodes.SkipNode
