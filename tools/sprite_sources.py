"""Where drawings come from: a manifest, ``sprites.toml`` say, and the packages it names.

Every package is unpacked in a folder of its own name. What the manifest says of other people's work
is checked against the package itself, as far as that tells: an Iconify package its version,
licence, author and title; another npm package its version and licence (its author is the
packager, not the artist); Debian's drawings each their artist and that they are free.
"""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Names of CIFAR-10's classes, in its order: a label is an index into this, unless the manifest has
# classes of its own.
CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PERMITTED = ("Apache-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0", "MIT", "Public domain")


@dataclass(frozen=True)
class DrawingSet:
    """One set of drawings, as the manifest lists it."""

    style: str
    package: str
    version: str
    title: str
    author: str
    licence: str
    treatment: str  # see sprite_paint.paint
    drawings: dict[str, list[str]]  # class -> names
    files: str | None = None  # pattern of file names; None: an Iconify package
    family: str = ""  # styles of one family show the same designs; default: the style itself
    held_out: bool = False  # the whole set is for the test split
    held_out_drawings: dict[str, list[str]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return self.package.replace("/", "-").lstrip("@")

    @property
    def is_debian(self) -> bool:
        return self.package == "openclipart-svg"

    def is_held_out(self, label: str, name: str) -> bool:
        return self.held_out or name in self.held_out_drawings.get(label, [])


@dataclass(frozen=True)
class Drawing:
    """One drawing: an SVG text, or the path of a picture."""

    source: DrawingSet
    label: str
    name: str
    content: str | Path
    author: str

    @property
    def held_out(self) -> bool:
        return self.source.is_held_out(self.label, self.name)


def read_classes(path: Path) -> tuple[str, ...]:
    """The classes of a manifest: its own ``classes``, or CIFAR-10's."""
    return tuple(tomllib.loads(path.read_text("utf-8")).get("classes", CLASSES))


def read_manifest(path: Path) -> list[DrawingSet]:
    """Read the manifest. Raises ValueError for an unknown class, licence or held-out drawing."""
    sets = [DrawingSet(**entry) for entry in tomllib.loads(path.read_text("utf-8"))["set"]]
    classes = read_classes(path)
    for one in sets:
        where = f"{path.name}: set {one.style!r}"
        if one.licence not in PERMITTED:
            raise ValueError(f"{where}: licence {one.licence!r} is not among {PERMITTED}")
        for label, names in (one.drawings | one.held_out_drawings).items():
            if label not in classes:
                raise ValueError(f"{where}: {label!r} is no class of this bank {classes}")
            if strangers := set(names) - set(one.drawings.get(label, [])):
                raise ValueError(f"{where}: held out but not listed as {label}: {strangers}")
    return sets


def fetch(one: DrawingSet, folder: Path) -> None:
    """Download a package with npm (or apt, for Debian's) and unpack it, unless it is there."""
    target = folder / one.folder
    if target.exists():
        return
    working = folder / f".{one.folder}"
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir(parents=True)
    if one.is_debian:
        command = ["apt-get", "download", "-q", f"{one.package}={one.version}"]
        subprocess.run(command, cwd=working, check=True, stdout=subprocess.DEVNULL)
        (archive,) = working.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=working, check=True)
    else:
        command = ["npm", "pack", "--silent", f"{one.package}@{one.version}"]
        subprocess.run(command, cwd=working, check=True, stdout=subprocess.DEVNULL)
        (archive,) = working.glob("*.tgz")
        subprocess.run(["tar", "-xzf", archive.name], cwd=working, check=True)
    archive.unlink()
    working.rename(target)


def drawings(one: DrawingSet, folder: Path) -> Iterator[Drawing]:
    """All drawings of an unpacked set, in the manifest's order.

    Raises ValueError when the set or a drawing is missing, or is not what the manifest says.
    """
    root = folder / one.folder
    if not root.is_dir():
        raise ValueError(f"{root} is missing: unpack {one.package} {one.version} there (--fetch)")
    if one.files is None:
        yield from _iconify_drawings(one, root / "package")
        return
    if not one.is_debian:
        _check(one, _read_json(root / "package" / "package.json"), None)
    for label, names in one.drawings.items():
        for name in names:
            inside = root if one.is_debian else root / "package"
            path = inside / one.files.format(name)
            if not path.is_file():
                raise ValueError(f"{one.package} {one.version} has no file {path.name}")
            if one.is_debian:
                text = path.read_text("utf-8", errors="replace")
                yield Drawing(one, label, name, text, _public_domain_author(text, path))
            else:
                yield Drawing(one, label, name, path, one.author)


def _iconify_drawings(one: DrawingSet, package: Path) -> Iterator[Drawing]:
    _check(one, _read_json(package / "package.json"), _read_json(package / "info.json"))
    icons = _read_json(package / "icons.json")
    for label, names in one.drawings.items():
        for name in names:
            if name not in icons["icons"]:
                raise ValueError(f"{one.package} {one.version} has no icon {name!r}")
            yield Drawing(one, label, name, _svg(icons, name), one.author)


def _svg(icons: dict[str, Any], name: str) -> str:
    """A whole SVG of an Iconify icon (https://iconify.design/docs/types/iconify-json.html)."""
    icon = icons["icons"][name]
    left, top, width, height = (
        icon.get(key, icons.get(key, default))
        for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{width}" height="{height}" '
        f'color="#000">{icon["body"]}</svg>'
    )


def _check(one: DrawingSet, package: dict[str, Any], info: dict[str, Any] | None) -> None:
    """Hold the manifest against the package's own metadata."""
    found = {"version": package["version"], "licence": package.get("license")}
    if info is not None:
        found |= {"licence": info["license"]["spdx"], "author": info["author"]["name"]}
        found["title"] = info["name"]
    for key, value in found.items():
        if getattr(one, key) != value:
            raise ValueError(
                f"set {one.style!r}: the manifest says {key} {getattr(one, key)!r}, "
                f"{package['name']} itself {value!r}. Look why, then correct the manifest."
            )


def _public_domain_author(svg: str, path: Path) -> str:
    """Who drew a picture of the Open Clip Art Library, which must say that it is free."""
    if "PublicDomain" not in svg:
        raise ValueError(f"{path.name} does not say that it is in the public domain")
    creator = re.search(r"<dc:creator>.*?<dc:title>(.*?)</dc:title>", svg, re.DOTALL)
    name = " ".join(creator.group(1).split()) if creator else ""
    return name or "unknown"


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))
