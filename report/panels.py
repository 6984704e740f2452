"""The page's figures: drawn from results, each with its finding, its command and safe data."""

import json
from dataclasses import dataclass

import plotly.graph_objects as go
from markupsafe import Markup

from analysis.claims import Claims
from analysis.claims.captions import captions
from analysis.claims.making import figure_command
from analysis.evidence import Evidence
from analysis.figures import FIGURES
from analysis.figures.style import THEMES

UNSAFE = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Panel:
    """One figure as the page shows it.

    Attributes:
        name: its name among the figures, and its id on the page.
        number: its place in reading order, from 1.
        caption: the finding it shows.
        label: the same without markup, for readers who do not see it.
        command: the command line that computes it.
        height: pixels.
        data: traces and layout as JSON that is safe inside a script element.
    """

    name: str
    number: int
    caption: Markup
    label: str
    command: str
    height: int
    data: Markup


def panels(evidence: Evidence, claims: Claims) -> dict[str, Panel]:
    """Draw every figure, by name, in reading order."""
    said = captions(claims)
    assert list(said) == list(FIGURES)
    return {
        name: _panel(evidence, name, number, said[name]) for number, name in enumerate(FIGURES, 1)
    }


def captions(claims: Claims) -> Mapping[str, Markup]:
    """The finding that each figure shows."""
    return {
        "next_token": claims.prompts.next_caption,
        "natural_prompts": claims.prompts.natural_caption,
        "logit_lens": claims.lens.caption,
        "patching": claims.circuit.caption,
        "heads": claims.circuit.heads_caption,
        "neuron_sweep": claims.neurons.caption,
        "confirmation": claims.neurons.confirmation_caption,
        "attribution": claims.neurons.attribution_caption,
        "direct_effect": claims.writes.caption,
        "written_tokens": claims.writes.tokens_caption,
        "activations": claims.activity.caption,
        "random_text": claims.activity.news_caption,
        "corpus_scan": claims.corpus.caption,
        "corpus_auc": claims.corpus.auc_caption,
        "upstream": claims.upstream.caption,
        "upstream_sources": claims.upstream.sources_caption,
        "upstream_steps": claims.upstream.steps_caption,
        "upstream_pairs": claims.upstream.pairs_caption,
        "upstream_alignment": claims.upstream.alignment_caption,
        "composition": claims.composition.caption,
        "composition_held_out": claims.composition.held_out_caption,
        "intervention": claims.intervention.caption,
        "ablation": claims.ablation.caption,
        "collateral": claims.ablation.corpus_caption,
        "weight_modulation": claims.modulation.caption,
        "generality": claims.generality.caption,
        "census": claims.census.caption,
        "hubs": claims.census.hubs_caption,
        "agreement": claims.census.behaviour_caption,
        "comparison": claims.comparison.caption,
    }


def themes() -> Markup:
    """What changes in a figure between a light and a dark page, as safe JSON."""
    return safe_json(json.dumps(THEMES))


def safe_json(text: str) -> Markup:
    """JSON that can stand inside a script element: nothing in it can end that element."""
    for character, code in UNSAFE.items():
        text = text.replace(character, code)
    return Markup(text)  # noqa: S704


def _panel(evidence: Evidence, name: str, number: int, caption: Markup) -> Panel:
    drawing = FIGURES[name]
    figure: go.Figure = drawing.draw(getattr(evidence, drawing.step))
    return Panel(
        name=name,
        number=number,
        caption=caption,
        label=f"Figure {number}. {caption.striptags()}",
        command=figure_command(evidence, name),
        height=int(figure.layout.height),
        data=safe_json(figure.to_json()),
    )
