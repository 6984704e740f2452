"""Whether other models have such a neuron too; with one model, how it stands by the same checks."""

import shlex
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims.confirmation import NOTABLE
from analysis.claims.model_rows import Line, Missing, lines, missing
from analysis.claims.wording import (
    count,
    number,
    percent,
    plural,
    say,
    share_span,
    token,
)
from analysis.evidence import Evidence
from analysis.experiments.comparison import Comparison
from analysis.scanning.detector import FEWEST, quieted, share

FEW = 30
"""Occurrences below which a precision or recall is called rough."""

LEAD = 1.2
"""The best neuron stands out when it recovers so many times as much as the next."""


@dataclass(frozen=True)
class ModelsCompared:
    """Claims about the best neuron of each model."""

    heading: str
    scope: Markup
    found: Markup
    screen: Markup
    corpus: Markup
    caption: Markup
    models: tuple[str, ...]
    lines: tuple[Line, ...]
    missing: tuple[Missing, ...]
    absent: Markup
    wrong: Markup


def comparison(evidence: Evidence) -> ModelsCompared:
    """Read the claims off the rows."""
    result = evidence.comparison
    own = _own(evidence)
    return ModelsCompared(
        heading=_heading(result),
        scope=_scope(result),
        found=say(" ").join(_found(result, i) for i in range(len(result.models))),
        screen=_screen(evidence, own),
        corpus=_corpus(result, own),
        caption=_caption(result),
        models=result.models,
        lines=lines(result),
        missing=missing(result),
        absent=_absent(result),
        wrong=_wrong(result),
    )


def stands_out(result: Comparison, i: int) -> bool:
    """Whether one neuron leads on the pair that chose it, and held-out pairs clearly agree."""
    chosen, low, held_out = result.recovery[i], result.held_out_low[i, 0], result.held_out[i]
    leads = len(result.neurons[i]) == 1 or chosen[0] >= LEAD * chosen[1]
    first = np.isfinite(held_out[0]) and held_out[0] >= np.nanmax(held_out)
    return bool(leads and first and low > NOTABLE)


def _own(evidence: Evidence) -> int:
    """Row of the model that the page is about, the first one if it has none."""
    names = evidence.comparison.models
    return names.index(evidence.origin.model) if evidence.origin.model in names else 0


def _heading(result: Comparison) -> str:
    models = len(result.models)
    if models == 1:
        return "Other models: not part of this study"
    found = sum(stands_out(result, i) for i in range(models))
    return f"In {count(found)} of {count(models)} models one neuron stands out"


def _scope(result: Comparison) -> Markup:
    if len(result.models) == 1:
        return say(
            "This study asked one model, {}. What it found need not hold for any other; the same "
            "row of checks can be made for each.",
            result.models[0],
        )
    return say("The same question was put to {} models.", count(len(result.models)))


def _found(result: Comparison, i: int) -> Markup:
    """How the best neuron of one model fares where it was chosen and where it was not."""
    chosen = say(
        "{} recovers {} on the pair that chose it", result.neurons[i][0],
        percent(float(result.recovery[i, 0])),
    )  # fmt: skip
    if not result.held_out_pairs[i]:
        return say(
            "In {}, {}; no held-out pairs confirm that.",
            result.models[i],
            chosen,
        )
    told = say(
        "{} and {} on {} ({}){}",
        chosen,
        percent(float(result.held_out[i, 0])),
        plural(int(result.held_out_pairs[i]), "held-out pair", "held-out pairs"),
        share_span(float(result.held_out_low[i, 0]), float(result.held_out_high[i, 0])),
        _next(result, i),
    )
    if stands_out(result, i):
        return say("In {} one neuron stands out: {}.", result.models[i], told)
    return say("In {} no neuron stands out on both: the best, {}.", result.models[i], told)


def _next(result: Comparison, i: int) -> Markup:
    """The next-best neuron's numbers, where there is one."""
    if len(result.neurons[i]) < 2:
        return say("")
    return say(
        "; the next, {}, {} and {}",
        result.neurons[i][1],
        percent(float(result.recovery[i, 1])),
        percent(float(result.held_out[i, 1])),
    )


