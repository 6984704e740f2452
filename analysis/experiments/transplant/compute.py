"""Experiment 15: can a neuron be copied from one model into another?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.corpus import articles
from analysis.engines.copying import by_layer
from analysis.engines.grafting import check_graftable, native, without
from analysis.engines.transfer import VALUES
from analysis.errors import UserError
from analysis.experiments.transplant.measured import (
    CONSTANT,
    GRAFT,
    OWN,
    VARIANTS,
    Answers,
    Effects,
    Pair,
    answered,
    best_layer,
    grafts,
    in_donor,
    learnt,
    matched,
    own_neuron,
    to_match,
)
from analysis.experiments.transplant.texts import GROUNDS, Texts, gather
from analysis.inputs import Inputs
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.choices import Choices, right, surprise
from analysis.progress import Progress, part_of, silent
from analysis.questions import Question
from analysis.result import Result
from analysis.subject import Subject

UNCUT = "uncut"
"""The recipient as it was before a neuron was cut out of it."""

GAINS = ("margin", "target", "foil", "right", "surprise", "beyond_bias")
"""What is told of each variant on each ground: change of the margin, of the logit difference where
the target is called for and where the foil is, of the share of right choices, of the loss of the
choice, and how much lower that loss is than with a constant bias."""

ACTIVATION, GATE, IN = (VALUES.index(name) for name in ("activation", "gate", "in"))


@dataclass(frozen=True)
class Transplant(Result):
    """A neuron of one model in another, beside controls, on texts that took no part in making it.

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
        explained: by layer, the share of variance on held-out texts of the donor's activation, its
            gate and its up, of what the layer's MLP reads (R squared of a ridge regression); a
            donor without a gate has one reading, which stands for both.
        tokens: how many were fitted.
        own: the recipient's own best neuron; empty where the question has no pair for it.
        other: the other neuron of the donor.
        variants: what the recipient was given.
        grounds: what was judged on.
        texts: of each ground, how many call for the target and for the foil.
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
        places: tokens of ordinary text on which costs are measured, and of those the ones followed
            by neither target nor foil.
        cost: change of the loss over all of them, in nats, by variant; articles are resampled.
        other_cost: the same where neither target nor foil follows.
        divergence: mean KL there, in nats.
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
        contexts: places in articles before the target, and as many before the foil, to learn from
            and again to judge by; four times as many other words, and half as many stretches of
            ordinary text.
        seed: of the draws.
        progress: told the finished fraction.

    Raises:
        UserError: target or foil is no single token in one of the models, or texts are missing.
    """
    whole, contrast = recipient, question.contrast(recipient)
    contrasts = question.contrast(donor), contrast
    recipient = recipient if cut is None else without(recipient, cut)
    sizes = (contexts, contexts), 4 * contexts, max(8, contexts // 2)
    gathered = gather(recipient, question, contrast, texts, *sizes, seed)
    _check(gathered)
    pair = Pair(donor, neuron, _other(donor, neuron, seed), recipient)
    folds = learnt(pair, gathered.learnt, seed, part_of(progress, 0.02, 0.4))
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
    explained = np.array([[float(fit.explained[i]) for i in (ACTIVATION, GATE, IN)] for fit in fits])
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
        explained=explained.astype(np.float32),
        tokens=int(sum(fold.stream.count for fold in folds)),
        own="" if own is None else str(own),
        other=str(pair.other),
        variants=tuple(strong),
        **_judged(gathered, answers, done, seed),
        **_costs(gathered, answers, contrast.target_id, contrast.foil_id, seed),
    )


def _check(texts: Texts) -> None:
    """Refuse to judge on nothing.

    Raises:
        UserError: of one kind there are no texts.
    """
    for some in (texts.learnt, texts.judged):
        if not {True, False} <= {text.target for text in some} or not texts.ordinary:
            raise UserError(
                "There are too few words and articles to learn from and to judge by: give a "
                "question that has words, or whose target and foil stand in the corpus."
            )


def _other(donor: Subject, neuron: Neuron, seed: int) -> Neuron:
    """Another neuron of the same layer, drawn at random."""
    drawn = int(np.random.default_rng(seed).integers(0, donor.d_mlp - 1))
    return Neuron(neuron.layer, drawn + (drawn >= neuron.number))


def _judged(
    texts: Texts, answers: Answers, done: Effects, seed: int
) -> dict[str, Any]:
    """Everything that is told by ground."""
    ground = np.array([text.ground for text in texts.judged])
    target = np.array([text.target is True for text in texts.judged])
    unit = np.unique([text.unit for text in texts.judged], return_inverse=True)[1]
    found = [name for name in GROUNDS if (ground == name).any()]
    rows = [
        _on_ground(ground == name, target, unit, answers, done, seed) for name in found
    ]
    stacked = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    stacked["after"] = stacked["after"].T
    stacked["gains"] = np.moveaxis(stacked["gains"], 0, 1)
    wide = {k: v if v.dtype.kind == "i" else v.astype(np.float32) for k, v in stacked.items()}
    return {"grounds": tuple(found), **wide}


def _on_ground(
    here: Bool[np.ndarray, " text"],
    target: Bool[np.ndarray, " text"],
    unit: Int[np.ndarray, " text"],
    answers: Answers,
    done: Effects,
    seed: int,
) -> dict[str, np.ndarray]:
    """One ground: margins, gains and areas."""
    kind, choices = target[here], Choices(target[here], unit[here], seed)
    before = answers.before[here]
    after = {name: values[here] for name, values in answers.after.items()}
    with_it, without_it = done.with_it[here], done.without[here]
    gain = after[GRAFT] - before
    nothing = np.full(3, np.nan)
    uncut = after.get(UNCUT)
    biased = surprise(after[CONSTANT], kind)
    return {
        "texts": np.array([kind.sum(), (~kind).sum()]),
        "donor_area": choices.area(done.activation[here]),
        "area": choices.area(answers.activation[here]),
        "likeness": np.array(_correlation(done.activation[here], answers.activation[here])),
        "donor_margins": np.array([choices.margin(v)[0] for v in (with_it, without_it)]),
        "donor_effect": choices.margin(with_it - without_it),
        "margins": choices.margin(before)[0],
        "shares": choices.mean(right(before, kind))[0],
        "after": np.array([choices.margin(values)[0] for values in after.values()]),
        "gains": np.stack(
            [_gains(choices, before, values, kind, biased) for values in after.values()]
        ),
        "copied": choices.share(gain, with_it - without_it),
        "restored": nothing if uncut is None else choices.share(gain, uncut - before),
    }


def _gains(
    choices: Choices,
    before: Float[np.ndarray, " text"],
    after: Float[np.ndarray, " text"],
    kind: Bool[np.ndarray, " text"],
    biased: Float[np.ndarray, " text"],
) -> Float[np.ndarray, "gain 3"]:
    gain, loss = after - before, surprise(after, kind)
    return np.stack(
        [
            choices.margin(gain),
            choices.mean(gain, kind),
            choices.mean(gain, ~kind),
            choices.mean(right(after, kind) - right(before, kind)),
            choices.mean(loss - surprise(before, kind)),
            choices.mean(biased - loss),
        ]
    )


def _correlation(ours: Float[np.ndarray, " text"], theirs: Float[np.ndarray, " text"]) -> float:
    """Not a number where one of them is constant."""
    if not (ours.std() and theirs.std()):
        return float("nan")
    return float(np.corrcoef(ours, theirs)[0, 1])


def _costs(
    texts: Texts, answers: Answers, target_id: int, foil_id: int, seed: int
) -> dict[str, np.ndarray]:
    """What each variant costs on ordinary text; articles are resampled."""
    unit = answers.text
    called = answers.following == target_id
    other = ~called & (answers.following != foil_id)
    choices = Choices(called, unit, seed)
    return {
        "places": np.array([len(other), other.sum()]),
        "cost": np.stack([choices.mean(v) for v in answers.change]).astype(np.float32),
        "other_cost": np.stack([choices.mean(v, other) for v in answers.change]).astype("f"),
        "divergence": np.stack([choices.mean(v, other) for v in answers.divergence]).astype("f"),
    }


def summary(result: Transplant) -> dict[str, Any]:
    """The result in plain values."""
    own = result.variants.index(GRAFT)
    return {
        "donor": result.donor,
        "neuron": result.neuron,
        "recipient": result.recipient,
        "cut": result.cut,
        "target": result.target,
        "foil": result.foil,
        "layer": result.layer,
        "fit": _fit(result),
        "held_out": {
            name: _held_out(result, own, place) for place, name in enumerate(result.grounds)
        },
        "corpus_loss_change": _told(result.cost[own]),
        "variants": [_variant(result, row) for row in range(len(result.variants))],
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
    return {**found, "restored": _told(result.restored[place])} if result.cut else found


def _variant(result: Transplant, row: int) -> dict[str, Any]:
    return {
        "variant": result.variants[row],
        "gains": {
            ground: {
                name: _told(result.gains[row, place, i]) for i, name in enumerate(GAINS)
            }
            for place, ground in enumerate(result.grounds)
        },
        "cost": _told(result.cost[row]),
        "other_cost": _told(result.other_cost[row]),
        "kl": _told(result.divergence[row]),
    }
