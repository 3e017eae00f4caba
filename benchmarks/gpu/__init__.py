"""GPUs for grading, tried on a machine that has one: one table in under five minutes.

    python -m benchmarks.gpu                    # everything but the last line
    python -m benchmarks.gpu --only verdicts    # some of the parts: see --help
    python -m benchmarks.gpu --workers          # 1 to 16 workers, too, where there are the cores
    python -m benchmarks.gpu --dry-run          # no GPU: does it work? no figures

It needs a checkout with its environment (`make .venv/.ready`), and no network. Without a GPU it
says why there is none that can be used, and ends with status 1; it ends with status 1 also where a
line is not as wanted.
"""
