"""Before a notebook is handed in: run it as grading would, say what is open, and pack it.

The commands `cs231n check` and `cs231n submit` are made of this; `cs231n_lib.submit` offers both in
a cell. Nothing here knows an answer, or can say what something will be worth.
"""
