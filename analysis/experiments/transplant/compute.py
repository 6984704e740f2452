"""Experiment 15: can a neuron be copied from one model into another?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from analysis.corpus import articles
from analysis.engines.copying import by_layer
from analysis.engines.grafting import check_graftable, native, without
from analysis.engines.transfer import VALUES
from analysis.errors import UserError
from analysis.experiments.transplant.checkpoint import CHECKPOINTS, Checkpoint
from analysis.experiments.transplant.judged import GAINS, UNCUT, costs, judged
from analysis.experiments.transplant.measured import (
    GRAFT,
    MAPPED,
    OWN,
    VARIANTS,
    Pair,
    another,
    answered,
    best_layer,
    grafts,
    in_donor,
    learnt,
    matched,
    own_neuron,
    to_match,
)
from analysis.experiments.transplant.texts import FILLERS, check, gather
from analysis.inputs import Inputs
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress, part_of, silent
from analysis.questions import Question
from analysis.result import Result
from analysis.subject import Subject

ACTIVATION, GATE, IN = (VALUES.index(name) for name in ("activation", "gate", "in"))


@dataclass(frozen=True)
class Transplant(Result):
    """A neuron of one model in another, beside controls, on held-out texts.

    The margin is the mean logit difference where the target is called for, less that where the foil
    is, in logits: a bias adds nothing to it. Intervals are 95 % bootstrap intervals over words and,
    in articles, over articles; the last axis holds value, low and high end.

    Attributes:
        donor: name of the model that has the neuron.
        neuron: its name there.
        recipient: name of the model that gets it.
        recipient_revision: which one that is: a commit hash or a checksum of its weights.
        cut: the neuron that was cut out of the recipient first; empty if none was.
        target: the token asked for.
        foil: the token it competes with.
        layer: of the recipient, where the graft is.
        chosen: whether the held-out fit chose that layer.
        explained: by layer, the share of variance on held-out texts (R squared) of the donor's
            activation, gate and up; a donor without a gate has one reading, which stands for both.
        tokens: how many were fitted.
        own: the recipient's own best neuron; empty where the question has no pair for it.
        other: the other neuron of the donor.
        variants: what the recipient was given.
        grounds: what was judged on.
        texts: of each ground, how many call for the target and for the foil.
        units: of each ground, how many words or articles they are from.
        articles: how many the ordinary text is from.
        donor_area: AUC of the neuron's activation in the donor, by ground, with its interval.
        area: the same of the graft's in the recipient.
        likeness: correlation of both activations at the ends of the texts, by ground.
        donor_margins: margin of the donor, and without its neuron, by ground.
        donor_effect: what the neuron adds to the donor's margin, by ground.
        margins: of the recipient, before.
        shares: share of right choices of the recipient, before.
        after: margin with each variant.
        gains: ``GAINS`` of each variant.
        copied: the graft's gain in the margin as a share of what the neuron adds in the donor.
        restored: the same as a share of what the cut took; not numbers where none was made.
        places: tokens of ordinary text, and those of them followed by neither target nor foil.
        cost: change of the loss over all of them, in nats, by variant; articles are resampled.
        other_cost: the same where neither target nor foil follows.
        divergence: mean KL there, in nats.
        reads: input weights of the graft, gate and up where the recipient has a gate; a last column
            is the bias, where its MLPs have any.
        writes: output weights of the graft.
        uncut_cost: how much higher the loss is with the graft than it was before the cut, over all
            of them; not numbers where none was made.
    """

    donor: str
    neuron: str
    recipient: str
    recipient_revision: str
    cut: str
    target: str
    foil: str
    layer: int
    chosen: bool
    explained: Float[np.ndarray, "layer 3"]
    tokens: int
    own: str
    other: str
    variants: tuple[str, ...]
    grounds: tuple[str, ...]
    texts: Int[np.ndarray, "ground 2"]
    units: Int[np.ndarray, " ground"]
    articles: int
    donor_area: Float[np.ndarray, "ground 3"]
    area: Float[np.ndarray, "ground 3"]
    likeness: Float[np.ndarray, " ground"]
    donor_margins: Float[np.ndarray, "ground 2"]
    donor_effect: Float[np.ndarray, "ground 3"]
    margins: Float[np.ndarray, " ground"]
    shares: Float[np.ndarray, " ground"]
    after: Float[np.ndarray, "variant ground"]
    gains: Float[np.ndarray, "variant ground gain 3"]
    copied: Float[np.ndarray, "ground 3"]
    restored: Float[np.ndarray, "ground 3"]
    places: Int[np.ndarray, "2"]
    cost: Float[np.ndarray, "variant 3"]
    other_cost: Float[np.ndarray, "variant 3"]
    divergence: Float[np.ndarray, "variant 3"]
    uncut_cost: Float[np.ndarray, "3"]
    reads: Float[np.ndarray, "reading feature"]
    writes: Float[np.ndarray, " d_model"]


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Transplant:
    """The donor's neuron into the recipient that is named, or back into the donor itself."""
    question = inputs.question
    cut = inputs["cut"] if inputs["recipient"] else inputs["cut"] or str(inputs.neuron)
    recipient = _recipient(subject, inputs["recipient"])
    check_graftable(recipient)
    return transplant(
        subject,
        inputs.neuron,
        recipient,
        question,
        articles(),
        cut=parse_neuron(cut, recipient.n_layers, recipient.d_mlp) if cut else None,
        layer=_layer(inputs["layer"], recipient),
        contexts=inputs["contexts"],
        seed=inputs["seed"],
        kept=CHECKPOINTS,
        progress=progress,
    )


