"""Gradescope: ``results.json``, and an autograder that writes it in Gradescope's container.

``package`` builds the zip. There run_autograder calls ``run``, which puts the ``upload`` into a
course folder, grades it, and writes the ``results``, or a ``refusal``.
"""
