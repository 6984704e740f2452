"""What drives the neuron, further: one step back, other word pairs, alignment, and doubts."""

import numpy as np
from markupsafe import Markup

from analysis.claims.wording import number, plural, say, signed, span, token
from analysis.experiments.upstream import Upstream
from analysis.numbers.statistics import ratio_interval

USUAL = 0.05
"""A part is usual if more than this share of matched neurons get as much from the same head."""

FAINT = 0.1
"""A head that makes no more than this share of a neuron's difference does not drive it."""

RESTATES = 0.8
"""Correlation from which cosine and pre-activation tell the same."""


def difference_of(result: Upstream, component: str) -> float:
    """One component's part of that difference."""
    return float(result.difference[result.leading, result.components.index(component)])


def _top(result: Upstream, step: int) -> tuple[str, float, float]:
    """The component whose part of a step differs most, with its parts in both prompts."""
    parts = result.step_parts[step]
    place = int(np.abs(parts[0] - parts[1]).argmax())
    return result.components[place], float(parts[0, place]), float(parts[1, place])


def steps(result: Upstream) -> Markup:
    """What the strongest head and the strongest earlier neuron have read themselves."""
    sentences = [
        _head_step(result, index) if projection == "value" else _neuron_step(result, index)
        for index, projection in enumerate(result.step_projections)
    ]
    return Markup(" ").join(sentences) or say("There is nothing further back to follow.")


def _head_step(result: Upstream, index: int) -> Markup:
    name, clean, corrupted = _top(result, index)
    told = say(
        "At {} {} differs most in what it reads from {} ({} there, {} in the corrupted prompt).",
        token(result.clean_tokens[result.step_positions[index]]),
        result.steps[index],
        name,
        signed(clean),
        signed(corrupted),
    )
    if not result.step_neurons[index][0]:
        return told
    return told + say(
        " Of single neurons {} differs most there ({} against {}).",
        result.step_neurons[index][0],
        *(signed(float(v)) for v in result.step_neuron_parts[index, :, 0]),
    )


def _neuron_step(result: Upstream, index: int) -> Markup:
    """Whether the strongest earlier neuron passes on what the strongest head brings."""
    step, (name, clean, corrupted) = result.steps[index], _top(result, index)
    parts = name, signed(clean), signed(corrupted)
    if not result.heads:
        return say(
            "The neuron {} differs most in what it reads from {} ({} against {}).", step, *parts
        )
    head, whole = _of_head(result, index), float(np.subtract(*result.step_totals[index]))
    if name == result.heads[0] and head * whole > 0:
        return say(
            "The neuron {}, in turn, is driven by the same head: it differs most in what it reads "
            "from {} ({} against {}). So the head tells our neuron twice, directly and through {}.",
            step,
            *parts,
            step,
        )
    apart = name != result.heads[0] and abs(head) <= FAINT * abs(whole)
    return say(
        "The neuron {} is {}: it differs most in what it reads from {} ({} against {}), and of its "
        "difference of {} the head makes {}.",
        step,
        "not driven by that head" if apart else "driven by that head in part at most",
        *parts,
        signed(whole),
        signed(head),
    )


def _of_head(result: Upstream, index: int) -> float:
    """How much the strongest head's part of a step differs between the prompts."""
    place = result.components.index(result.heads[0])
    return float(np.subtract(*result.step_parts[index, :, place]))


def steps_caption(result: Upstream) -> Markup:
    """The finding of the figure of steps back."""
    if not result.steps:
        return say("Nothing comes before this neuron that could be followed.")
    told = "{} differs most in what it reads from {}"
    rows = [say(told, step, _top(result, i)[0]) for i, step in enumerate(result.steps)]
    return say("One step further back: {}.", Markup("; ").join(rows))


def _held_out(result: Upstream) -> tuple[float, float, float]:
    """Mean part of the strongest head over held-out pairs, with its interval."""
    place = result.components.index(result.heads[0])
    values = result.contrast[1:, result.leading, place].astype(float)
    return float(values.mean()), *ratio_interval(values, np.ones(len(values)), seed=0)


