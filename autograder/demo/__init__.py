"""A small class of sample submissions: right, wrong in instructive ways, and dishonest."""

from autograder.demo.build import ASSIGNMENT, ASSIGNMENTS, NOTEBOOK, build_demo, submission
from autograder.demo.expected import EARNED, EXPECTED, FULL
from autograder.demo.small import SMALL, DemoClass

__all__ = [
    "ASSIGNMENT",
    "ASSIGNMENTS",
    "EARNED",
    "EXPECTED",
    "FULL",
    "NOTEBOOK",
    "SMALL",
    "DemoClass",
    "build_demo",
    "submission",
]