def _screen(evidence: Evidence, own: int) -> Markup:
    """Whether the screened search found what the sweep of the page found."""
    result, full = evidence.comparison, evidence.neuron_sweep
    measured, neurons = int(result.measured[own]), int(result.n_neurons[own])
    if measured == neurons:
        return say("Every neuron was patched, so nothing was screened out.")
    same = result.neurons[own][0] == full.candidates[0]
    told = say(
        "To be quick, only the {} neurons that attribution ranks highest were patched, of {}. ",
        count(measured),
        count(neurons),
    )
    if same:
        return told + say("That finds the same neuron as the sweep of all neurons above.")
    return told + say(
        "That finds another neuron than the sweep of all neurons above, which found {}.",
        full.candidates[0],
    )


def _corpus(result: Comparison, i: int) -> Markup:
    """How well the neuron's activation tells that the target comes next in ordinary text."""
    both, loud, followed = (
        int(values[i]) for values in (result.loud_followed, result.loud, result.followed)
    )
    told = _threshold(result, i) + say(
        "{} follows {} of these tokens, and the neuron is loud on {}: {}, {}.",
        token(result.target),
        count(followed),
        f"{count(loud)}, {count(both)} of them rightly" if loud else "none",
        _named_share("precision", both, loud),
        _named_share("recall", both, followed),
    )
    return told + say(" ") + _model_beside(result, i) + _rough(result, i)


def _threshold(result: Comparison, i: int) -> Markup:
    """From which activation on the neuron counts as loud, and who chose that."""
    place = {
        "word": token(result.target),
        "texts": count(result.texts),
        "neuron": result.neurons[i][0],
        "level": number(float(result.sign[i] * result.threshold[i])),
        "tokens": count(int(result.tokens[i])),
        "times": plural(int(result.chosen_on[i]), "time", "times"),
    }
    if result.chosen_on[i] >= FEWEST:
        return say(
            "As a sign of {word} in news: half of {texts} texts chose the activation from which "
            "{neuron} counts as loud ({level}), and the other half, {tokens} tokens, counted. ",
            **place,
        )
    place["from"] = (
        "midway between its activations on the two prompts"
        if quieted(*(result.sign[i] * result.activation[i]).tolist())
        else "at half its activation on the clean prompt"
    )
    return say(
        "As a sign of {word} in news: {neuron} counts as loud {from} or beyond ({level}), since in "
        "the half of {texts} texts that should have chosen that, the word came only {times}. The "
        "other half, {tokens} tokens, counted. ",
        **place,
    )


def _named_share(name: str, part: int, whole: int) -> str:
    value, low, high = share(part, whole)
    if not whole:
        return f"{name} undefined"
    return f"{name} {percent(value)} ({share_span(low, high)})"


def _model_beside(result: Comparison, i: int) -> Markup:
    """The whole model as a sign of the same, for comparison."""
    foreseen, both = int(result.foreseen[i]), int(result.foreseen_followed[i])
    if not foreseen:
        return say("The model itself puts it first on none of them.")
    return say(
        "The model itself puts it first on {}, {} of them rightly.", count(foreseen), count(both)
    )


def _rough(result: Comparison, i: int) -> Markup:
    """A warning where the target is rare in the texts."""
    if result.followed[i] >= FEW:
        return say("")
    return say(" With so few occurrences these shares are rough.")


def _caption(result: Comparison) -> Markup:
    models = len(result.models)
    found = sum(stands_out(result, i) for i in range(models))
    if models == 1:
        which = "stands out" if found else "does not stand out"
        return say(
            "The best neuron of {} {} from the next-best ones, on the pair that chose them and on "
            "held-out pairs together.", result.models[0], which,
        )  # fmt: skip
    return say(
        "In {} of {} models the best neuron stands out from the next-best ones, on held-out pairs "
        "too.",
        count(found),
        count(models),
    )


def _absent(result: Comparison) -> Markup:
    """Who is missing, and the command that asks them."""
    if not result.missing:
        return say("No model that was asked for is missing.")
    names = " ".join(map(shlex.quote, (*result.models, *result.missing)))
    return say(
        "{} without a row. Where they can be downloaded, <code>python -m analysis compare {}</code>"
        " makes the table with them in it.",
        plural(len(result.missing), "model is", "models are"),
        names,
    )


def _wrong(result: Comparison) -> Markup:
    told = say(
        "The best of many neurons recovers much by selection alone. So each was confirmed on pairs "
        "that took no part in choosing it, and stands beside the next-best neurons of its model, "
        "chosen and confirmed in the same way."
    )
    if (result.measured < result.n_neurons).any():
        told += say(" The screen may have left out a neuron that attribution underrates.")
    if len(result.models) == 1:
        told += say(" One model shows that such a neuron can exist, not that models have one.")
    return told
