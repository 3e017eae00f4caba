"""Known images: which rows of a data set some images are, and what has been computed of those.

Dimension letters: N images in the data set, n of them in question, F numbers of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IMAGE = (32, 32, 3)

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class KnownImages:
    """Images (N, 32, 32, 3) with results (N, F) by name; all are read-only.

    ``sums`` (N,), ascending, and ``rows`` (N,), the image that each belongs to.
    """

    images: Images
    results: Mapping[str, NDArray[Any]]
    sums: NDArray[np.uint64]
    rows: NDArray[np.intp]

    def find(self, images: Images) -> slice | None:
        """The rows that these images (n, 32, 32, 3) are, if they follow each other here."""
        first = np.searchsorted(self.sums, _sums(images[:1])[0])
        if first == len(self.rows):
            return None
        start = int(self.rows[first])
        found = slice(start, start + len(images))
        return found if np.array_equal(self.images[found], images) else None


def known_images(images: Images, results: Mapping[str, NDArray[Any]]) -> KnownImages:
    """Make images ready to be found again."""
    sums = _sums(images)
    rows = np.argsort(sums, kind="stable")
    return KnownImages(images, results, sums[rows], rows)


def is_such_an_image(images: NDArray[Any]) -> bool:
    """Whether this could be one of a data set of ours, or a batch of them."""
    return (
        images.dtype == np.uint8
        and images.shape[-3:] == IMAGE
        and (images.ndim == 3 or (images.ndim == 4 and len(images) > 0))
    )


def _sums(images: Images) -> NDArray[np.uint64]:
    """A number for each image, by which to look it up; that it is the same is seen afterwards."""
    words = np.ascontiguousarray(images).reshape(len(images), -1).view(np.uint64)
    return words.sum(axis=1, dtype=np.uint64)
