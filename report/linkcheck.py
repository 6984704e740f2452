"""Checks every link inside a folder of pages: files that are there, anchors that are in them."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """What a page points to, and what can be pointed to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep ids, and where href and src lead."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.append(value)
            if name in ("href", "src") and value:
                self.links.append(value)


def anchors(text: str) -> list[str]:
    """What can be pointed to in a page: its ids, in order."""
    return _Page(text).anchors


def broken_links(folder: Path) -> list[str]:
    """Every link of the folder's pages that leads nowhere in it, as "page: link".

    Links to other hosts are not followed.
    """

    @cache
    def page(path: Path) -> _Page:
        return _Page(path.read_text(encoding="utf-8"))

    def leads(path: Path, link: str) -> bool:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            return True
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file() or not target.is_relative_to(folder.resolve()):
            return False
        return not parts.fragment or unquote(parts.fragment) in page(target).anchors

    pages = sorted(folder.resolve().rglob("*.html"))
    return [
        f"{path.relative_to(folder.resolve())}: {link}"
        for path in pages
        for link in page(path).links
        if not leads(path, link)
    ]
