"""What the share of prose that gets the target rests on."""

from collections.abc import Iterator

from analysis.experiments.next_token.compute import NextToken
from analysis.experiments.next_token.facts import Facts
from analysis.grounds import Ground


def grounds(facts: Facts, result: NextToken) -> Iterator[Ground]:
    """Prompts are the sample."""
    if facts.natural:
        yield Ground("natural", {"prompt": result.natural}, "wilson")
