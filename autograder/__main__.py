"""``python -m autograder``."""

import sys

from autograder.cli.main import main

# jsonschema would build a grammar for addresses in all scripts, a second of each start, for a
# format that no notebook has. It does without where it finds none.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

main()
