"""The finding of an answer, in a sentence: the same that the report says, where it says one."""

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from analysis.claims import (
    circuit,
    composition,
    corpus,
    intervention,
    lens,
    neurons,
    upstream,
    writes,
)
from analysis.claims.wording import count, number, percent, say, token
from analysis.experiments.activations import Activations
from analysis.experiments.logit_lens import LogitLens
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.experiments.next_token import NextToken
from analysis.finding import Found, summary
from analysis.weights.writers import Writers


def _activations(result: Activations) -> Markup:
    where = result.text(0)
    values, chances = result.activations[where], result.p_target[where]
    peak = int(abs(values).argmax())
    return say(
        "After the text’s last token, {}, the model gives {} a probability of {}; {} stands at {} "
        "there. It is largest, {}, on {} (token {} of {}).",
        token(result.tokens[where][-1]),
        token(result.target),
        percent(float(chances[-1])),
        result.neuron,
        number(float(values[-1])),
        number(float(values[peak])),
        token(result.tokens[where][peak]),
        peak + 1,
        len(values),
    )


def _next_token(result: NextToken) -> Markup:
    told = say(
        "The likeliest next token is {} with {}; {} has {} and {} {}.",
        token(result.top_tokens[0]),
        percent(float(result.top_probabilities[0, 0])),
        token(result.target),
        percent(float(result.p_target[0])),
        token(result.foil),
        percent(float(result.p_foil[0])),
    )
    return told


def _lens(result: LogitLens) -> Markup:
    return lens.caption(result, lens.largest_jump(result))


def _sweep(result: NeuronSweep) -> Markup:
    measured = int(result.exact.sum())
    if measured == result.exact.size:
        how = say("All {} neurons were patched alone. ", count(measured))
    else:
        how = say(
            "The {} neurons that a gradient ranks highest, of {}, were patched alone. ",
            count(measured),
            count(result.exact.size),
        )
    return how + neurons.standing(result) + Markup(" ") + neurons.direction(result)


def _writers(result: Writers) -> Markup:
    first = result.writers[0]
    over = say(" over {}", token(result.foil)) if result.foil else Markup("")
    way = "below" if first.direction < 0 else "above"
    told = "{} writes {}{} most: {} logits for each unit of activation {} zero."
    return say(told, first.neuron, token(result.target), over, number(first.logits), way)


def _find(result: Found) -> Markup:
    told = summary(result)
    best = neurons.standing(result.sweep)
    first = result.writers[0]
    way = "below" if first.direction < 0 else "above"
    written = say(
        " By its weights alone {} writes {} over {} most, {} logits for each unit of activation {} "
        "zero.",
        first.neuron,
        token(told["target"]),
        token(told["foil"]),
        number(first.logits),
        way,
    )
    if told["on_both_lists"]:
        return best + written + say(" On both lists: {}.", ", ".join(told["on_both_lists"]))
    return best + written + say(" No neuron is on both lists: none does both.")


SAYS: Mapping[str, Callable[[Any], Markup]] = {
    "next_token": _next_token,
    "following": _next_token,
    "logit_lens": _lens,
    "activations": _activations,
    "direct_effect": lambda result: writes.caption(result, result),
    "patching": lambda result: circuit.caption(circuit.last_position(result)),
    "sweep": _sweep,
    "writers": _writers,
    "find": _find,
    "upstream": upstream.caption,
    "composition": composition.caption,
    "intervene": intervention.caption,
    "scan": corpus.finding,
}
"""What is said about the Result of each question."""
