"""Hidden checks: ``ASSIGNMENT/NOTEBOOK.py``, in lower case, holds those of one notebook.

Only the judge imports this. Never let what students import (``course_lib``) import it.
"""
