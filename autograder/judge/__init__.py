"""The trusted side: checks, comparisons, scores. What checks may import is named here."""

from autograder.judge.caches import shares_cache
from autograder.judge.expect import (
    RTOL,
    Failed,
    Precision,
    Slips,
    as_array,
    expect,
    expect_close,
    expect_equal,
    expect_near,
    expect_shape,
    expect_unchanged,
    name_slip,
)
from autograder.judge.growth import expect_same_of_few, forbid_growth
from autograder.judge.registry import advice, check, check_each
from autograder.judge.small import runs_small
from autograder.judge.stand_ins import Refused, Rows
from autograder.judge.static import (
    forbid_loops,
    forbid_names,
    forbid_nested_loops,
    forbid_unread,
)
from autograder.judge.student import TIME_OUT, Instance, Ref, Student, StudentError
from autograder.judge.told import is_known_type, named
from autograder.notebook.syntax import parse_cell

__all__ = [
    "RTOL",
    "TIME_OUT",
    "Failed",
    "Instance",
    "Precision",
    "Ref",
    "Refused",
    "Rows",
    "Slips",
    "Student",
    "StudentError",
    "advice",
    "as_array",
    "check",
    "check_each",
    "expect",
    "expect_close",
    "expect_equal",
    "expect_near",
    "expect_same_of_few",
    "expect_shape",
    "expect_unchanged",
    "forbid_growth",
    "forbid_loops",
    "forbid_names",
    "forbid_nested_loops",
    "forbid_unread",
    "is_known_type",
    "name_slip",
    "named",
    "parse_cell",
    "runs_small",
    "shares_cache",
]
