"""The embedded corpus: news articles as clean text, in a fixed order. It knows no models."""

import csv
import io
import random
import re
import zipfile
from functools import cache

from analysis.errors import UserError
from analysis.loading.assets import fetch
from analysis.loading.pinned import CORPUS

ARTEFACTS = (
    (re.compile('"\ufffd+'), '"'),
    (re.compile(r'""+'), '"'),
    (re.compile(r'(?<=\s)"\?(?=[^\W\d])'), "- "),
    (re.compile(r'(?<=\S)"\?(?=[\w"\[(])'), '" '),
    (re.compile(r'(?<=[A-Za-z])"(?=(?:s|t|d|m|re|ve|ll)\b)'), "'"),
)
"""Marks that lost bytes before the corpus was made, each with the plain mark it stood for.

In order: a quote and an undecodable byte; a doubled quote; a dash (it has white space before it)
and the space after it; a closing quote and the space after it; an apostrophe.
"""


def documents() -> list[str]:
    """The text of every article that has any, in the corpus's order.

    Raises:
        UserError: the corpus is neither in the cache nor downloadable.
    """
    return [text for _, text in articles()]


@cache
def articles() -> tuple[tuple[int, str], ...]:
    """(article id, text) of every article that has any text, in the corpus's order; read once.

    Raises:
        UserError: the corpus is neither in the cache nor downloadable.
    """
    with zipfile.ZipFile(fetch(CORPUS)) as archive, archive.open("NewsArticles.csv") as file:
        rows = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        texts = [(int(row["article_id"]), article(row)) for row in rows]
    return tuple((number, text) for number, text in texts if text)


def sample(n: int, seed: int) -> list[tuple[int, str]]:
    """(article id, text) of n different articles, the same ones for the same seed.

    Raises:
        UserError: there are fewer than n articles.
    """
    everything = articles()
    if not 0 <= n <= len(everything):
        raise UserError(f"The corpus has {len(everything)} articles: ask for at most so many.")
    return random.Random(seed).sample(everything, n)


def article(row: dict[str, str]) -> str:
    """Title, subtitle and text, a line each; a subtitle that opens the text is not said twice."""
    title, subtitle, text = (clean(row[part] or "") for part in ("title", "subtitle", "text"))
    if text.startswith(subtitle):
        subtitle = ""
    return "\n".join(part for part in (title, subtitle, text) if part)


def clean(text: str) -> str:
    """Single spaces, and plain quotes for the corpus's quote artefacts."""
    for artefact, plain in ARTEFACTS:
        text = artefact.sub(plain, text)
    return " ".join(text.split())
