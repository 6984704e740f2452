"""What the committed study of a model says: instantly, since nothing is computed."""

from dataclasses import dataclass
from functools import cache

import plotly.graph_objects as go
from markupsafe import Markup

from analysis import results
from analysis.claims import Claims, make_claims, neurons
from analysis.claims.captions import captions
from analysis.claims.wording import say
from analysis.errors import UserError
from analysis.evidence import Evidence, load_evidence
from analysis.figures import FIGURES

KEY = (
    "next_token", "neuron_sweep", "confirmation", "written_tokens", "activations", "corpus_scan",
    "upstream_sources", "composition", "ablation", "generality",
)  # fmt: skip
"""The figures that tell the argument."""


@dataclass(frozen=True)
class Story:
    """A study with what it claims."""

    evidence: Evidence
    claims: Claims

    def figures(self) -> list[tuple[Markup, go.Figure]]:
        """The key figures, each with its finding."""
        said = captions(self.claims)
        return [(said[name], self._draw(name)) for name in KEY]

    def _draw(self, name: str) -> go.Figure:
        drawing = FIGURES[name]
        return drawing.draw(getattr(self.evidence, drawing.step))


@cache
def story(model: str) -> Story | None:
    """The committed study of a model, if there is one."""
    try:
        evidence = load_evidence(results.ROOT / model)
    except UserError:
        return None
    return Story(evidence, make_claims(evidence))


def opening(model: str) -> Markup:
    """What is known of the model's neuron, in two sentences."""
    told = story(model)
    if told is not None:
        standing = neurons.standing(told.evidence.neuron_sweep)
        return say("{} {}", told.claims.opening.lede, standing)
    return say(
        "Which single neuron makes {} say a word, and how do we know? There is no committed study "
        "of this model yet: ask it here.",
        model,
    )
