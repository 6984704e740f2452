"""What the claims about news rest on."""

from collections.abc import Iterator

from analysis.experiments.activations.compute import Activations
from analysis.experiments.activations.facts import Facts
from analysis.grounds import Ground


def grounds(facts: Facts, _result: Activations) -> Iterator[Ground]:
    """Articles are the sample: tokens of one are not independent."""
    if facts.news:
        yield Ground("active", {"article": facts.news.active_in.of}, "wilson")
    if facts.news and facts.news.before_target and facts.news.before_target.articles > 1:
        yield Ground("before", {"article": facts.news.before_target.articles}, "bootstrap")
