"""Where a page stands, and what stands around it."""

from dataclasses import dataclass

from report.links import LOCAL


@dataclass(frozen=True)
class Place:
    """Where a page stands.

    Attributes:
        root: relative way from the page to the folder of scripts and styles, such as "../".
        site: whether there is an index, a feed and a card around the page.
        address: where the site will be read, with a slash at the end; empty where nobody knows.
        app: address of the app that figures link to.
    """

    root: str = ""
    site: bool = False
    address: str = ""
    app: str = LOCAL
