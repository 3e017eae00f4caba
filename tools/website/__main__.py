"""``python -m tools.website``: build the site. Warnings are errors."""

import argparse
import os
import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from tools.website.assemble import assemble

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.website", description="Build the site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    parser.add_argument(
        "--repository",
        default=os.environ.get("COURSE_REPOSITORY"),
        metavar="URL",
        help="where files that are no pages can be read, like https://HOST/NAME/blob/main; "
        "default: $COURSE_REPOSITORY, or no links to them",
    )
    options = parser.parse_args()
    pages = options.out.with_name(f"{options.out.name}-pages")
    print("Laying out the pages ...", flush=True)
    assemble(ROOT, pages, options.repository)
    print("Building ...", flush=True)
    words = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(Path(__file__).parent)]
    words += ["-d", str(options.out.with_name(f"{options.out.name}-doctrees"))]
    status = sphinx([*words, str(pages), str(options.out)])
    if status == 0:
        print(f"Open {os.path.relpath(options.out / 'index.html')}")
    return status


if __name__ == "__main__":
    sys.exit(main())
