"""Where the neuron's pre-activation comes from: heads, tokens, and one step further back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.criteria import EXACT, FAINT, LITTLE, MEDIATED, MOST, MUCH, RESTATES, USUAL
from analysis.experiments.upstream.measured import Upstream
from analysis.grounds import Ground, Unit
from analysis.numbers.estimates import Estimate
from analysis.numbers.matched import as_active


@dataclass(frozen=True)
class Component:
    """A component or a neuron, and what its contribution differs by, clean minus corrupted."""

    name: str
    difference: float


@dataclass(frozen=True)
class Carrier:
    """A head that makes much of the difference, though another has a larger part in it."""

    name: str
    share: float  # of the whole difference


@dataclass(frozen=True)
class Part:
    """A component or a neuron, and its contribution in either prompt."""

    name: str
    clean: float
    corrupted: float


@dataclass(frozen=True)
class Source:
    """The token from which the strongest head takes most of its difference."""

    token: str  # that token, in the clean prompt
    exchanged: bool  # whether the corrupted prompt has another one there
    clean: float  # what the head takes from it
    corrupted: float
    clean_attention: float  # that the head pays to it
    corrupted_attention: float
    rest: float  # what the head takes from all other tokens, in the clean prompt
    share: float  # of the head's whole difference that comes from this token
    most: bool  # whether that is half or more


@dataclass(frozen=True)
class Head:
    """The head whose contribution differs most between the prompts."""

    name: str  # of it
    difference: float  # of its contribution
    share: float  # of the whole difference
    share_of_activation: float  # of the difference of activation, gate and up together
    source: Source  # where it takes that from
    as_strong: int  # matched neurons that get as much from it, either sign
    alike: int  # matched neurons that are about as active
    pairs: int  # that took no part in the choice, and its difference there; None without any
    held_out: Estimate | None
    holds: bool  # whether it has the same sign there, and matched neurons do not get as much


@dataclass(frozen=True)
class Chain:
    """The strongest head patched alone, and with the members of the chain behind it held.

    Shares of the gap between the two prompts, by denoising, on the question's pair.
    """

    earlier: str  # the strongest earlier neuron; empty if there is none
    reached: float  # activation of the neuron in the corrupted run with that head patched
    clean: float  # in the clean run
    activation: float
    activation_beside: float  # with the earlier neuron held
    by_earlier: bool  # whether more than half of the way to the neuron goes through that one
    answer: float
    answer_beside: float  # with the neuron held
    by_neuron: bool  # whether more than half of the way to the answer goes through the neuron
    held_out: Estimate | None  # of ``activation``, over the held-out pairs; None without any
    part: bool  # whether that, or else the pair’s own, is less than half of the way


@dataclass(frozen=True)
class Step:
    """What one of the strongest has read itself."""

    name: str  # the head or the earlier neuron that reads
    of_head: bool  # whether it is a head
    token: str  # where it reads
    component: Part  # what differs most in it
    neuron: Part  # the same of single neurons
    difference: float  # of the whole reading
    from_head: float  # what the strongest head makes of that
    by_same_head: bool  # whether that head differs most in it, and has the sign of the whole
    apart: bool  # whether that head hardly counts in it


@dataclass(frozen=True)
class Facts:
    """What the decomposition shows, of the leading projection where there are two."""

    gap: float  # how far, at most, the contributions miss the pre-activation of the model
    exact: bool  # whether that is rounding
    # pre-activation after the clean and the corrupted prompt, for each projection
    readings: tuple[tuple[float, float], ...]
    # what the leading projection makes of the difference of activation; None where there is no
    # difference
    lead_share: float | None
    difference: float  # of the pre-activation
    head: Head | None  # the strongest head; None where no head comes before the neuron
    carries: bool  # whether it alone makes much of the difference
    carried_by: Carrier | None  # a head that does where the strongest works against the whole
    opposed: Component | None  # the head that takes back most of that, if any does
    larger_mlp: Component | None  # an MLP that differs by more than that head, if any does
    earlier: Component | None  # the single earlier neuron that differs most, if there is one
    steps: tuple[Step, ...]  # one step further back
    chain: Chain | None  # None where no head comes before the neuron
    cosine: float  # of input and input weights at the last token
    correlation: float  # of cosine and pre-activation, token by token
    restates: bool  # whether it is high


def facts(result: Upstream, _sign: int | None = None) -> Facts:
    """Read them off."""
    gap = float(np.abs(result.contributions.sum(-1) - result.preactivation).max())
    clean, corrupted = result.preactivation[result.leading]
    leading, total = float(result.shares[result.leading]), float(result.shares.sum())
    head = _head(result, float(clean - corrupted)) if result.heads else None
    correlation = _correlation(result)
    return Facts(
        gap=gap,
        exact=gap <= EXACT * max(1.0, float(np.abs(result.preactivation).max())),
        readings=tuple((float(a), float(b)) for a, b in result.preactivation),
        lead_share=leading / total if abs(total) > EXACT else None,
        difference=float(clean - corrupted),
        head=head,
        carries=head is not None and head.share >= MUCH,
        carried_by=_carried_by(result, head) if head else None,
        opposed=_opposed(result) if head else None,
        larger_mlp=_larger_mlp(result, head) if head else None,
        earlier=_earlier(result),
        chain=_chain(result) if head else None,
        steps=tuple(_step(result, index) for index in range(len(result.steps))),
        cosine=float(result.cosine[result.leading, 0, -1]),
        correlation=correlation,
        restates=correlation >= RESTATES,
    )


def grounds(found: Facts, result: Upstream) -> Iterator[Ground]:
    """Pairs of prompts are the sample, the question's own left out."""
    pairs: dict[Unit, int] = {"prompt_pair": len(result.pairs) - 1}
    if found.head and found.head.held_out:
        yield Ground("held_out", pairs, "bootstrap")
    if found.chain and found.chain.held_out:
        yield Ground("chain", pairs, "bootstrap")


