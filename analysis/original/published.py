"""The numbers of the original study, as published: Miller and Neo, "We Found An Neuron", 2023.

They are facts about GPT-2 Large, kept in ``published.json`` with where each was printed: "B" stands
for the data behind the published figures, "N" for the outputs stored in the notebook.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.subject import Subject

PATH = Path(__file__).with_name("published.json")

MAPS = {"patched_resid": "resid_pre", "patched_attn": "attn_out", "patched_mlp": "mlp_out"}
"""Published heat maps, and what was patched in each."""

NAMES = ("gpt2-large", "openai-community/gpt2-large")
"""Names of the original study's model: the catalogue's and the hub's."""

Document = Mapping[str, Any]


@cache
def document() -> Document:
    """All of it, as it was copied."""
    published: Document = json.loads(PATH.read_text(encoding="utf-8"))
    return published


def lens_curve(published: Document) -> list[float]:
    """The published logit lens of the clean prompt: logits by half layer, ``b_U`` left out."""
    curve: list[float] = published["logit_lens"]["logit_diff"]
    return curve


def words(published: Document) -> tuple[str, str]:
    """The target and the foil of the original."""
    prompts = published["prompts"]
    return prompts["target"], prompts["foil"]


def asks_the_same(published: Document, clean: str, target: str, foil: str) -> bool:
    """Whether a question is the one that the original's clean prompt asked."""
    return bool((clean, target, foil) == (published["prompts"]["clean"], *words(published)))


def same_pair(published: Document, clean: str, corrupted: str, target: str, foil: str) -> bool:
    """Whether a question is the one that the original's two prompts asked."""
    same = asks_the_same(published, clean, target, foil)
    return same and bool(corrupted == published["prompts"]["corrupted"])


def at_the_end(published: Document) -> dict[str, list[float]]:
    """Published recovery by layer at the last position, clean into corrupted, by component."""
    return {name: [row[-1] for row in published[key]] for key, name in MAPS.items()}


def describes(published: Document, layers: int, d_model: int, d_mlp: int) -> bool:
    """Whether a model of this shape is the one the numbers are about."""
    model = published["model"]
    return (layers, d_model, d_mlp) == (model["layers"], model["d_model"], model["d_mlp"])


def about(published: Document, subject: "Subject") -> bool:
    """Whether a loaded model is, by its architecture and shape, the one they are about."""
    shape = (subject.n_layers, subject.d_model, subject.d_mlp)
    same_type: bool = subject.config.model_type == published["model"]["type"]
    return same_type and describes(published, *shape)
