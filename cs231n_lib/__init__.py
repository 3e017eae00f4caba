"""What students of the course import. It holds no answers."""

from cs231n_lib.extras import explain_missing

explain_missing()
