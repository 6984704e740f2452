"""Where the neuron's pre-activation comes from: heads, tokens, and one step further back."""

from dataclasses import dataclass

import numpy as np

from analysis.criteria import EXACT, FAINT, LITTLE, MUCH, RESTATES, USUAL
from analysis.experiments.upstream.compute import Upstream
from analysis.numbers.statistics import ratio_interval

SEED = 0


@dataclass(frozen=True)
class Component:
    """A component or a neuron, and what its contribution differs by, clean minus corrupted."""

    name: str
    difference: float


@dataclass(frozen=True)
class Source:
    """The token from which the strongest head takes most of its difference.

    Attributes:
        token: that token, in the clean prompt.
        exchanged: whether the corrupted prompt has another one there.
        clean, corrupted: what the head takes from it.
        clean_attention, corrupted_attention: that the head pays to it.
        rest: what the head takes from all other tokens, in the clean prompt.
    """

    token: str
    exchanged: bool
    clean: float
    corrupted: float
    clean_attention: float
    corrupted_attention: float
    rest: float


@dataclass(frozen=True)
class HeldOut:
    """The strongest head in word pairs that took no part in the choice.

    Attributes:
        pairs: how many.
        difference, interval: of its contribution, mean over them.
        holds: whether it has the same sign there, and matched neurons do not get as much.
    """

    pairs: int
    difference: float
    interval: tuple[float, float]
    holds: bool


@dataclass(frozen=True)
class Head:
    """The head whose contribution differs most between the prompts.

    Attributes:
        name: of it.
        difference: of its contribution.
        share: of the whole difference.
        source: where it takes that from.
        as_strong: matched neurons that get as much from it, either sign.
        held_out: the same in other word pairs; None where there are none.
    """

    name: str
    difference: float
    share: float
    source: Source
    as_strong: int
    held_out: HeldOut | None


@dataclass(frozen=True)
class Step:
    """What one of the strongest has read itself.

    Attributes:
        name: the head or the earlier neuron that reads.
        of_head: whether it is a head.
        token: where it reads.
        component, clean, corrupted: what differs most in it, and its contributions.
        neuron, neuron_clean, neuron_corrupted: the same of single neurons; empty if there is none.
        difference: of the whole reading.
        from_head: what the strongest head makes of that.
        by_same_head: whether that head differs most in it, and has the sign of the whole.
        apart: whether that head hardly counts in it.
    """

    name: str
    of_head: bool
    token: str
    component: str
    clean: float
    corrupted: float
    neuron: str
    neuron_clean: float
    neuron_corrupted: float
    difference: float
    from_head: float
    by_same_head: bool
    apart: bool


@dataclass(frozen=True)
class Facts:
    """What the decomposition shows, of the leading projection where there are two.

    Attributes:
        gap: how far, at most, the contributions miss the pre-activation of the model.
        exact: whether that is rounding.
        readings: pre-activation after the clean and the corrupted prompt, for each projection.
        lead_share: what the leading projection makes of the difference of activation; None where
            there is no difference.
        difference: of the pre-activation.
        head: the strongest head; None where no head comes before the neuron.
        carries: whether it alone makes much of the difference.
        opposed: the head that takes back most of that, if any does.
        larger_mlp: an MLP that differs by more than that head, if any does.
        earlier: the single earlier neuron that differs most, if there is one.
        steps: one step further back.
        cosine: of input and input weights at the last token.
        correlation: of cosine and pre-activation, token by token.
        restates: whether it is high.
        threshold: the share that is much.
    """

    gap: float
    exact: bool
    readings: tuple[tuple[float, float], ...]
    lead_share: float | None
    difference: float
    head: Head | None
    carries: bool
    opposed: Component | None
    larger_mlp: Component | None
    earlier: Component | None
    steps: tuple[Step, ...]
    cosine: float
    correlation: float
    restates: bool
    threshold: float = MUCH


