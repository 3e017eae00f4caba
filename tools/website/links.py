"""Links of a page: to other pages as they are, to files that are no pages only where these lie."""

from collections.abc import Collection

from autograder.authoring.page_links import relative, relinked


def with_links(text: str, path: str, pages: Collection[str], repository: str | None) -> str:
    """The Markdown of ``path`` (in the repository), with every link one that leads somewhere.

    ``pages``: files that are pages of the site. Of a notebook the page is Markdown, too. A link to
    another file leads to ``repository``, an address like https://HOST/NAME/blob/main; without one,
    its text stays.
    """

    def address(file: str) -> str | None:
        if file in pages:
            return relative(page_of(file), page_of(path))
        return f"{repository.rstrip('/')}/{file}" if repository else None

    return relinked(text, path, address)


def page_of(path: str) -> str:
    """Where the page made of a file lies on the site: the README is the first one."""
    if path == "README.md":
        return "index.md"
    return path.removesuffix(".ipynb") + ".md" if path.endswith(".ipynb") else path
