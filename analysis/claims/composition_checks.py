"""Whether the split of the neuron's effect holds on other pairs, and what other neurons do."""

import numpy as np
from markupsafe import Markup

from analysis.claims.wording import (
    count,
    number,
    percent,
    plural,
    say,
    share_span,
    token,
)
from analysis.experiments.composition import Composition, held_out_shares


def held_out(result: Composition) -> Markup:
    """Whether pairs that chose nothing split alike."""
    pairs = len(result.held_out)
    if not pairs:
        return say(
            "There are no held-out prompts for this question: this is the split of one pair."
        )
    shares = held_out_shares(result)
    share, (low, high) = shares["direct"]
    told = say(
        "Over {}, the direct effect is {} of the total ({}), ",
        plural(pairs, "pair that chose nothing", "pairs that chose nothing"),
        percent(share),
        share_span(low, high),
    ) + say(_verdict(low, high))
    if not result.parts:
        return told
    part = result.parts[0]
    share, bounds = held_out_shares(result, of="direct")[part]
    return told + say(
        " {}, the largest later part here, makes {} of the total there, which is {} of the direct "
        "effect ({}).",
        part,
        percent(shares[part][0]),
        percent(share),
        share_span(*bounds),
    )


def _verdict(low: float, high: float) -> str:
    """What the interval of the direct share says."""
    if low > 1:
        return "more than the whole: what stands behind takes part of it back there."
    if low > 1 / 2:
        return "more than half of it."
    return (
        "not clearly more than half of it."
        if high > 1 / 2 or not high < np.inf
        else ("less than half of it.")
    )


def held_out_caption(result: Composition) -> Markup:
    """The finding of the held-out pairs' figure."""
    if not len(result.held_out):
        return say("There are no held-out pairs for this question.")
    share, bounds = held_out_shares(result)["direct"]
    return say(
        "On {} pairs that took no part in choosing the neuron, the direct effect is {} of the "
        "total ({}).",
        count(len(result.held_out)),
        percent(share),
        share_span(*bounds),
    )


def wrong(result: Composition) -> Markup:
    """What the control neurons say."""
    told = say(
        "The split is exact for these prompts and for the last position alone, and any neuron of "
        "the layer might move the choice between {} and {} as much. ",
        token(result.target),
        token(result.foil),
    )
    if not result.controls:
        return told + say("No other neuron of the layer was there to compare it with.")
    most = float(np.abs(result.control_total[0]).max())
    change = float(np.abs(result.control_delta[0]).max())
    told += say(
        "The control is {} of the same layer with about the same activation, split in the same "
        "way. Their totals reach {} in size, against {}. ",
        plural(len(result.controls), "neuron", "neurons"),
        number(most),
        number(abs(float(result.total[0]))),
    )
    if most >= abs(float(result.total[0])) / 2:
        return told + say("So the neuron is nothing special in its layer.")
    return told + _per_unit(result, change)


def _per_unit(result: Composition, change: float) -> Markup:
    """The controls change less between the prompts, so compare what a unit of change writes."""
    told = (
        say(
            "They change less between the prompts (at most {}, against {}), so compare per unit of "
            "change: ",
            number(change),
            number(abs(float(result.delta[0]))),
        )
        if change < abs(float(result.delta[0]))
        else Markup("")
    )
    moved = np.abs(result.control_delta[0]) > 0
    per_unit = np.abs(result.control_direct[0][moved] / result.control_delta[0][moved])
    own = abs(float(result.direct[0] / result.delta[0])) if result.delta[0] else 0.0
    most = float(per_unit.max(initial=0.0))
    verb = "none writes as much" if most < own else "some write as much"
    return told + say(
        "per unit {} directly (at most {}, against {}). What the controls do not tell is whether a "
        "write as large from elsewhere would be answered in the same way.",
        verb,
        number(most),
        number(own),
    )