def facts(result: Upstream, _sign: int | None = None) -> Facts:
    """Read them off."""
    gap = float(np.abs(result.parts.sum(-1) - result.preactivation).max())
    clean, corrupted = result.preactivation[result.leading]
    made, whole = float(result.shares[result.leading]), float(result.shares.sum())
    head = _head(result, float(clean - corrupted)) if result.heads else None
    correlation = _correlation(result)
    return Facts(
        gap=gap,
        exact=gap <= EXACT * max(1.0, float(np.abs(result.preactivation).max())),
        readings=tuple((float(a), float(b)) for a, b in result.preactivation),
        lead_share=made / whole if abs(whole) > EXACT else None,
        difference=float(clean - corrupted),
        head=head,
        carries=head is not None and head.share >= MUCH,
        opposed=_opposed(result) if head else None,
        larger_mlp=_larger_mlp(result, head) if head else None,
        earlier=_earlier(result),
        steps=tuple(_step(result, index) for index in range(len(result.steps))),
        cosine=float(result.cosine[result.leading, 0, -1]),
        correlation=correlation,
        restates=correlation >= RESTATES,
    )


def _difference(result: Upstream, component: str) -> float:
    return float(result.difference[result.leading, result.components.index(component)])


def _head(result: Upstream, whole: float) -> Head:
    name = result.heads[0]
    difference = _difference(result, name)
    as_strong = _as_strong(result)
    return Head(
        name=name,
        difference=difference,
        share=difference / whole if abs(whole) > EXACT else 0.0,
        source=_source(result),
        as_strong=as_strong,
        held_out=_held_out(result, difference, as_strong) if len(result.pairs) > 1 else None,
    )


def _source(result: Upstream) -> Source:
    place, parts = result.step_positions[0], result.sources[result.leading, :, 0]
    clean, corrupted = parts[:, place]
    attention = result.attention[:, 0, place]
    return Source(
        token=result.clean_tokens[place],
        exchanged=result.clean_tokens[place] != result.corrupted_tokens[place],
        clean=float(clean),
        corrupted=float(corrupted),
        clean_attention=float(attention[0]),
        corrupted_attention=float(attention[1]),
        rest=float(parts[0].sum() - clean),
    )


def _as_strong(result: Upstream) -> int:
    """How many matched neurons get as much from the strongest head, either sign."""
    place = result.components.index(result.heads[0])
    own = result.contrast[int(len(result.pairs) > 1) :, result.leading, place].mean()
    others = np.abs(result.matched_contrast[:, result.leading, place])
    return int((others >= abs(own)).sum())


def _held_out(result: Upstream, difference: float, as_strong: int) -> HeldOut:
    place = result.components.index(result.heads[0])
    values = result.contrast[1:, result.leading, place].astype(float)
    mean = float(values.mean())
    low, high = ratio_interval(values, np.ones(len(values)), SEED)
    same = low * high > 0 and mean * difference > 0
    usual = as_strong > len(result.matched) * USUAL
    return HeldOut(len(values), mean, (low, high), same and not usual)


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
    clean, corrupted = result.earlier_parts[result.leading, :, 0]
    return Component(result.earlier[0], float(clean - corrupted))


def _step(result: Upstream, index: int) -> Step:
    parts, neurons = result.step_parts[index], result.step_neuron_parts[index, :, 0]
    most = int(np.abs(parts[0] - parts[1]).argmax())
    component, whole = result.components[most], float(np.subtract(*result.step_totals[index]))
    first = result.heads[0] if result.heads else None
    of_head = float(np.subtract(*parts[:, result.components.index(first)])) if first else 0.0
    return Step(
        name=result.steps[index],
        of_head=result.step_projections[index] == "value",
        token=result.clean_tokens[result.step_positions[index]],
        component=component,
        clean=float(parts[0, most]),
        corrupted=float(parts[1, most]),
        neuron=result.step_neurons[index][0],
        neuron_clean=float(neurons[0]),
        neuron_corrupted=float(neurons[1]),
        difference=whole,
        from_head=of_head,
        by_same_head=component == first and of_head * whole > 0,
        apart=component != first and abs(of_head) <= FAINT * abs(whole),
    )


def _correlation(result: Upstream) -> float:
    """Of cosine and pre-activation over the tokens of the clean prompt."""
    cosine, readings = result.cosine[result.leading, 0], result.readings[result.leading, 0]
    if not min(cosine.std(), readings.std()):
        return 0.0
    return float(np.corrcoef(cosine, readings)[0, 1])
