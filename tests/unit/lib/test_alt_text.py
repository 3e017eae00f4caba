"""Words for figures and the course's style: what a reader of the exported page gets to hear."""

import base64
import struct
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import matplotlib as mpl
import nbclient
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from autograder.feedback.safe_html import configure

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from traitlets.config import Config

from cs231n_lib import plotting

WORDS = 'The loss falls from 4.6 to "nearly 0", & stays < 0.1.'
CELLS = {
    "setup": """
        import matplotlib.pyplot as plt
        from cs231n_lib.plotting import plot_loss, show_images, use_course_style, with_alt_text
        use_course_style()""",
    "line": f"ax = plot_loss([4.6, 0.1])\nwith_alt_text(ax, {WORDS!r})",
    "two figures": """
        first, axes = plt.subplots(1, 2, figsize=(2, 1))
        with_alt_text(axes, "First of two,\\n   with two axes.")
        plt.figure(figsize=(1, 1)); plt.plot([1, 2]);""",
    "shown": """
        fig, ax = plt.subplots(figsize=(1, 1))
        with_alt_text(fig, "Shown by show.")
        plt.show()
        print("after")""",
    "last line": """
        fig, ax = plt.subplots(figsize=(1, 1))
        with_alt_text(fig, "Not drawn twice.")""",
    "too late": """
        fig, ax = plt.subplots(figsize=(1, 1))
        plt.show()
        with_alt_text(fig, "Nobody would hear this.")""",
    "plain": "plt.figure(figsize=(1, 1)); plt.plot([1, 2]);",
}


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    with mpl.rc_context():
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def executed() -> NotebookNode:
    """The cells, run by an ordinary kernel."""
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(source)) for source in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, kernel_name="python3", allow_errors=True).execute()
    return notebook


@pytest.fixture(scope="module")
def outputs(executed: NotebookNode) -> dict[str, list[NotebookNode]]:
    return {name: cell.outputs for name, cell in zip(CELLS, executed.cells, strict=True)}


@pytest.mark.parametrize("template", ["lab", "classic", "basic"])
def test_exported_html_has_the_words(executed: NotebookNode, template: str) -> None:
    page, _ = HTMLExporter(template_name=template).from_notebook_node(executed)
    pictures = BeautifulSoup(page, "html.parser").select("img")
    missing = "No description has been provided for this image"  # what nbconvert says itself
    assert [picture["alt"] for picture in pictures] == [
        WORDS, "First of two, with two axes.", missing, "Shown by show.", "Not drawn twice.",
        missing, missing,
    ]  # fmt: skip
    assert pictures[0]["src"].startswith("data:image/png;base64,iVBOR")


def test_feedback_pages_keep_the_words_and_the_picture(executed: NotebookNode) -> None:
    settings = Config()
    configure(settings)
    page, _ = HTMLExporter(config=settings, template_name="lab").from_notebook_node(executed)
    picture = BeautifulSoup(page, "html.parser").select("img")[0]
    assert picture["alt"] == WORDS
    assert picture["src"].startswith("data:image/png;base64,iVBOR")


def test_jupyter_gets_html_with_the_words_and_the_picture_once(outputs) -> None:
    """JupyterLab shows the HTML of a bundle before its image, and images without any words."""
    [output] = outputs["line"]
    assert set(output.data) == {"text/html", "image/png", "text/plain"}
    image = BeautifulSoup(output.data["text/html"], "html.parser").img
    assert image is not None
    assert image["alt"] == output.data["text/plain"] == WORDS
    assert image["src"] == "data:image/png;base64," + output.data["image/png"].replace("\n", "")
    size = output.metadata["image/png"]
    assert size["alt"] == WORDS
    width = struct.unpack(">I", base64.b64decode(output.data["image/png"])[16:20])[0]
    assert int(image["width"]) == size["width"] == width // 2, "retina: two pixels for one"


def test_each_figure_is_displayed_once_and_in_its_place(outputs) -> None:
    plain = {
        name: [o.get("data", {}).get("text/plain", o.get("text")) for o in cell]
        for name, cell in outputs.items()
    }
    assert plain["two figures"] == [
        "First of two, with two axes.",
        "<Figure size 90x90 with 1 Axes>",
    ]
    assert plain["shown"] == ["Shown by show.", "after\n"]
    assert plain["last line"] == ["Not drawn twice."]
    assert set(outputs["plain"][0].data) == {"image/png", "text/plain"}


def test_words_that_come_too_late_are_refused(outputs) -> None:
    assert outputs["too late"][-1].ename == "ValueError"
    assert "before any plt.show()" in outputs["too late"][-1].evalue


def test_words_belong_to_the_figure_however_it_is_named() -> None:
    figure, axes = plt.subplots(2, 2)
    for given, words in ((figure, "one"), (axes, "two"), (axes[0], "three"), (axes[1, 1], "four")):
        plotting.with_alt_text(given, words)
        assert plotting.alt_text(figure) == words
    within = plt.figure().subfigures(1, 2)[1]
    plotting.with_alt_text(within.subplots(), "in a part")
    assert plotting.alt_text(within) == plotting.alt_text(within.figure) == "in a part"
    alone = Figure()
    plotting.with_alt_text(alone, "not pyplot's")
    assert plotting.alt_text(alone) == "not pyplot's"
    assert plotting.alt_text(plt.figure()) is None


@pytest.mark.parametrize("nothing", [None, "text", np.zeros(3), []])
def test_what_is_no_figure_is_named(nothing: object) -> None:
    with pytest.raises(TypeError, match="a figure or its Axes are needed, not a "):
        plotting.with_alt_text(nothing, "words")  # type: ignore[arg-type]


@pytest.mark.parametrize("empty", ["", " \n"])
def test_no_words_are_refused(empty: str) -> None:
    with pytest.raises(ValueError, match="the alt text is empty"):
        plotting.with_alt_text(plt.figure(), empty)


def test_closed_figures_are_refused() -> None:
    figure = plt.figure()
    plt.close(figure)
    with pytest.raises(ValueError, match="shown already"):
        plotting.with_alt_text(figure, "words")


def test_lines_take_the_colours_of_okabe_and_ito_in_order() -> None:
    plotting.use_course_style()
    ax = plt.subplots()[1]
    lines = [ax.plot([0, i])[0] for i in range(8)]
    assert [line.get_color() for line in lines] == [*plotting.CYCLE, plotting.BLUE]
    assert plotting.CYCLE[:4] == (plotting.BLUE, plotting.ORANGE, plotting.GREEN, plotting.RED)
    assert not ax.spines["top"].get_visible()
    mapped = {plotting.BLUE, plotting.ORANGE, plotting.GREEN, plotting.RED}
    losses = plotting.plot_loss({name: [1, 2] for name in "abcd"})
    assert {line.get_color() for line in losses.lines} == mapped, "the library's own plots agree"


def test_style_and_words_need_no_jupyter() -> None:
    """And do not import it: a second for a script that nobody looks at."""
    script = (
        "import sys, matplotlib; matplotlib.use('Agg'); import matplotlib.pyplot as plt\n"
        "from cs231n_lib.plotting import alt_text, use_course_style, with_alt_text\n"
        "use_course_style(); fig = plt.figure(); with_alt_text(fig, 'words')\n"
        "assert alt_text(fig) == 'words' and 'IPython' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
