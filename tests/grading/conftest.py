"""What the tests of notebooks' hidden checks share."""

from collections.abc import Iterator

import pytest

from autograder.judge.student import Student
from autograder.judge.zygote import Zygote


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, zygote: Zygote) -> Iterator[Student]:
    """Our solution of the file's notebook, TRIAL; `with_source` puts wrong cells in its place.

    The file says with ``student_with(zygote, sources)`` which cells have run.
    """
    file = request.module
    with file.student_with(zygote, file.TRIAL.solved()) as student:
        yield student
