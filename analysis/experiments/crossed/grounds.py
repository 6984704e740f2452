"""What the claims about rule, cue and example rest on."""

from collections.abc import Iterator

from analysis.experiments.crossed.compute import Crossed
from analysis.experiments.crossed.facts import Facts
from analysis.grounds import Ground, Unit


def grounds(facts: Facts, result: Crossed) -> Iterator[Ground]:
    """Frames and words are both a sample, words within their kinds; examples are as given."""
    both: dict[Unit, int] = {"frame": len(result.frames), "word": len(result.words)}
    yield Ground("factors", both, "bootstrap")
    yield Ground("shares", both, "bootstrap")
    if facts.plan:
        yield Ground("plan", both, "bootstrap")
    yield Ground("own", {"word": len(result.own_words)}, "bootstrap")
