"""Benchmark of grading a class: `python -m benchmarks.class_scale`, from the repository's root.

``throughput`` grades the classes of ``submissions`` with ``ours``, with ``peers`` (nbgrader, Otter)
and at the ``limit``; ``figures`` makes tables of it. Tables of their own: ``scaling`` lets the
class grow and adds a machine; ``gradebook`` writes grades while a formgrader reads.
"""