def _recipient(donor: Subject, name: str) -> Subject:
    """The model of that name, in the donor's type and on its device.

    Raises:
        UserError: it cannot be had.
    """
    from analysis.loading.models import load

    dtype = str(donor.dtype).removeprefix("torch.")
    return load(name, str(donor.device), dtype) if name else donor


def _layer(text: str, recipient: Subject) -> int | None:
    """The layer's number; None for the one with the best fit.

    Raises:
        UserError: there is no such layer.
    """
    if text == "auto":
        return None
    if not text.isascii() or not text.isdigit() or int(text) >= recipient.n_layers:
        raise UserError(
            f"The layer {text[:20]!r} is none of {recipient.origin.name}: give auto, or a number "
            f"from 0 to {recipient.n_layers - 1}."
        )
    return int(text)


def transplant(
    donor: Subject,
    neuron: Neuron,
    recipient: Subject,
    question: Question,
    texts: Sequence[tuple[int, str]],
    cut: Neuron | None = None,
    layer: int | None = None,
    contexts: int = 60,
    seed: int = 0,
    kept: Path | None = None,
    progress: Progress = silent,
) -> Transplant:
    """Fit a graft to one half of words and texts, and judge it on the other.

    Args:
        donor: the model that has the neuron.
        neuron: the neuron.
        recipient: the model that is to get it.
        question: target and foil, words and sentences.
        texts: numbered articles.
        cut: a neuron of the recipient that is cut out of it first.
        layer: where the graft goes; by itself where its readings are told best.
        contexts: places before the target, and as many before the foil, to learn from and again to
            judge by; half as many stretches of ordinary text.
        seed: of the draws.
        kept: a folder for the sums over activations until all is done: a kill leaves them.
        progress: told the finished fraction.

    Raises:
        UserError: target or foil is no single token in one of the models, or texts are missing.
    """
    whole, contrast = recipient, question.contrast(recipient)
    contrasts = question.contrast(donor), contrast
    recipient = recipient if cut is None else without(recipient, cut)
    sizes = (contexts, contexts), FILLERS, max(8, contexts // 2)
    gathered = gather(recipient, question, contrast, texts, *sizes, seed)
    check(gathered)
    pair = Pair(donor, neuron, another(donor, neuron, seed), recipient)
    checkpoint = Checkpoint(kept, pair, gathered.learnt, seed)
    folds = learnt(pair, gathered.learnt, seed, checkpoint, part_of(progress, 0.02, 0.4))
    fits = by_layer(folds)
    chosen = best_layer(pair, fits) if layer is None else layer
    made = grafts(pair, folds, fits[chosen], chosen, contrast)
    own = own_neuron(recipient, question)
    if own is not None:
        made[OWN] = native(recipient, own)
    to_fit = to_match(gathered.learnt)
    strong = matched(pair, made, to_fit, contrasts, part_of(progress, 0.45, 0.65))
    strong = {name: strong[name] for name in VARIANTS if name in strong}
    if cut is not None:
        strong[UNCUT] = native(whole, cut)
    told = part_of(progress, 0.65, 1.0)
    answers = answered(recipient, strong, gathered, contrast, told)
    done = in_donor(pair, gathered.judged, contrasts[0])
    checkpoint.remove()
    explained = np.array(
        [[float(fit.explained[i]) for i in (ACTIVATION, GATE, IN)] for fit in fits]
    )
    return Transplant(
        donor=donor.origin.name,
        neuron=str(neuron),
        recipient=recipient.origin.name,
        recipient_revision=recipient.origin.revision,
        cut="" if cut is None else str(cut),
        target=contrast.target,
        foil=contrast.foil,
        layer=chosen,
        chosen=layer is None,
        explained=np.array(explained, dtype=np.float32),
        tokens=int(sum(fold.stream.count for fold in folds)),
        own="" if own is None else str(own),
        other=str(pair.other),
        variants=tuple(strong),
        reads=strong[GRAFT].reads.float().cpu().numpy(),
        writes=strong[GRAFT].writes.float().cpu().numpy(),
        **judged(gathered, answers, done, seed),
        **costs(gathered, answers, contrast.target_id, contrast.foil_id, seed),
    )


def summary(result: Transplant) -> dict[str, Any]:
    """The result in plain values; the loss change is beside the model before the cut, if any."""
    own = result.variants.index(GRAFT)
    grounds = {name: _held_out(result, own, i) for i, name in enumerate(result.grounds)}
    change = result.uncut_cost if result.cut else result.cost[own]
    rows = [_variant(result, row) for row in range(len(result.variants))]
    return {
        "donor": result.donor,
        "neuron": result.neuron,
        "recipient": result.recipient,
        "cut": result.cut,
        "target": result.target,
        "foil": result.foil,
        "layer": result.layer,
        "fit": _fit(result),
        "held_out": {**grounds[result.grounds[0]], "on": result.grounds[0], "grounds": grounds},
        "corpus_loss_change": change[0],
        "corpus_loss_interval": change[1:],
        "grafts": [row for row in rows if row["variant"] in (GRAFT, MAPPED)],
        "controls": [row for row in rows if row["variant"] not in (GRAFT, MAPPED)],
    }


def _told(estimate: Float[np.ndarray, "3"]) -> dict[str, Any]:
    return {"value": estimate[0], "interval": estimate[1:]}


def _fit(result: Transplant) -> dict[str, Any]:
    names = ("activation", "gate", "up")
    return {
        "tokens": result.tokens,
        "chosen": result.chosen,
        "explained": dict(zip(names, result.explained[result.layer], strict=True)),
        "by_layer": [dict(zip(names, row, strict=True)) for row in result.explained],
    }


def _held_out(result: Transplant, own: int, place: int) -> dict[str, Any]:
    target, foil = result.texts[place].tolist()
    found = {
        "texts": {"target": target, "foil": foil},
        "before": result.margins[place],
        "after": result.after[own, place],
        "gain": result.gains[own, place, 0, 0],
        "interval": result.gains[own, place, 0, 1:],
        "in_donor": _told(result.donor_effect[place]),
        "copied": _told(result.copied[place]),
        "auc": _told(result.area[place]),
        "auc_in_donor": _told(result.donor_area[place]),
        "correlation": result.likeness[place],
    }
    if not result.cut:
        return found
    value, *interval = result.restored[place].tolist()
    return {**found, "restored": value, "restored_interval": interval}


def _variant(result: Transplant, row: int) -> dict[str, Any]:
    return {
        "variant": result.variants[row],
        "gains": {
            ground: {name: _told(result.gains[row, place, i]) for i, name in enumerate(GAINS)}
            for place, ground in enumerate(result.grounds)
        },
        "cost": _told(result.cost[row]),
        "other_cost": _told(result.other_cost[row]),
        "kl": _told(result.divergence[row]),
    }
