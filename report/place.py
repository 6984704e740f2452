"""Where a page stands, and what stands around it."""

import re
from dataclasses import dataclass

from analysis.errors import UserError
from report.links import LOCAL

STILL_WIDTH = 640
"""Pixels of the page that a still image takes."""


@dataclass(frozen=True)
class Place:
    """Where a page stands.

    Attributes:
        root: relative way from the page to the index, its scripts and styles, such as "../../".
        address: where the index will be read, with a slash at the end; empty where nobody knows.
        app: address of the app that figures link to.
        stills: whether each figure lies beside the page as an image, too.
        repository: OWNER/NAME of the code on GitHub; empty where nobody knows.
        card: whether the picture that other sites show lies beside the index.
        feed: whether the changes lie beside the index.
        beside: names of the questions whose pages stand beside those of this one.
    """

    root: str = ""
    address: str = ""
    app: str = LOCAL
    stills: bool = False
    repository: str = ""
    card: bool = False
    feed: bool = False
    beside: frozenset[str] = frozenset()
    still_width: int = STILL_WIDTH

    def __post_init__(self) -> None:
        """Refuse what would become a link elsewhere than meant.

        Raises:
            UserError: the repository is no OWNER/NAME.
        """
        if self.repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repository):
            raise UserError(f"{self.repository!r} is no repository: give OWNER/NAME as on GitHub.")
