"""Where the neuron's pre-activation comes from: heads, tokens, and one step further back."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims import upstream_further
from analysis.claims.upstream_further import difference_of
from analysis.claims.wording import head_name, number, percent, say, signed, token
from analysis.evidence import Evidence
from analysis.experiments.upstream import Upstream

MUCH = 0.3
"""A part that makes this share of a difference, or more, carries it."""

LITTLE = 0.2
"""A part smaller than this share of the strongest head's is not worth a sentence."""

EXACT = 1e-4
"""The parts must sum to the pre-activation within this share of its size."""


@dataclass(frozen=True)
class UpstreamClaims:
    """Claims about what makes the neuron active."""

    heading: str
    exact: Markup
    projections: Markup
    parts: Markup
    caption: Markup
    sources: Markup
    patching: Markup
    sources_caption: Markup
    steps: Markup
    steps_caption: Markup
    pairs: Markup
    pairs_caption: Markup
    alignment: Markup
    alignment_caption: Markup
    wrong: Markup


def upstream(evidence: Evidence) -> UpstreamClaims:
    """Read the claims off the decomposition."""
    result = evidence.upstream
    return UpstreamClaims(
        heading=_heading(result),
        exact=_exact(result),
        projections=_projections(result),
        parts=_parts(result),
        caption=caption(result),
        sources=_sources(result),
        patching=_patching(evidence),
        sources_caption=_sources_caption(result),
        steps=upstream_further.steps(result),
        steps_caption=upstream_further.steps_caption(result),
        pairs=upstream_further.pairs(result),
        pairs_caption=upstream_further.pairs_caption(result),
        alignment=upstream_further.alignment(result),
        alignment_caption=upstream_further.alignment_caption(result),
        wrong=upstream_further.wrong(result),
    )


def change(result: Upstream) -> float:
    """Leading pre-activation, clean minus corrupted."""
    clean, corrupted = result.preactivation[result.leading]
    return float(clean - corrupted)


def share_of(result: Upstream, component: str) -> float:
    """One component's part as a share of that difference; 0 where there is none."""
    whole = change(result)
    return difference_of(result, component) / whole if abs(whole) > EXACT else 0.0


def carried(result: Upstream) -> bool:
    """Whether one head alone makes much of the difference."""
    return bool(result.heads) and share_of(result, result.heads[0]) >= MUCH


def _from_exchanged(result: Upstream) -> bool:
    """Whether the strongest head takes its part from a token that was exchanged."""
    place = result.step_positions[0]
    return result.clean_tokens[place] != result.corrupted_tokens[place]


def _heading(result: Upstream) -> str:
    if not result.heads:
        return "No attention head comes before it"
    if not carried(result):
        return "No single attention head tells it"
    where = "the exchanged word" if _from_exchanged(result) else "another word"
    return f"One attention head brings it {where}"


def _exact(result: Upstream) -> Markup:
    gap = float(np.abs(result.parts.sum(-1) - result.preactivation).max())
    if gap <= EXACT * max(1.0, float(np.abs(result.preactivation).max())):
        return say("The parts sum to the pre-activation that the model computed, as they must.")
    return say(
        "The parts miss the pre-activation that the model computed by up to {}: do not trust this "
        "section.",
        number(gap),
    )


def _projections(result: Upstream) -> Markup:
    if len(result.projections) == 1:
        clean, corrupted = result.preactivation[0]
        return say(
            "The pre-activation of {} at the last token is {} after the clean prompt and {} after "
            "the corrupted one.",
            result.neuron,
            number(float(clean)),
            number(float(corrupted)),
        )
    gate, up = (tuple(number(float(v)) for v in row) for row in result.preactivation)
    return say(
        "This MLP is gated: it reads twice, and the activation is the product of the <em>gate</em> "
        "(through an activation function) and the <em>up</em> projection. Clean against corrupted, "
        "the gate is {} against {} and up is {} against {}. Split by the product rule, {} makes {} "
        "of the difference of activation, so the text below follows {}.",
        *gate,
        *up,
        result.lead,
        _share(float(result.shares[result.leading]), float(result.shares.sum())),
        result.lead,
    )


def _share(value: float, whole: float) -> str:
    return percent(value / whole) if abs(whole) > EXACT else "an undefined share"