def _difference(result: Upstream, component: str) -> float:
    return float(result.difference[result.leading, result.components.index(component)])


def _head(result: Upstream, total: float) -> Head:
    name, others = result.heads[0], len(result.pairs) - 1
    difference, as_strong = _difference(result, name), _as_strong(result)
    split = float(result.activation_split[result.components.index(name)])
    found = result.held_out_difference(name) if others else None
    same = found is not None and found.low * found.high > 0 and found.mean * difference > 0
    return Head(
        name=name,
        difference=difference,
        share=_share(difference, total),
        share_of_activation=_share(split, float(result.shares.sum())),
        source=_source(result),
        as_strong=as_strong,
        alike=int(as_active(result.norms).sum()),
        pairs=others,
        held_out=found,
        holds=same and as_strong <= len(result.matched) * USUAL,
    )


def _share(part: float, total: float) -> float:
    """Nothing of what is nothing but rounding."""
    return part / total if abs(total) > EXACT else 0.0


def _chain(result: Upstream) -> Chain:
    """Shares of the question's pair, denoising; a share of no gap is no number."""
    places = {(patch.patched, patch.held): i for i, patch in enumerate(result.patches)}
    head, *middle, neuron = result.chain
    earlier = middle[0] if middle else ""

    def share(of: str, *held: str) -> float:
        gap = float(getattr(result, f"chain_{of}_gap")[0])
        change = float(getattr(result, f"chain_{of}")[0, 0, places[head, held]])
        return change / gap if gap else float("nan")

    alone = places[head, ()]
    corrupted = float(result.activation[1, -1])
    activation, answer = share("activation"), share("answer")
    activation_beside = share("activation", earlier) if earlier else activation
    answer_beside = share("answer", neuron)
    held_out = result.mediated(0, "activation")[alone] if len(result.pairs) > 1 else None
    return Chain(
        earlier=earlier,
        reached=corrupted + float(result.chain_activation[0, 0, alone]),
        clean=float(result.activation[0, -1]),
        activation=activation,
        activation_beside=activation_beside,
        by_earlier=abs(activation_beside) < MEDIATED * abs(activation),
        answer=answer,
        answer_beside=answer_beside,
        by_neuron=abs(answer_beside) < MEDIATED * abs(answer),
        held_out=held_out,
        part=(held_out.mean if held_out else activation) < MOST,
    )


