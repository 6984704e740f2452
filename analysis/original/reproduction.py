"""Each published number of the original study, and the same computed here by its conventions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import torch
from jaxtyping import Float

from analysis.engines.patcher import NeuronPatcher
from analysis.experiments.logit_lens.compute import half_layers
from analysis.experiments.patching.compute import patching
from analysis.neuron import Neuron, parse_neuron
from analysis.original import conventions as original
from analysis.original.published import MAPS, Document, words
from analysis.progress import Progress, part_of
from analysis.prompts import PromptPair, make_pair, make_prompt
from analysis.subject import Subject

PILE = "It was counted on the texts of pile-10k, which are not at hand here."
LEFT_OUT = {
    "recovery_head_L26H1_z": "It is an average over prompts that were not recorded with it.",
    "pile10k_top1_an": PILE,
    "pile10k_actual_an": PILE,
    "an_proportion": PILE,
    "though_proportion": PILE,
    "multiline": PILE,
}
"""Published numbers that do not follow from the weights and the recorded prompts alone."""


@dataclass(frozen=True)
class Number:
    """One published number and its counterpart.

    Attributes:
        group: the original's table or figure.
        name: what it is.
        kind: what kind of number it is, which decides the tolerance.
        published: its value as published.
        here: its value here, NaN where the thing does not exist here.
    """

    group: str
    name: str
    kind: str
    published: float
    here: float


def reproduced(subject: Subject, published: Document, progress: Progress) -> list[Number]:
    """Compute everything that the document lists and that can be computed.

    Raises:
        UserError: the model does not know the prompts or tokens.
    """
    measured = _Measured(subject, published, progress)
    parts = (_scalars, _lens, _maps, _neurons, _congruences, _token_gaps, _mutual)
    return list(chain.from_iterable(part(measured) for part in parts))


def original_pair(subject: Subject, published: Document) -> PromptPair:
    """The two prompts of the original.

    Raises:
        UserError: the model does not know the prompts or tokens.
    """
    prompts = published["prompts"]
    return make_pair(subject, prompts["clean"], prompts["corrupted"], *words(published))


class _Measured:
    """What the document's numbers are about, measured here."""

    def __init__(self, subject: Subject, published: Document, progress: Progress) -> None:
        self.subject, self.published = subject, published
        self.pair = original_pair(subject, published)
        self.contrast = self.pair.contrast
        self.neuron = self.named(published["model"]["neuron"])
        lens = original.lens(subject, self.pair.clean, self.contrast).tolist()
        self.lens = dict(zip(half_layers(subject.n_layers), lens, strict=True))
        self.patching = patching(subject, self.pair, part_of(progress, 0.0, 0.3))
        self.recovery = self._recoveries(part_of(progress, 0.3, 0.4))
        self.mutual = original.mutual_pairs(subject, part_of(progress, 0.4, 1.0))

    def named(self, name: str) -> Neuron:
        """The neuron of that name."""
        return parse_neuron(name, self.subject.n_layers, self.subject.d_mlp)

    def _recoveries(self, progress: Progress) -> Float[np.ndarray, " d_mlp"]:
        """Recovery of every neuron of the layer, patched alone at all positions."""
        shape = (self.subject.n_layers, self.subject.d_mlp)
        chosen = torch.zeros(shape, dtype=torch.bool, device=self.subject.device)
        chosen[self.neuron.layer] = True
        patcher = NeuronPatcher(self.subject, self.pair, "all")
        return patcher.recoveries(chosen, progress).cpu().numpy()

    def map(self, component: str) -> Float[np.ndarray, "layer pos"]:
        """Recovery by layer and position, clean into corrupted."""
        return self.patching.restored[self.patching.components.index(component)]

    def congruence(self, name: str) -> list[float]:
        """Products of one neuron with all tokens."""
        found: list[float] = original.congruence(self.subject, self.named(name)).tolist()
        return found


def _scalars(measured: _Measured) -> Iterator[Number]:
    """Single numbers, looked up by their id or, where one is named, by their neuron."""
    known = {**_from_prompts(measured), **_from_maps(measured), **_from_weights(measured)}
    for entry in measured.published["scalars"]:
        key = name = entry["id"]
        if name in LEFT_OUT:
            continue
        if "neuron" in entry:
            key = f"{name.split('_')[0]} {entry['neuron']}"
        here = known.get(key, float("nan"))
        yield Number("single numbers", name, _kind(name), entry["value"], here)


def _kind(name: str) -> str:
    if name.startswith("recovery"):
        return "recovery"
    if name.startswith(("congruence", "in_weights")):
        return "weight"
    return "probability" if "_p_" in name else "logit"


