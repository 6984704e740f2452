"""What the claims about a corpus rest on."""

from collections.abc import Iterator

from analysis.experiments.corpus_scan.compute import CorpusScan
from analysis.experiments.corpus_scan.facts import Facts
from analysis.grounds import Ground, Unit


def grounds(facts: Facts, result: CorpusScan) -> Iterator[Ground]:
    """Articles are the sample: tokens of one are not independent."""
    articles: dict[Unit, int] = {"article": result.documents}
    if result.documents < 2:
        return
    yield Ground("ends", articles, "bootstrap", result.end_excess[..., 0].size)
    if facts.next.enough and facts.next.auc.bounded:
        yield Ground("next", articles, "bootstrap")
    if facts.which.enough and facts.which.auc.bounded:
        yield Ground("which", articles, "bootstrap")
    if facts.rival:
        yield Ground("rivals", articles, "bootstrap", facts.rival.others)
    if facts.detector:
        judged: dict[Unit, int] = {"article": result.documents // 2}
        yield Ground("detector", judged, "wilson_of_texts")
