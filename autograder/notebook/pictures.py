"""Pictures that a browser shows and never runs, known by their first bytes and not by their name.

An SVG is none of them: it is a document that can hold scripts.
"""

from __future__ import annotations

MAX_PICTURE = 3 << 20  # bytes of one picture
MAX_PICTURES = 15 << 20  # of all pictures of a notebook, or beside one

SUFFIXES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


def kind_of(data: bytes) -> str:
    """The MIME type of a picture, by its first bytes; empty where it is none."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return ""
