"""Write the table of notebooks into README.md, as the map of the course has it.

    .venv/bin/python tools/course_table.py

Points, hours and who uses whose functions are read out of source/; run it when they have changed.
"""

import re
from pathlib import Path

from autograder.authoring.course_map import course_table

ROOT = Path(__file__).resolve().parents[1]
BETWEEN = re.compile(
    r"(?<=<!-- written by tools/course_table.py -->\n).*?(?=\n<!-- end of what it writes -->)",
    re.DOTALL,
)


def with_table(readme: str, root: Path = ROOT) -> str:
    """The text with today's table. Raises ValueError where it has no place for one."""
    if len(BETWEEN.findall(readme)) != 1:
        raise ValueError("README.md: the two comments around the table of notebooks are not there")
    table = course_table(root / "source", "release/")
    return BETWEEN.sub(lambda _: table, readme)


def main() -> None:
    path = ROOT / "README.md"
    path.write_text(with_table(path.read_text("utf-8")), "utf-8")
    print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
