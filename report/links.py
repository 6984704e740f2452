"""Links from a figure to the app, where the same question can be asked on."""

from collections.abc import Mapping
from urllib.parse import urlencode

from analysis.evidence import Evidence
from analysis.figures import FIGURES
from analysis.question import CLEAN, CORRUPTED, FOIL, TARGET

LOCAL = "http://127.0.0.1:7860/"
"""Where the app answers on a reader's own machine."""

TABS: Mapping[str, str] = {
    "next_token": "activations",
    "logit_lens": "patching",
    "patching": "patching",
    "neuron_sweep": "patching",
    "direct_effect": "direct-effect",
    "activations": "activations",
    "corpus_scan": "corpus",
    "upstream": "upstream",
    "composition": "composition",
    "ablation": "ablation",
    "intervention": "ablation",
    "weight_modulation": "ablation",
    "generality": "find",
    "census": "direct-effect",
    "comparison": "find",
}
"""The tab of the app that asks what a step asks, or what comes nearest to it."""

USUAL = {"clean": CLEAN, "corrupted": CORRUPTED, "target": TARGET, "foil": FOIL}


def app_link(evidence: Evidence, figure: str, app: str = LOCAL) -> str:
    """The address at which the app shows the same model, question and neuron.

    Args:
        evidence: the study.
        figure: name of the figure.
        app: where the app answers.
    """
    asked = evidence.patching
    view = {name: getattr(asked, name) for name in USUAL}
    told = {name: text for name, text in view.items() if text != USUAL[name]}
    told |= {"model": evidence.origin.model, "neuron": evidence.neuron}
    return f"{app}?{urlencode({**told, 'tab': TABS[FIGURES[figure].step]})}"
