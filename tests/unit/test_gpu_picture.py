"""The picture of GPU servers: it names what the documents name, and lies where they show it."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import draw_gpu_runners

    yield draw_gpu_runners
    sys.modules.pop("draw_gpu_runners", None)


def test_the_committed_picture_is_the_one_that_is_drawn(script: ModuleType) -> None:
    """Of the same size; and its words say who is trusted, and where the gradebook is."""
    fig = script.draw()
    [ax] = fig.axes
    words = {text.get_text() for text in ax.texts}
    assert {"driver", "scheduler", "worker 1", "sandbox", "GPU", "gradebook", "trusted"} <= words
    size = tuple(round(inches * 110) for inches in fig.get_size_inches())
    with Image.open(ROOT / "docs" / "img" / "gpu-runners.png") as picture:
        assert picture.size == size
    plt.close(fig)


def test_the_picture_is_described_where_it_is_shown() -> None:
    text = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    [alt] = re.findall(r"!\[([^\]]+)\]\(img/gpu-runners\.png\)", text)
    assert all(word in alt for word in ("driver", "gradebook", "scheduler", "sandbox", "boundary"))
