"""``python -m autograder``."""

import sys

from autograder.host.installed import complaint

wrong = complaint("python -m autograder")
if wrong:
    print(wrong, file=sys.stderr)
    sys.exit(2)

from autograder.cli.main import main  # noqa: E402  (what it imports may not be there)

# jsonschema would build a grammar for addresses in all scripts, a second of each start, for a
# format that no notebook has. It does without where it finds none.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

main()
