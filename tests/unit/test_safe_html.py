"""Student-authored HTML in feedback and formgrader: harmless, and still readable."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode, v4
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from autograder.feedback.colours import luminance
from autograder.feedback.safe_html import clean, configure, render_colours, render_markdown
from autograder.grading.verdict_output import verdict_html
from autograder.judge.results import CellVerdict, CheckVerdict
from tests.html_tags import Tags
from tests.little import ROOT

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJg"
    "gg=="
)
HTML_ATTACKS = [
    "<script>steal()</script>",
    "<img src=x onerror=steal()>",
    "<svg onload=steal()></svg>",
    "<iframe srcdoc='<script>steal()</script>'></iframe>",
    "<a href='javascript:steal()'>x</a>",
    "<a href=' jAvAsCrIpT&#58;steal()'>x</a>",
    "<a href='data:text/html;base64,c3RlYWwoKQ=='>steal()</a>",
    "<form action='/formgrader/api'><button>steal()</button></form>",
    "<style>body { background: url(//evil.example/steal()) }</style>",
    "<div style='position:fixed;inset:0' onclick=steal()>16 of 16</div>",
    "<object data='steal()'></object><embed src='steal()'><base href='//evil.example'>",
    "<meta http-equiv=refresh content='0;url=javascript:steal()'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=steal()>",
    "<img src='https://evil.example/steal().png'>",
]
ATTACKS = [*HTML_ATTACKS, "[x](javascript:steal())", "![x](https://evil.example/steal().png)"]
DANGER = (
    "<script", "onerror", "onload", "onclick", "<iframe", "javascript:", "<form", "<style",
    "style=", "<object", "<embed", "<base", "<meta", "<svg", "evil.example", "data:text",
)  # fmt: skip


@pytest.mark.parametrize(
    ("render", "attack"),
    [*((clean, html) for html in HTML_ATTACKS), *((render_markdown, text) for text in ATTACKS)],
)
def test_nothing_runs_loads_or_covers(render: Callable[[str], str], attack: str) -> None:
    html = render(attack).lower()
    assert [danger for danger in DANGER if danger in html] == []


def test_lessons_and_answers_look_as_before() -> None:
    html = render_markdown(
        "# Title\n\nA *row* with `code`, $a < b$ and $\\|x\\|_2$:\n\n- one\n- two\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n\n[docs](https://numpy.org)\n\n"
        f'<img src="data:image/png;base64,{PNG}" alt="dot">'
    )
    for part in ("<h1>Title</h1>", "<em>row</em>", "<code>code</code>", "<li>one</li>",
                 "<td>1</td>", '<span class="n">x</span>', 'href="https://numpy.org"',
                 f"base64,{PNG}", 'alt="dot"', "<mo>&lt;</mo><mi>b</mi></math>"):  # fmt: skip
        assert part in html


@pytest.mark.parametrize(
    "source",
    [
        r"$\hspace{-30em}\text{2 of 2 points}$",  # would stand over something else
        r"$\kern{-30em}x$",
        r"$\rlap{2 of 2}$",
        r"$\href{javascript:steal()}{x}$",
        r"$\class{panel}{x}$",
        r"$\color{red;position:fixed}x$",
        "$" + r"\frac{" * 2_000 + "$",
        "$\x00$",
        "$\ud83d$",
    ],
)
def test_a_formula_that_could_be_anything_else_is_shown_as_it_was_written(source: str) -> None:
    html = render_markdown(source)
    assert "<math" not in html
    assert "<code>$" in html


def test_a_formula_stays_in_its_place_and_is_text_where_text_belongs() -> None:
    html = render_markdown(
        '![at $c < d$](a.png "t $e$") $x_1$ <var class="tex">0</var> <var class="tex">99</var>'
        "<b title='<var class=\"tex\">1</var>'>b</b> $\\text{<img src=x onerror=steal()>}$"
    )
    tags = Tags.of(html)
    assert [about for name, about in tags if name == "img"] == [
        {"src": "a.png", "alt": "at $c < d$", "title": "t $e$"}
    ]
    assert "<msub><mi>x</mi><mn>1</mn></msub>" in html
    assert "<img" not in html.replace('<img src="a.png"', "")
    assert "&gt;</mtext>" in html
    assert clean(html) == html, "what is safe is not cleaned a second time"


def test_colours_of_a_black_terminal_are_darkened_and_keep_their_hue() -> None:
    html = render_colours("\x1b[38;5;117mreturn\x1b[0m\x1b[48;5;231m\x1b[38;2;255;250;0mx\x1b[0m")
    colours = [[int(v) for v in rgb] for rgb in re.findall(r"rgb\((\d+),(\d+),(\d+)\)", html)]
    assert len(colours) == 2, "there is no background left"
    assert all((0.79 + 0.05) / (luminance(colour) + 0.05) >= 4.5 for colour in colours)
    sky, yellow = colours
    assert sky[0] < sky[1] < sky[2]
    assert yellow[2] == 0 < yellow[1] <= yellow[0]
    own = 'style="color: rgb(255,255,255)"'
    assert "255,255,255" in render_colours(own), "what somebody wrote is text"


def test_every_formula_of_the_course_is_shown_as_one() -> None:
    for path in sorted((ROOT / "source").glob("*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                html = render_markdown(cell.source)
                wrong = [line for line in html.splitlines() if re.search(r"<code>\$\S", line)]
                assert wrong == [], path


def test_the_judges_verdict_survives_as_it_is() -> None:
    check = CheckVerdict("c", "Ties <i>.", "", False, 1, False, "label 3 & <b>not</b> 1", 0.1)
    html = verdict_html(CellVerdict("q", 3, 1.5, (check,), "a note"))
    assert clean(html) == html


def test_classes_of_the_page_itself_cannot_be_borrowed() -> None:
    assert clean('<div class="panel panel-primary nbgrader_cell">16 / 16</div>') == (
        "<div>16 / 16</div>"
    )
    assert 'class="dataframe"' in clean('<table class="dataframe"></table>')


@pytest.mark.parametrize("html", ["<p>x</p>" * 300_000, "<div>" * 20_000 + "deep"])
def test_what_is_too_large_is_left_out(html: str) -> None:
    assert "too large to be shown" in clean(html)


@pytest.mark.parametrize(
    "piece", [">", "- ", "*", "[", "![", "`", "$", "<b>", "<p><b>", "\\(", "("]
)
def test_deep_nesting_costs_moments_and_raises_nothing(piece: str) -> None:
    started = time.process_time()
    assert isinstance(render_markdown(piece * 5_000 + "deep"), str)
    assert time.process_time() - started < 20


@pytest.mark.filterwarnings("ignore:Your element with mimetype")
@pytest.mark.parametrize("template", ["feedback", "formgrade"])
def test_a_hostile_notebook_does_nothing_in_nbgraders_pages(template: str) -> None:
    html = exported(hostile_notebook(), template)
    harmless = Tags.of(exported(v4.new_notebook(), template))
    added = [tag for tag in Tags.of(html) if tag not in harmless]
    active = {"script", "iframe", "form", "object", "embed", "base", "meta", "style", "svg", "link"}
    assert active & {name for name, _ in added} == set()
    for name, attributes in added:
        for key, value in attributes.items():
            inline = (name, key) == ("img", "src") and str(value).startswith("data:image/")
            assert inline or "steal" not in str(value)
            assert inline or "evil.example" not in str(value)
            assert not key.startswith("on")
            assert key != "style" or "fixed" not in str(value)
    assert f"data:image/png;base64,{PNG}" in html
    assert "<strong>2 of 2 points</strong>" in html
    assert "&lt;script&gt;steal() as text&lt;/script&gt;" in html


def hostile_notebook() -> NotebookNode:
    """Attacks in every place that a student can write to; a figure and a verdict among them."""
    attack = "".join(f"<div>{attack}</div>\n\n" for attack in ATTACKS)
    manual = {"grade": True, "solution": True, "locked": False, "points": 2, "grade_id": "w",
              "schema_version": 3, "task": False, "cell_type": "markdown", "score": 0}  # fmt: skip
    bundles = [
        {"text/html": attack},
        {"text/markdown": attack},
        {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{attack}</svg>"},
        {"application/javascript": "steal()"},
        {"application/vnd.jupyter.widget-view+json": "steal()"},
        {"text/vnd.mermaid": "steal()"},
        {"image/png": '"><script>steal()</script>'},
        {"image/png": PNG},
        {"text/html": "<div>" * 9_000},
        {"text/html": "<p><strong>2 of 2 points</strong></p>"},
    ]
    text = "<script>steal() as text</script>"
    outputs = [v4.new_output("display_data", data=data) for data in bundles]
    outputs.append(v4.new_output("stream", text=text))
    outputs.append(v4.new_output("error", ename=text, evalue=text, traceback=[text]))
    cells = [
        v4.new_markdown_cell(attack),
        v4.new_markdown_cell(attack, metadata={"nbgrader": manual}),
        v4.new_raw_cell(attack),
        v4.new_code_cell(text, outputs=outputs),
    ]
    return v4.new_notebook(cells=cells)


def exported(notebook: NotebookNode, template: str) -> str:
    """The notebook through nbgrader's template, with our configuration."""
    config = Config()
    configure(config)
    config.HTMLExporter.template_name = template
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    static = Path(handlers.static_path) / "node_modules" / "bootstrap" / "dist" / "css"
    config.HTMLExporter.extra_template_paths = [str(static)]
    about = {"notebook": "knn", "score": 1, "max_score": 2, "late_penalty": 0}
    names = ("assignment_id", "notebook_id", "submission_id", "base_url", "student", "last_name",
             "first_name", "notebook_path")  # fmt: skip
    resources = {name: name for name in names} | {"index": 0, "total": 1, "nbgrader": about}
    exporter = HTMLExporter(config=config)
    html, _ = exporter.from_notebook_node(nbformat.from_dict(notebook), resources=resources)
    return html
