"""``python -m cs231n_lib.cli``: the command where its script is not on the path."""

import sys

from cs231n_lib.cli import main

if __name__ == "__main__":
    sys.exit(main())
