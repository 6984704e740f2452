"""A page as its reader sees it."""

from html.parser import HTMLParser


class Prose(HTMLParser):
    """What a reader sees of a page, and the elements and attributes it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.elements, self.attributes = "", [], []
        self._hidden = False
        self.feed(page)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attrs]
        self._hidden = self._hidden or tag in ("script", "style")

    def handle_endtag(self, tag):
        self._hidden = self._hidden and tag not in ("script", "style")

    def handle_data(self, data):
        if not self._hidden:
            self.text += data