def holds_elsewhere(result: Upstream) -> bool:
    """Whether the strongest head's part has the same sign in other pairs, and is not usual."""
    mean, low, high = _held_out(result)
    same = low * high > 0 and mean * difference_of(result, result.heads[0]) > 0
    return same and _as_strong(result) <= len(result.matched) * USUAL


def _as_strong(result: Upstream) -> int:
    """How many matched neurons get as much from the same head, either sign."""
    place = result.components.index(result.heads[0])
    own = result.contrast[int(len(result.pairs) > 1) :, result.leading, place].mean()
    others = np.abs(result.matched_contrast[:, result.leading, place])
    return int((others >= abs(own)).sum())


def pairs(result: Upstream) -> Markup:
    """Whether the strongest head does the same in held-out word pairs."""
    if not result.heads or len(result.pairs) < 2:
        return say("Whether other word pairs show the same was not tested.")
    mean, low, high = _held_out(result)
    numbers = say(
        "over {}, the part of {} differs by {} ({}); {} of {} get as much from it, either sign.",
        plural(len(result.pairs) - 1, "held-out word pair", "held-out word pairs"),
        result.heads[0],
        signed(mean),
        span(low, high),
        none_or(_as_strong(result)),
        plural(len(result.matched), "matched neuron", "matched neurons"),
    )
    told = (
        "It holds beyond this pair: "
        if holds_elsewhere(result)
        else "It is not certain beyond this pair: "
    )
    return say(told) + numbers


def none_or(value: int) -> str:
    """A count in a sentence: none for zero."""
    return "none" if value == 0 else f"{value:,}"


def pairs_caption(result: Upstream) -> Markup:
    """The finding of the figure of word pairs."""
    if not result.heads or len(result.pairs) < 2:
        return say("Differences of parts in the pair asked about; no other pair was tested.")
    mean, low, high = _held_out(result)
    return say(
        "The same parts in words that took no part in the choice: that of {} differs by {} ({}).",
        result.heads[0],
        signed(mean),
        span(low, high),
    )


def correlation(result: Upstream) -> float:
    """Of cosine and pre-activation over the tokens of the clean prompt, leading projection."""
    pair = (result.cosine[result.leading, 0], result.readings[result.leading, 0])
    if min(float(np.std(values)) for values in pair) == 0:
        return 0.0
    return float(np.corrcoef(*pair)[0, 1])


def alignment(result: Upstream) -> Markup:
    """What the cosine with the input weights says beyond the activation."""
    found = correlation(result)
    last = number(float(result.cosine[result.leading, 0, -1]))
    told = say(
        "At the last token the normed residual stream has a cosine of {} with the neuron’s {} "
        "weights. ",
        last,
        result.lead,
    )
    if found >= RESTATES:
        return told + say(
            "Token by token, cosine and pre-activation correlate at {}: a dot product is the "
            "cosine times two lengths, and a norm keeps lengths much the same. So alignment "
            "restates the activation, and adds nothing by itself.",
            number(found),
        )
    return told + say(
        "Token by token, cosine and pre-activation correlate only at {}, since lengths and biases "
        "enter too. Even so, alignment is no evidence beyond the activation: the pre-activation is "
        "computed from it.",
        number(found),
    )


def alignment_caption(result: Upstream) -> Markup:
    """The finding of the figure of alignment."""
    return say(
        "Alignment beside activation on the clean prompt: their correlation before the activation "
        "function is {}.",
        number(correlation(result)),
    )


def wrong(result: Upstream) -> Markup:
    """What would make this wrong, and the control that was run."""
    told = say(
        "A part is what a component wrote itself, with the norm’s scale and all attention as they "
        "were in the run. It does not say why a head looks where it looks, and what a head made "
        "later MLPs write is counted as theirs. "
    )
    if not result.heads:
        return told
    return told + say(
        "If any neuron of the layer read {} as strongly, the split would say little about this "
        "one: of {} chosen for being about as active, {} do.",
        result.heads[0],
        plural(len(result.matched), "neuron", "neurons"),
        none_or(_as_strong(result)),
    )
