"""Experiment 6: which tokens does a neuron write, whatever the prompt?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.contrast import Contrast
from analysis.inputs import Inputs
from analysis.linearity import check_comparable, frozen, weights_of_sets
from analysis.neuron import Neuron
from analysis.progress import Progress
from analysis.prompts import Prompt
from analysis.result import Result
from analysis.subject import Subject
from analysis.token_sets import members
from analysis.weights.congruence import MINUS, SMALLEST
from analysis.weights.words import spellings

TOP = 15
BINS = 120
ROTATIONS = 200
BLOCK = 256  # neurons whose logits are held at once


@dataclass(frozen=True)
class DirectEffect(Result):
    """``W_out[n] @ W_U`` with the final norm folded: logits per unit of activation over norm scale.

    Attributes:
        neuron: its name.
        target: the token asked for.
        foil: the token it competes with.
        top_tokens: the tokens it raises most.
        top_logits: their logits, centred over the vocabulary.
        bottom_tokens: the tokens it lowers most.
        bottom_logits: their logits.
        mean_logit: what centring subtracted; add it for the raw product.
        spread: standard deviation over the vocabulary.
        target_logit: centred logit of the target.
        foil_logit: centred logit of the foil.
        target_rank: rank of the target in the vocabulary, 1 for the largest.
        foil_rank: rank of the foil.
        bin_edges: edges of the histogram over the vocabulary.
        bin_counts: tokens per bin.
        variants: tokens that differ from the target only in case and space, by logit.
        variant_logits: their centred logits.
        best_other: the strongest token that is no variant of the target.
        best_other_logit: its centred logit.
        embedding_tokens: top tokens of the original's congruence, ``W_out[n] @ W_E``.
        embedding_products: their products.
        embedding_rank: rank of the target by that product.
        rotated_target: centred logit of the target for random directions of the same length.
        rotated_best: largest centred logit of any token for the same random directions.
        layer_best: of every other neuron of the layer, how many standard deviations of its logits
            its favourite token lies out.
        neurons: how many neurons the model has.
        gated: whether they can be active with either sign. Then that token is the one raised or
            lowered most, and neurons are ranked by the size of their effect; else by the effect.
        neurons_by_target: neurons of the whole model ranked first by target logit, centred; with a
            minus those that raise the target by negative activation.
        neurons_target: those logits, per unit of positive activation.
        neurons_by_difference: neurons ranked first by target minus foil.
        neurons_difference: those differences.
        rank_by_target: rank of this neuron among all by target logit.
        rank_by_difference: rank of this neuron among all by target minus foil.
        frozen_at: where a norm stands behind every MLP, the prompt at whose end its scales are
            frozen in all of these numbers; else empty.
        weighted_at: where target or foil is a set, the prompt after which its tokens' shares of
            the set's probability weight them, in all that is said of the set; else empty.
    """

    neuron: str
    target: str
    foil: str
    top_tokens: tuple[str, ...]
    top_logits: Float[np.ndarray, " top"]
    bottom_tokens: tuple[str, ...]
    bottom_logits: Float[np.ndarray, " top"]
    mean_logit: float
    spread: float
    target_logit: float
    foil_logit: float
    target_rank: int
    foil_rank: int
    bin_edges: Float[np.ndarray, " edge"]
    bin_counts: Int[np.ndarray, " bin"]
    variants: tuple[str, ...]
    variant_logits: Float[np.ndarray, " variant"]
    best_other: str
    best_other_logit: float
    embedding_tokens: tuple[str, ...]
    embedding_products: Float[np.ndarray, " top"]
    embedding_rank: int
    rotated_target: Float[np.ndarray, " rotation"]
    rotated_best: Float[np.ndarray, " rotation"]
    layer_best: Float[np.ndarray, " other"]
    neurons: int
    gated: bool
    neurons_by_target: tuple[str, ...]
    neurons_target: Float[np.ndarray, " neuron"]
    neurons_by_difference: tuple[str, ...]
    neurons_difference: Float[np.ndarray, " neuron"]
    rank_by_target: int
    rank_by_difference: int
    frozen_at: str = ""
    weighted_at: str = ""

    @property
    def target_z(self) -> float:
        """Target logit in standard deviations of the vocabulary; 0 if the neuron writes nothing."""
        return self.target_logit / self.spread if self.spread else 0.0

    @property
    def as_far(self) -> int:
        """How many other neurons of the layer have a favourite token as far out as the target."""
        return int((self.layer_best >= abs(self.target_z)).sum())

    def ranks(self, sign: int) -> tuple[int, int]:
        """Ranks by effect on the target and on the difference, in the direction of use.

        A gated neuron that pushes the other way there is last; where no neuron is gated, ranks of a
        neuron that acts by being less active count from the other end.
        """
        ranks = self.rank_by_target, self.rank_by_difference
        effects = self.target_logit, self.target_logit - self.foil_logit
        if self.gated:
            by_target, by_difference = (
                rank if sign * effect >= 0 else self.neurons
                for rank, effect in zip(ranks, effects, strict=True)
            )
        else:
            by_target, by_difference = (
                rank if sign > 0 else self.neurons + 1 - rank for rank in ranks
            )
        return by_target, by_difference


def run(subject: Subject, inputs: Inputs, _progress: Progress) -> DirectEffect:
    """What the neuron writes."""
    contrast, prompt = inputs.question.contrast(subject), inputs.question.prompts(subject)[0]
    return direct_effect(subject, inputs.neuron, contrast, inputs["seed"], prompt)


def summary(result: DirectEffect) -> dict[str, Any]:
    """The result in plain values, the histogram left out."""

    def rows(tokens: tuple[str, ...], logits: np.ndarray) -> list[dict[str, Any]]:
        pairs = zip(tokens, logits, strict=True)
        return [{"token": token, "logit": float(logit)} for token, logit in pairs]

    return {
        "neuron": result.neuron,
        "top": rows(result.top_tokens, result.top_logits),
        "bottom": rows(result.bottom_tokens, result.bottom_logits),
        "target_logit": result.target_logit,
        "target_rank": result.target_rank,
        "target_z": result.target_z,
        "foil_logit": result.foil_logit,
        "mean_logit": result.mean_logit,
        "best_other": {"token": result.best_other, "logit": result.best_other_logit},
        "random_rotations_best": float(result.rotated_best.max()),
        "embedding": rows(result.embedding_tokens, result.embedding_products),
        "layer_best": {"neurons": len(result.layer_best), "as_far": result.as_far},
        "neurons_by_target": _neurons(result.neurons_by_target, result.neurons_target),
        "neurons_by_difference": _neurons(result.neurons_by_difference, result.neurons_difference),
        "rank_by_target": result.rank_by_target,
        "rank_by_difference": result.rank_by_difference,
    }


def _neurons(names: tuple[str, ...], effects: np.ndarray) -> list[dict[str, Any]]:
    rows = zip(names, effects, strict=True)
    return [{"neuron": name, "logit": float(effect)} for name, effect in rows]


@torch.inference_mode()
def direct_effect(
    subject: Subject,
    neuron: Neuron,
    contrast: Contrast,
    seed: int = 0,
    prompt: Prompt | None = None,
) -> DirectEffect:
    """Project a neuron's output weights on the unembedding, with the final norm frozen.

    Variants of the target (case, space) are counted as one word, since "An" close behind " an" is
    no competitor. The control is the same vector negative to random directions.

    Args:
        subject: the model.
        neuron: which one.
        contrast: target and foil.
        seed: of the random directions.
        prompt: at whose end norms behind the MLPs are frozen, if the model has such, and sets of
            tokens weighted, if there are any.

    Raises:
        UserError: it has, or there are, and no prompt is given.
    """
    subject = frozen(subject, prompt)
    check_comparable(subject)
    at = weights_of_sets(subject, contrast, prompt)
    raw = (subject.write(neuron) @ subject.W_U).float()
    logits = raw - raw.mean()
    products = _congruence(subject, neuron)
    top, bottom = (logits.topk(TOP, largest=largest) for largest in (True, False))
    embedding_top = products.topk(TOP)
    counts, edges = np.histogram(logits.cpu().numpy(), BINS)
    target, foil = (float(value) for value in contrast.weighted(logits, at))
    embedded = float(contrast.weighted(products, at)[0])
    variants = spellings(subject, members(contrast.target))
    ordered = [i for i in logits.argsort(descending=True).tolist() if i in variants]
    others = logits.clone()
    others[list(variants)] = -torch.inf
    return DirectEffect(
        neuron=str(neuron),
        target=contrast.target,
        foil=contrast.foil,
        top_tokens=_strings(subject, top.indices),
        top_logits=top.values.cpu().numpy(),
        bottom_tokens=_strings(subject, bottom.indices),
        bottom_logits=bottom.values.cpu().numpy(),
        mean_logit=float(raw.mean()),
        spread=float(logits.std()),
        target_logit=target,
        foil_logit=foil,
        target_rank=_rank(logits, target, contrast.targets),
        foil_rank=_rank(logits, foil, contrast.foils),
        bin_edges=edges.astype(np.float32),
        bin_counts=counts,
        variants=tuple(map(subject.string, ordered)),
        variant_logits=logits[ordered].cpu().numpy(),
        best_other=subject.string(int(others.argmax())),
        best_other_logit=float(others.max()),
        embedding_tokens=_strings(subject, embedding_top.indices),
        embedding_products=embedding_top.values.cpu().numpy(),
        embedding_rank=_rank(products, embedded, contrast.targets),
        **_rotations(subject, subject.write(neuron), contrast, at, seed),
        layer_best=_layer_best(subject, neuron),
        **_among_neurons(subject, neuron, contrast, at),
        frozen_at=subject.frozen_at,
        weighted_at=prompt.text if contrast.has_sets and prompt is not None else "",
    )


def _congruence(subject: Subject, neuron: Neuron) -> Float[Tensor, " d_vocab"]:
    """The original's product with the embedding, centred over ``d_model`` as its library did."""
    write = subject.write(neuron)
    if subject.folded_norm.centres:
        write = write - write.mean()
    return (subject.W_E @ write).float()


