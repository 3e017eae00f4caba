"""The one-line hook in every grade cell. It holds no check: those live with the judge.

Under our executor the hook never runs in the kernel: the judge maps the cell's grade_id to its
checks. Under any other executor it raises, so that an unprotected run cannot hand out points.
"""


class UnprotectedError(Exception):
    """Hidden checks were asked for by a kernel that no judge watches."""


def check(grade_id: str) -> None:
    """Refuse: only the judge runs the hidden checks of ``grade_id``."""
    raise UnprotectedError(
        f"{grade_id}: hidden checks are run by the judge, not by the notebook's own kernel, so "
        "this run gives no points; to grade, run `python -m autograder grade`"
    )