def _parts(result: Upstream) -> Markup:
    if not result.heads:
        return say("Only embeddings and biases come before this neuron.")
    head = result.heads[0]
    told = say(
        "The head whose part differs most is {}: {} of the difference of {}, {} of it.",
        head,
        signed(difference_of(result, head)),
        signed(change(result)),
        percent(share_of(result, head)),
    )
    told += _against(result) + _larger_mlp(result, head)
    if not result.earlier:
        return told
    clean, corrupted = result.earlier_parts[result.leading, :, 0]
    return told + say(
        " Of all single neurons before it, {} differs most, by {}.",
        result.earlier[0],
        signed(float(clean - corrupted)),
    )


def _larger_mlp(result: Upstream, head: str) -> Markup:
    """An MLP whose part, all its neurons together, differs more than that of any head."""
    mlps = [name for name in result.components if name.startswith("MLP ")]
    largest = max(mlps, key=lambda name: abs(difference_of(result, name)), default=head)
    if abs(difference_of(result, largest)) <= abs(difference_of(result, head)):
        return say("")
    return say(
        " All neurons of {} together differ by more, {}.",
        largest,
        signed(difference_of(result, largest)),
    )


def _against(result: Upstream) -> Markup:
    """A later or lesser head that takes back part of what the strongest one gives."""
    first, *others = (difference_of(result, head) for head in result.heads)
    back = [(value, head) for value, head in zip(others, result.heads[1:], strict=True)]
    value, head = min(back, key=lambda pair: pair[0] * np.sign(first), default=(0.0, ""))
    if value * first >= 0 or abs(value) < LITTLE * abs(first):
        return say(" No other head among the strongest works against it.")
    return say(" Another head, {}, works against it ({}).", head, signed(value))


def caption(result: Upstream) -> Markup:
    """What makes the neuron read what it reads, in one sentence."""
    if not carried(result):
        return say(
            "What makes {} read what it reads, {} first. No single head makes {} or more of the "
            "difference between the prompts.",
            result.neuron,
            result.lead,
            percent(MUCH),
        )
    return say(
        "What makes {} read what it reads, {} first: {} alone makes {} of the difference between "
        "the prompts.",
        result.neuron,
        result.lead,
        result.heads[0],
        percent(share_of(result, result.heads[0])),
    )


def _sources(result: Upstream) -> Markup:
    if not result.heads:
        return say("There is no head to split by source.")
    place, head = result.step_positions[0], result.heads[0]
    clean, corrupted = result.sources[result.leading, :, 0, place]
    told = (
        "It brings this from {}, the exchanged word"
        if _from_exchanged(result)
        else ("What differs in it comes not from the exchanged word but from {}")
    )
    return say(told, token(result.clean_tokens[place])) + say(
        ": {} there, against {} in the corrupted prompt, where it pays {} of its attention ({} in "
        "the corrupted one). All other tokens together give {} {}.",
        signed(float(clean)),
        signed(float(corrupted)),
        percent(float(result.attention[0, 0, place])),
        percent(float(result.attention[1, 0, place])),
        head,
        signed(float(result.sources[result.leading, 0, 0].sum() - clean)),
    )


def _patching(evidence: Evidence) -> Markup:
    """Whether patching, which counts all consequences, names the same head."""
    maps, result = evidence.patching.heads_restored, evidence.upstream
    if not result.heads:
        return say("")
    layer, head = divmod(int(maps.argmax()), maps.shape[1])
    best, recovery = head_name(layer, head), number(float(maps.max()))
    if best == result.heads[0]:
        return say(
            "Patching named the same head, {}, with a recovery of {}. The two measures need not "
            "have agreed: patching counts every consequence of a head for the answer, the split "
            "only what the head itself wrote along this neuron’s input.",
            best,
            recovery,
        )
    return say(
        "Patching put another head first, {}, with a recovery of {}. That is no contradiction: "
        "patching counts every consequence of a head for the answer, the split only what the head "
        "itself wrote along this neuron’s input.",
        best,
        recovery,
    )


def _sources_caption(result: Upstream) -> Markup:
    if not result.heads:
        return say("No head comes before this neuron.")
    return say(
        "Parts of {} by the token they come from: {} differs most in what it reads from {}.",
        result.neuron,
        result.heads[0],
        token(result.clean_tokens[result.step_positions[0]]),
    )
