"""What students import. It holds no answers."""

from course_lib.data import measurements

__all__ = ["measurements"]
