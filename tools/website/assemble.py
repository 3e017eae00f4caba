"""Lay the site's pages out in a folder, each where it lies in the repository."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from autograder.files import write_bytes
from tools.website import commands, links, navigation, notebooks, sheets

COMMANDS = "docs/commands.md"
#: Beside docs/: documents that pages link to.
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "release/*.md", "cs231n_lib/*/*.md")


def assemble(root: Path, folder: Path, repository: str | None) -> None:
    """Write every page and picture; what is up to date stays, what is no page any more goes."""
    pages = page_files(root)
    written: set[Path] = set()

    def put(place: str, text: str) -> None:
        written.add(folder / place)
        write_if_changed(folder / place, text.encode())

    drawn = shown_figures(root, folder, written)
    for path in pages:
        if path == COMMANDS:
            text = commands.write(root)
        elif path.endswith(".ipynb"):
            text = notebooks.page(root / path, drawn.get(Path(path).stem, {}))
            copy(root / path, folder / path, written)
        else:
            text = (root / path).read_text("utf-8")
        put(links.page_of(path), links.with_links(text, path, pages, repository))
    for path in sorted((root / "docs" / "img").iterdir()):
        copy(path, folder / "docs" / "img" / path.name, written)
    for path in sorted((root / "docs" / "figures").glob("*.webp")):
        copy(path, folder / "docs" / "figures" / path.name, written)
    sections = navigation.placed(links.page_of(p).removesuffix(".md") for p in pages)
    for section in sections:
        put(f"{section.name}.md", section_page(section, root))
    index = (folder / "index.md").read_text("utf-8")
    tree = "\n".join(section.name for section in sections)
    put("index.md", f"{index}\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n")
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path not in written:
            path.unlink()


def page_files(root: Path) -> list[str]:
    """Files of the repository that become pages, and the reference of commands, which is made."""
    found = [path for pattern in DOCUMENTS for path in sorted(root.glob(pattern))]
    found += sorted((root / "docs").glob("*.md"))
    found += sorted((root / "release").rglob("*.ipynb"))
    return [*(path.relative_to(root).as_posix() for path in found), COMMANDS]


def section_page(section: navigation.Section, root: Path) -> str:
    """A section's own page: what it is about, and its pages."""
    lines = [f"# {section.title}", "", section.about, ""]
    lines += toctree("", section.pages)
    if section.name == navigation.NOTEBOOKS.name:
        for folder in sorted(path for path in (root / "release").iterdir() if path.is_dir()):
            title = re.sub(r"(\d+)$", r" \1", folder.name).capitalize()
            names = in_order(root, folder.name)
            lines += toctree(title, [f"release/{folder.name}/{name}" for name in names])
    return "\n".join(lines)


def toctree(title: str, pages: Sequence[str]) -> Iterator[str]:
    """A list of pages, of which the builder takes the titles."""
    yield "```{toctree}\n:maxdepth: 1"
    if title:
        yield f":caption: {title}"
    yield ""
    yield from pages
    yield "```\n"


def in_order(root: Path, assignment: str) -> list[str]:
    """An assignment's notebooks in the order in which the map of the course links to them."""
    names = [path.stem for path in sorted((root / "release" / assignment).glob("*.ipynb"))]
    plan = root / "release" / "00_course_map.ipynb"
    text = plan.read_text("utf-8") if plan.is_file() else ""
    return sorted(names, key=lambda name: (text.find(f"{assignment}/{name}.ipynb"), name))


def shown_figures(
    root: Path, folder: Path, written: set[Path]
) -> Mapping[str, Mapping[str, list[notebooks.Shown]]]:
    """Single figures as files beside the notebooks' pages; again only from a sheet that is new."""
    document = root / "docs" / "figures.md"
    told = sheets.described(document.read_text("utf-8")) if document.is_file() else {}
    found: dict[str, dict[str, list[notebooks.Shown]]] = {}
    for path in sorted((root / "release").glob("*/*.ipynb")):
        sheet = root / "docs" / "figures" / f"{path.stem}.webp"
        if path.stem not in told or not sheet.is_file():
            continue
        cells = found.setdefault(path.stem, {})
        for figure in sheets.figures(sheet, told[path.stem]):
            shown = cells.setdefault(figure.cell, [])
            name = f"{path.stem}-{figure.cell}-{len(shown) + 1}.webp"
            target = folder / "release" / path.parent.name / "figures" / name
            if not target.is_file() or target.stat().st_mtime < sheet.stat().st_mtime:
                target.parent.mkdir(parents=True, exist_ok=True)
                figure.picture.save(target, "webp", quality=85, method=4)
            written.add(target)
            shown.append(notebooks.Shown(f"figures/{name}", figure.alt))
    return found


def copy(source: Path, target: Path, written: set[Path]) -> None:
    """A copy with its time, so that the builder sees what has changed."""
    written.add(target)
    if not target.is_file() or target.stat().st_mtime != source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def write_if_changed(path: Path, data: bytes) -> None:
    if path.is_file() and path.read_bytes() == data:
        return
    write_bytes(path, data)