def _from_prompts(measured: _Measured) -> dict[str, float]:
    """Probabilities and logits after the prompts, as they are and with the neuron changed."""
    subject, neuron, published = measured.subject, measured.neuron, measured.published
    clean, corrupted = measured.pair.clean, measured.pair.corrupted
    prompted = (entry for entry in published["scalars"] if "prompt" in entry)
    texts = {entry["id"].split("_p_")[0]: entry["prompt"] for entry in prompted}
    texts["avocado"] = clean.text.replace("apple", "avocado")
    flipped = original.flipped_input(subject, clean, neuron)
    negate = partial(original.negated, number=neuron.number)
    flip = partial(original.replaced, number=neuron.number, values=flipped)
    runs = {
        "clean": original.centred_logits(subject, clean),
        "lemon": original.centred_logits(subject, corrupted),
        "negate_activation": original.centred_logits(subject, clean, {neuron.layer: negate}),
        "flip_w_in": original.centred_logits(subject, clean, {neuron.layer: flip}),
    }
    for name, text in texts.items():
        runs[name] = original.centred_logits(subject, make_prompt(subject, text))
    known = {}
    for name, run in runs.items():
        for word, token in (("an", measured.contrast.target_id), ("a", measured.contrast.foil_id)):
            known[f"{name}_p_{word}"] = float(run.softmax(-1)[token])
            known[f"{name}_logit_{word}"] = float(run[token])
    return known


def _from_maps(measured: _Measured) -> dict[str, float]:
    """Points of the lens, and recoveries at the last position and of single neurons."""
    known = {f"lens_{label}": value for label, value in measured.lens.items()}
    known["clean_logit_diff"] = measured.patching.clean_diff
    known["lens_final_diff_without_b_U"] = measured.lens["final_post"]
    for short, component in (("attn", "attn_out"), ("mlp", "mlp_out")):
        for layer, row in enumerate(measured.map(component)):
            known[f"recovery_{short}_{layer}_last"] = float(row[-1])
    for number, value in enumerate(measured.recovery.tolist()):
        known[f"recovery {Neuron(measured.neuron.layer, number)}"] = value
    known[f"recovery_{measured.neuron}"] = float(measured.recovery[measured.neuron.number])
    return known


def _from_weights(measured: _Measured) -> dict[str, float]:
    """Products of neurons with the embedding of the target."""
    target, neuron = measured.contrast.target_id, measured.neuron
    named = {entry.get("neuron", str(neuron)) for entry in measured.published["scalars"]}
    known = {f"congruence {name}": measured.congruence(name)[target] for name in named}
    known[f"congruence_{neuron}_an"] = measured.congruence(str(neuron))[target]
    known["in_weights_dot_W_E_an"] = original.input_congruence(measured.subject, neuron, target)
    return known


def _lens(measured: _Measured) -> Iterator[Number]:
    """The published curve, point by point."""
    curve = measured.published["logit_lens"]
    for label, value in zip(curve["labels"], curve["logit_diff"], strict=True):
        yield Number("logit lens", label, "logit", value, measured.lens.get(label, float("nan")))


def _maps(measured: _Measured) -> Iterator[Number]:
    """Recovery by layer and position, of three components."""
    for key, component in MAPS.items():
        here = measured.map(component)
        for layer, row in enumerate(measured.published[key]):
            for pos, value in enumerate(row):
                found = here[layer, pos] if pos < here.shape[1] else float("nan")
                name = f"{component} {layer}, position {pos}"
                yield Number(f"patching {component}", name, "recovery", value, float(found))


def _neurons(measured: _Measured) -> Iterator[Number]:
    """Recovery of every neuron of the layer, patched alone at all positions."""
    layer = measured.neuron.layer
    for number, value in enumerate(measured.published[f"patched_neuron_L{layer}"]):
        here = float(measured.recovery[number])
        yield Number(f"neurons of layer {layer}", f"L{layer}N{number}", "recovery", value, here)


def _congruences(measured: _Measured) -> Iterator[Number]:
    """The tokens of most and least congruence with two neurons."""
    for key, rows in measured.published.items():
        found = re.fullmatch(r"(L\d+N\d+)_congruence_top", key)
        if found is not None:
            products = measured.congruence(found[1])
            for token, text, value in rows:
                group = f"congruence of {found[1]}"
                yield Number(group, f"{token} {text}", "weight", value, products[token])


def _token_gaps(measured: _Measured) -> Iterator[Number]:
    """How far the most congruent neuron of a token is ahead of the next."""
    for token, text, value, _ in measured.published["top2_neuron_diff_by_token_top"]:
        here = float(measured.mutual.token_gap[token])
        yield Number("best neuron ahead of the next", f"{token} {text}", "weight", value, here)


def _mutual(measured: _Measured) -> Iterator[Number]:
    """Pairs of a neuron and a token that are each other's best, by the product of their leads."""
    subject, pairs = measured.subject, measured.mutual
    for name, text, value in measured.published["mutual_exclusive_top30"]:
        layer, number = map(int, re.findall(r"\d+", name))
        neuron = layer * subject.d_mlp + number
        same = repr(subject.string(int(pairs.token[neuron]))) == text
        here = pairs.score(neuron) if same else float("nan")
        yield Number("mutual best pairs", f"L{layer}N{number} {text}", "score", value, here)