def _strings(subject: Subject, tokens: Tensor) -> tuple[str, ...]:
    return tuple(subject.string(token) for token in tokens.tolist())


def _rank(values: Tensor, value: float, own: Sequence[int]) -> int:
    """Where a value stands among all others; those that it is made of are no others."""
    ahead = values > value
    ahead[list(own)] = False
    return 1 + int(ahead.sum())


def _rotations(
    subject: Subject,
    write: Float[Tensor, " d_model"],
    contrast: Contrast,
    at: Float[Tensor, " d_vocab"] | None,
    seed: int,
) -> dict[str, Any]:
    """Target and best logit of random directions as long as the neuron's write."""
    generator = torch.Generator().manual_seed(seed)
    rotated = torch.randn(ROTATIONS, subject.d_model, generator=generator).to(subject.W_U)
    rotated *= write.norm() / rotated.norm(dim=-1, keepdim=True)
    logits = (rotated @ subject.W_U).float()
    logits -= logits.mean(-1, keepdim=True)
    return {
        "rotated_target": contrast.weighted(logits, at)[0].cpu().numpy(),
        "rotated_best": logits.max(-1).values.cpu().numpy(),
    }


def _layer_best(subject: Subject, neuron: Neuron) -> Float[np.ndarray, " other"]:
    """How far out the favourite tokens of the layer's other neurons lie, block by block."""
    best = []
    for rows in torch.split(subject.writes(neuron.layer), BLOCK):
        logits = (rows @ subject.W_U).float()
        spread, mean = torch.std_mean(logits, -1)
        far = logits.amax(-1) - mean
        if subject.family.gated:
            far = far.maximum(mean - logits.amin(-1))
        best.append(far / spread.clamp_min(SMALLEST))
    return np.delete(torch.cat(best).cpu().numpy(), neuron.number)


