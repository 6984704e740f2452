"""What the claims about held-out word pairs rest on."""

from collections.abc import Iterator

from analysis.experiments.upstream.facts import Facts
from analysis.experiments.upstream.measured import Upstream
from analysis.grounds import Ground, Unit


def grounds(facts: Facts, result: Upstream) -> Iterator[Ground]:
    """Pairs of prompts are the sample, the question's own left out."""
    pairs: dict[Unit, int] = {"prompt_pair": len(result.pairs) - 1}
    if facts.head and facts.head.held_out:
        yield Ground("held_out", pairs, "bootstrap")
    if facts.chain and facts.chain.held_out:
        yield Ground("chain", pairs, "bootstrap")
