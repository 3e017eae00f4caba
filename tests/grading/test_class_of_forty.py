"""A class of 40 with every odd and hostile submission in it: nobody else notices."""

from pathlib import Path

import pytest

from benchmarks.odd_cases import cases
from benchmarks.odd_class import examine


@pytest.mark.nightly
def test_with_one_worker_and_with_two_everybody_elses_grades_are_the_same(tmp_path: Path) -> None:
    assert examine(tmp_path, 40, cases(), whole=False) == []