def _among_neurons(
    subject: Subject, neuron: Neuron, contrast: Contrast, at: Float[Tensor, " d_vocab"] | None
) -> dict[str, Any]:
    """Where the neuron stands among all neurons of the model, by its direct effect."""
    target, foil = contrast.weighted(subject.W_U, at)
    columns = torch.stack([target - subject.W_U.mean(1), target - foil], 1)
    gated = subject.family.gated
    effects = torch.stack([subject.writes(i) @ columns for i in range(subject.n_layers)]).float()
    found: dict[str, Any] = {"neurons": subject.n_layers * subject.d_mlp, "gated": gated}
    own = neuron.layer * subject.d_mlp + neuron.number
    for column, name in enumerate(("target", "difference")):
        flat = effects[..., column].flatten()
        ranked = flat.abs() if gated else flat
        top = ranked.topk(min(TOP, len(flat))).indices
        found[f"neurons_by_{name}"] = tuple(_name(subject, n, flat) for n in top.tolist())
        found[f"neurons_{name}"] = flat[top].cpu().numpy()
        found[f"rank_by_{name}"] = _rank(ranked, float(ranked[own]), [own])
    return found


def _name(subject: Subject, number: int, effects: Float[Tensor, " neuron"]) -> str:
    """A neuron's name, with a minus if negative activation raises the target by it."""
    negative = subject.family.gated and effects[number] < 0
    return str(Neuron(*divmod(number, subject.d_mlp))) + (MINUS if negative else "")
