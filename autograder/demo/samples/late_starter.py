"""Joined in the second assignment and did one of its notebooks: the earlier ones are missing.

Earns: all of Dropout, which loads layers, update rules and normalisation from notebooks that this
student never wrote. They are the instructor's when grading, and the report says so.
"""

# %% notebook Dropout
# %% start from solutions
