"""The solutions of the source notebook, with their written answers.

Earns: full marks.
"""

# %% start from solutions-and-answers