def _source(result: Upstream) -> Source:
    place, contributions = result.step_positions[0], result.sources[result.leading, :, 0]
    clean, corrupted = contributions[:, place]
    share = _share(float(clean - corrupted), float(contributions[0].sum() - contributions[1].sum()))
    attention = result.attention[:, 0, place]
    return Source(
        token=result.clean_tokens[place],
        exchanged=result.clean_tokens[place] != result.corrupted_tokens[place],
        clean=float(clean),
        corrupted=float(corrupted),
        clean_attention=float(attention[0]),
        corrupted_attention=float(attention[1]),
        rest=float(contributions[0].sum() - clean),
        share=share,
        most=share >= MOST,
    )


def _as_strong(result: Upstream) -> int:
    """How many matched neurons get as much from the strongest head, either sign."""
    place = result.components.index(result.heads[0])
    own = result.contrast[int(len(result.pairs) > 1) :, result.leading, place].mean()
    others = np.abs(result.matched_contrast[:, result.leading, place])
    return int((others >= abs(own)).sum())


def _carried_by(result: Upstream, head: Head) -> Carrier | None:
    """The head that makes most of the whole, where the strongest has the opposite sign."""
    if head.share >= 0:
        return None
    heads = [each for each in result.components if re.fullmatch(r"L\d+H\d+", each)]
    whole = head.difference / head.share
    others = [Carrier(each, _difference(result, each) / whole) for each in heads]
    most = max(others, key=lambda each: each.share)
    return most if most.share >= MUCH else None


def _opposed(result: Upstream) -> Component | None:
    """A later or lesser head that takes back part of what the strongest one gives."""
    first, *others = (Component(head, _difference(result, head)) for head in result.heads)
    against = [each for each in others if each.difference * first.difference < 0]
    most = max(against, key=lambda each: abs(each.difference), default=None)
    if most is None or abs(most.difference) < LITTLE * abs(first.difference):
        return None
    return most


def _larger_mlp(result: Upstream, head: Head) -> Component | None:
    """An MLP whose contribution, all its neurons together, differs more than that of any head."""
    mlps = [Component(n, _difference(result, n)) for n in result.components if n[:4] == "MLP "]
    most = max(mlps, key=lambda each: abs(each.difference), default=None)
    return most if most and abs(most.difference) > abs(head.difference) else None


def _earlier(result: Upstream) -> Component | None:
    if not result.earlier:
        return None
    clean, corrupted = result.earlier_contributions[result.leading, :, 0]
    return Component(result.earlier[0], float(clean - corrupted))


def _step(result: Upstream, index: int) -> Step:
    contributions = result.step_contributions[index]
    difference = contributions[0] - contributions[1]
    most = int(np.abs(difference).argmax())
    component, total = result.components[most], float(np.subtract(*result.step_totals[index]))
    first = result.heads[0] if result.heads else None
    of_head = float(difference[result.components.index(first)]) if first else 0.0
    return Step(
        name=result.steps[index],
        of_head=result.step_projections[index] == "value",
        token=result.clean_tokens[result.step_positions[index]],
        component=Part(component, *map(float, contributions[:2, most])),
        neuron=Part(
            result.step_neurons[index][0],
            *map(float, result.step_neuron_contributions[index, :2, 0]),
        ),
        difference=total,
        from_head=of_head,
        by_same_head=component == first and of_head * total > 0,
        apart=component != first and abs(of_head) <= FAINT * abs(total),
    )


def _correlation(result: Upstream) -> float:
    """Of cosine and pre-activation over the tokens of the clean prompt."""
    cosine, readings = result.cosine[result.leading, 0], result.readings[result.leading, 0]
    if not min(cosine.std(), readings.std()):
        return 0.0
    return float(np.corrcoef(cosine, readings)[0, 1])
