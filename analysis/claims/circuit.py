"""Which layers and heads carry the difference, by activation patching."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims.lens import largest_jump
from analysis.claims.wording import head_name, number, say, token
from analysis.evidence import Evidence
from analysis.experiments.patching import Patching

NAMES = {"attn_out": "attention", "mlp_out": "MLP"}
HALF, NEARLY_ALL, SLIGHT = 0.5, 0.9, 0.05
MOST = 3
NUMERALS = {2: "two", 3: "three"}


@dataclass(frozen=True)
class Place:
    """A component at the last position: its name and its recovery in both directions."""

    name: str
    restored: float
    broken: float


@dataclass(frozen=True)
class Circuit:
    """Claims about patching by layer and by head."""

    heading: str
    journey: Markup
    ranking: Markup
    agreement: Markup
    adding_up: Markup
    directions: Markup
    caption: Markup
    heads: Markup
    heads_caption: Markup
    wrong: Markup


def circuit(evidence: Evidence) -> Circuit:
    """Read the claims off the patching maps."""
    result, jump = evidence.patching, largest_jump(evidence.logit_lens)
    places = last_position(result)
    return Circuit(
        heading=_heading(places, jump.component),
        journey=_journey(result),
        ranking=_ranking(places),
        agreement=_agreement(places, jump.component),
        adding_up=_adding_up(places),
        directions=_directions(places[0]),
        caption=caption(places),
        heads=_heads(result),
        heads_caption=_heads_caption(result),
        wrong=_wrong(result, places[0]),
    )


def last_position(result: Patching) -> list[Place]:
    """Attention and MLP of every layer, patched at the last position, best first."""
    places = [
        Place(
            f"{NAMES[name]} {layer}",
            float(result.restored[row, layer, -1]),
            float(result.broken[row, layer, -1]),
        )
        for row, name in enumerate(result.components)
        if name in NAMES
        for layer in range(result.restored.shape[1])
    ]
    return sorted(places, key=lambda place: -place.restored)


def _heading(places: list[Place], jump: str) -> str:
    if places[0].name == jump:
        return f"Patching agrees: {jump} carries the answer"
    return f"Patching disagrees: {places[0].name} comes first"


def _journey(result: Patching) -> Markup:
    stream = result.restored[result.components.index("resid_pre")]
    word = token(result.clean_tokens[result.start])
    arrived = np.flatnonzero(stream[:, -1] >= HALF)
    if not len(arrived):
        return say("The residual stream at the last position never holds half of the difference.")
    layer = int(arrived[0])
    if layer == 0:
        return say("The prompts differ at the last position itself: nothing has to be moved there.")
    return say(
        "The residual stream shows a journey. Up to the start of layer {} the last position holds "
        "{} of the difference, and {} itself holds {}. At the start of layer {} the last position "
        "holds {}. In between something read the word and wrote its consequence where the answer "
        "is given.",
        layer - 1,
        number(float(stream[layer - 1, -1])),
        word,
        number(float(stream[layer - 1, result.start])),
        layer,
        number(float(stream[layer, -1])),
    )


def _ranking(places: list[Place]) -> Markup:
    first, *others = places[:MOST]
    rest = [say(" {} {}", place.name, number(place.restored)) for place in others]
    told = say(
        "Exchanging one component at the last position, {} recovers {}",
        first.name,
        number(first.restored),
    )
    if not rest:
        return told + say(".")
    return told + Markup(",").join(["", *rest[:-1]]) + say(", and{}.", rest[-1])


def _agreement(places: list[Place], jump: str) -> Markup:
    names = [place.name for place in places]
    if names[0] == jump:
        return say("Patching agrees with the lens: {} is first by both.", jump)
    rank = names.index(jump)
    return say(
        "Patching disagrees with the lens: the lens jumped at {}, but by patching that is number "
        "{} with {}, and {}, at which the lens did not jump most, is first with {}.",
        jump,
        rank + 1,
        number(places[rank].restored),
        places[0].name,
        number(places[0].restored),
    )


def _adding_up(places: list[Place]) -> Markup:
    largest = [place.restored for place in places[:MOST] if place.restored > 0]
    if len(largest) < 2:
        return say("")
    told = say("The {} largest add up to {}", NUMERALS[len(largest)], number(sum(largest)))
    if sum(largest) > 1 + SLIGHT:
        return told + say(
            ", more than the whole, as happens when components stand in line and not side by "
            "side: to restore an early one then restores part of what the later ones do."
        )
    return told + say(", so they need not be counting the same effect twice.")


def _directions(best: Place) -> Markup:
    told = say(
        "The opposite patch, the corrupted output put into the clean run, takes {} of the "
        "difference away at {}, against {} restored.",
        number(best.broken),
        best.name,
        number(best.restored),
    )
    enough, needed = best.restored >= NEARLY_ALL, best.broken >= HALF
    if enough and needed:
        return told + say(" It is nearly sufficient, and largely necessary.")
    if enough:
        return told + say(" Others can stand in for it: it is sufficient, but not necessary.")
    if needed:
        return told + say(" It is necessary for much of the answer, but does not suffice.")
    return told + say(" By itself it is neither sufficient nor necessary.")


def caption(places: list[Place]) -> Markup:
    """Which component carries most at the last position, in one sentence."""
    first, *others = places[:2]
    told = say(
        "At the last position {} recovers {} of the difference", first.name, number(first.restored)
    )
    for place in others:
        told += say(" and {} recovers {}", place.name, number(place.restored))
    return told + say(".")


def _top_heads(result: Patching) -> list[tuple[str, float]]:
    """The best head, and the next one where there is one."""
    order = np.argsort(-result.heads_restored, axis=None)[:2]
    pairs = [divmod(int(i), result.heads_restored.shape[1]) for i in order]
    return [(head_name(*pair), float(result.heads_restored[pair])) for pair in pairs]


def _alone(result: Patching) -> bool:
    """Whether one head recovers half of the difference and twice what the next one does."""
    (_, first), *others = _top_heads(result)
    return first >= HALF and all(first >= 2 * value for _, value in others)


def _heads(result: Patching) -> Markup:
    (first, most), *others = _top_heads(result)
    if not others:
        return say("Here there is but one, {}, and it recovers {}.", first, number(most))
    (second, less), *_ = others
    told = say("{} recovers {}, the next, {}, {}.", first, number(most), second, number(less))
    if _alone(result):
        return say("Mostly one attention head does the carrying: ") + told
    return say("No one attention head does the carrying: ") + told


def _heads_caption(result: Patching) -> Markup:
    (first, most), *others = _top_heads(result)
    if not others:
        return say("The only head, {}, recovers {}.", first, number(most))
    (second, less), *_ = others
    lead = "One head stands out" if _alone(result) else "No one head stands out"
    return say("{}: {} with {}, then {} with {}.", lead, first, number(most), second, number(less))


def _wrong(result: Patching, best: Place) -> Markup:
    told = say(
        "A patch can look strong because it pushes the model somewhere it never goes. So every "
        "patch was run both ways: {} restores {} and breaks {}.",
        best.name,
        number(best.restored),
        number(best.broken),
    )
    if result.start == 0:
        return told
    return told + say(
        " No control lies before the exchanged word: recovery there is zero because nothing "
        "differs, and there is nothing to patch."
    )
