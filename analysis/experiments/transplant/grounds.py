"""What the claims about a transplant rest on."""

from collections.abc import Iterator

from analysis.experiments.transplant.facts import Facts
from analysis.experiments.transplant.found import Transplant
from analysis.grounds import Ground, Unit

UNITS: dict[str, Unit] = {"words": "word", "templates": "word", "natural": "article"}


def grounds(facts: Facts, result: Transplant) -> Iterator[Ground]:
    """Words and articles are drawn again, with all texts that they are in."""
    for name, units in zip(result.grounds, result.units, strict=True):
        yield Ground(name, {UNITS[name]: int(units)}, "bootstrap")
    yield Ground("costs", {"article": result.articles}, "bootstrap")
