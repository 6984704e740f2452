"""Experiment 15: can a neuron be copied from one model into another?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from analysis.contrast import Contrast
from analysis.corpus import articles
from analysis.engines.copying import by_layer
from analysis.engines.grafting import Graft, check_graftable, native, without
from analysis.engines.ridge import Fit
from analysis.engines.transfer import VALUES, Transfer
from analysis.errors import UserError
from analysis.experiments.transplant.checkpoint import Checkpoint, Pair, checkpoints
from analysis.experiments.transplant.found import Transplant
from analysis.experiments.transplant.judged import GAINS, UNCUT, costs, judged
from analysis.experiments.transplant.measured import (
    GRAFT,
    MAPPED,
    another,
    answered,
    best_layer,
    grafts,
    in_donor,
    learnt,
    matched,
    own_neuron,
)
from analysis.experiments.transplant.texts import check, gather
from analysis.inputs import Inputs
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress, part_of, silent
from analysis.questions import Question
from analysis.subject import Subject

LITTLE = 24
"""Contexts up to which nothing is kept against a kill: it is soon read again."""

ACTIVATION, GATE, IN = (VALUES.index(name) for name in ("activation", "gate", "in"))


def joined(own: Transplant, others: Sequence[Transplant]) -> Transplant:
    """With those of the same neuron of the same donor: the check of the method, and other draws."""
    key = own.donor, own.neuron
    return replace(own, beside=tuple(o for o in others if (o.donor, o.neuron) == key))


def kept_as(donor: Subject, inputs: Inputs) -> str:
    """What a study's folder calls the result: by itself that into another model, drawn first."""
    back = ["back"] if inputs["recipient"] in ("", donor.origin.name) else []
    again = [f"seed{inputs['seed']}"] if inputs["seed"] else []
    return ".".join(["transplant", *back, *again])


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
        kept=checkpoints() if inputs["contexts"] > LITTLE else None,
        progress=progress,
    )


def _recipient(donor: Subject, name: str) -> Subject:
    """The model of that name, in the donor's type and on its device.

    Raises:
        UserError: it cannot be had.
    """
    from analysis.loading.models import load

    same = name in ("", donor.origin.name)
    return donor if same else load(name, str(donor.device), donor.arithmetic.name)


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
    uncut, contrast = recipient, question.contrast(recipient)
    contrasts = question.contrast(donor), contrast
    recipient = recipient if cut is None else without(recipient, cut)
    gathered = gather(recipient, question, contrast, texts, contexts, seed)
    check(gathered)
    pair = Pair(donor, neuron, another(donor, neuron, seed), recipient)
    checkpoint = Checkpoint(kept, pair, gathered.learnt, seed)
    folds = learnt(pair, gathered.learnt, seed, checkpoint, part_of(progress, 0.02, 0.4))
    fits = by_layer(folds)
    chosen = best_layer(pair, fits) if layer is None else layer
    own = own_neuron(recipient, question)
    made = grafts(pair, folds, fits[chosen], chosen, contrast, own)
    strong = matched(pair, made, gathered.learnt, contrasts, part_of(progress, 0.45, 0.65))
    if cut is not None:
        strong[UNCUT] = native(uncut, cut)
    answers = answered(recipient, strong, gathered, contrast, part_of(progress, 0.65, 0.85))
    done = in_donor(pair, gathered.judged, contrasts[0])
    progress(0.95)
    checkpoint.remove()
    return Transplant(
        **_names(pair, contrast, cut, own),
        **_fitted(fits, folds, chosen, strong),
        chosen=layer is None,
        **judged(gathered, answers, done, seed),
        **costs(gathered, answers, contrast.target_id, contrast.foil_id, seed),
    )


def _names(
    pair: Pair, contrast: Contrast, cut: Neuron | None, own: Neuron | None
) -> dict[str, Any]:
    """What all that takes part is called."""
    return {
        "donor": pair.donor.origin.name,
        "neuron": str(pair.neuron),
        "other": str(pair.other),
        "recipient": pair.recipient.origin.name,
        "recipient_revision": pair.recipient.origin.revision,
        "cut": "" if cut is None else str(cut),
        "own": "" if own is None else str(own),
        "target": contrast.target,
        "foil": contrast.foil,
    }


def _fitted(
    fits: Sequence[Fit], folds: Sequence[Transfer], layer: int, strong: Mapping[str, Graft]
) -> dict[str, Any]:
    """What the fit found at every layer, and the graft itself."""
    explained = [[float(fit.explained[i]) for i in (ACTIVATION, GATE, IN)] for fit in fits]
    return {
        "layer": layer,
        "explained": np.array(explained, dtype=np.float32),
        "tokens": int(sum(fold.stream.count for fold in folds)),
        "variants": tuple(strong),
        "reads": strong[GRAFT].reads.float().cpu().numpy(),
        "writes": strong[GRAFT].writes.float().cpu().numpy(),
    }


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


def _with_interval(estimate: Float[np.ndarray, "3"]) -> dict[str, Any]:
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
        "in_donor": _with_interval(result.donor_effect[place]),
        "copied": _with_interval(result.copied[place]),
        "auc": _with_interval(result.area[place]),
        "auc_in_donor": _with_interval(result.donor_area[place]),
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
            ground: {
                name: _with_interval(result.gains[row, place, i]) for i, name in enumerate(GAINS)
            }
            for place, ground in enumerate(result.grounds)
        },
        "cost": _with_interval(result.cost[row]),
        "other_cost": _with_interval(result.other_cost[row]),
        "kl": _with_interval(result.divergence[row]),
    }
