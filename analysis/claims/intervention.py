"""What the model answers, and writes next, with the neuron exchanged at the end of the prompt."""

from dataclasses import dataclass

from markupsafe import Markup

from analysis.claims.continuation import shown
from analysis.claims.wording import MINUS, number, percent, plural, say, signed, token
from analysis.evidence import Evidence
from analysis.experiments.intervention import MEASURES, RESAMPLE, SETTINGS, Intervention

UNTOUCHED, ZERO, MEAN, _, NEGATE, FACTOR = range(len(SETTINGS))
SPACE = "\u00a0"  # that no line breaks at
REMOVALS = (ZERO, MEAN, RESAMPLE)
"""Settings that take the neuron away."""

TRADED = 0.8
"""Target and foil trade with each other when one gains this share of what the other loses."""

LITTLE = 0.1
"""Draws hardly differ when their spread is less than this share of what they change."""

DIFF, P_TARGET, P_FOIL, KL = range(len(MEASURES))


@dataclass(frozen=True)
class Row:
    """One setting as the table tells it."""

    setting: str
    set_to: str
    difference: str
    p_target: str
    p_foil: str
    kl: str
    text: str


@dataclass(frozen=True)
class InterventionClaims:
    """Claims about one prompt with the neuron exchanged."""

    first: Markup
    others: Markup
    turned: Markup
    caption: Markup
    spread: Markup
    writes: Markup
    rows: tuple[Row, ...]
    table: str
    wrong: Markup


def intervention(evidence: Evidence) -> InterventionClaims:
    """Read the claims off the settings."""
    result = evidence.intervention
    return InterventionClaims(
        first=_first(result),
        others=_others(result),
        turned=_turned(result),
        caption=caption(result),
        spread=_spread(result),
        writes=_writes(result),
        rows=tuple(_row(result, setting) for setting in range(len(SETTINGS))),
        table=f"The clean prompt under every setting, and up to {result.length} tokens written on, "
        "the likeliest each time",
        wrong=_wrong(result),
    )


def first_choice(result: Intervention, setting: int) -> str:
    """The likeliest next token under a setting."""
    return result.tokens[int(result.probabilities[setting].argmax())]


def _chance(result: Intervention, setting: int, text: str) -> str:
    return percent(float(result.probabilities[setting, result.tokens.index(text)]))


def _times(result: Intervention) -> str:
    return f"{result.factor:g}".replace("-", MINUS)


def _named(result: Intervention, setting: int) -> str:
    names = {
        ZERO: "zero",
        MEAN: "its mean",
        RESAMPLE: "draws",
        NEGATE: "its negative",
        FACTOR: f"{_times(result)} times the activation",
    }
    return names[setting]


def changes(result: Intervention) -> tuple[list[int], list[int]]:
    """Settings under which the first choice is another than untouched, and those where it stays."""
    own = first_choice(result, UNTOUCHED)
    settings = range(1, len(SETTINGS))
    moved = [s for s in settings if first_choice(result, s) != own]
    return moved, [s for s in settings if s not in moved]


def _listed(result: Intervention, settings: list[int]) -> str:
    names = [_named(result, s) for s in settings]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _first(result: Intervention) -> Markup:
    """What the untouched model chooses, and what becomes of its choice without the neuron."""
    own = first_choice(result, UNTOUCHED)
    told = say(
        "Untouched, the model’s first choice after the clean prompt is {} ({}). ",
        token(own),
        _chance(result, UNTOUCHED, own),
    )
    turned = [s for s in REMOVALS if first_choice(result, s) != own]
    if not turned:
        return told + say("Taking the neuron away does not change that, whichever way it is done.")
    instead = {first_choice(result, s) for s in turned}
    if len(turned) == len(REMOVALS) and instead == {result.foil}:
        return told + say(
            "Taken away in any of the three ways, it is {} instead ({} with the mean in the "
            "neuron’s place).",
            token(result.foil),
            _chance(result, MEAN, result.foil),
        )
    choices = [
        say("{} with {}", token(first_choice(result, s)), _named(result, s)) for s in REMOVALS
    ]
    return told + say("Taken away, it is {}.", Markup(", ").join(choices))


def _others(result: Intervention) -> Markup:
    """Whether tokens beside target and foil gain."""
    pair = result.measures[:, [P_TARGET, P_FOIL]].sum(1)
    before, after = float(pair[UNTOUCHED]), float(pair[MEAN])
    told = say(
        "Together {} and {} hold {} untouched and {} with the mean: ",
        token(result.target),
        token(result.foil),
        percent(before),
        percent(after),
    )
    lost = float(result.measures[UNTOUCHED, P_TARGET] - result.measures[MEAN, P_TARGET])
    gained = float(result.measures[MEAN, P_FOIL] - result.measures[UNTOUCHED, P_FOIL])
    if lost > 0 and gained >= TRADED * lost:
        return told + say("what the one loses goes to the other, not to third words.")
    return told + say("the neuron does not move probability from the one to the other alone.")


def _turned(result: Intervention) -> Markup:
    """What negating and multiplying do."""
    rows = [
        say(
            "{} ({}, logit difference {}) with {}",
            token(first_choice(result, s)),
            _chance(result, s, first_choice(result, s)),
            number(float(result.measures[s, DIFF])),
            _named(result, s),
        )
        for s in (NEGATE, FACTOR)
    ]
    told = say("Pushed further, it is {}, and {}.", *rows)
    if result.factor == 1:
        return told
    start, doubled = (float(result.measures[s, DIFF]) for s in (UNTOUCHED, FACTOR))
    if (doubled - start) * (result.factor - 1) > 0:
        return told + say(" More of the neuron makes {} likelier against {}.", *_pair(result))
    return told + say(" More of the neuron does not favour {} against {}.", *_pair(result))


def _pair(result: Intervention) -> tuple[Markup, Markup]:
    return token(result.target), token(result.foil)


def caption(result: Intervention) -> Markup:
    """Under which settings the first choice is another, in one sentence."""
    own = token(first_choice(result, UNTOUCHED))
    moved, stays = changes(result)
    if not moved:
        return say("The first choice stays {} whatever the neuron is set to.", own)
    instead = {first_choice(result, s) for s in moved}
    told = say(
        "The first choice is {} untouched, and {} with {} in the activation’s place",
        own,
        token(instead.pop()) if len(instead) == 1 else "another",
        _listed(result, moved),
    )
    if stays:
        told += say("; it stays with {}", _listed(result, stays))
    return told + say(".")


def _spread(result: Intervention) -> Markup:
    draws = result.drawn_measures[:, DIFF].astype(float)
    told = say(
        "Mean and draws come from {} of news text. Over {} the difference has a standard deviation "
        "of {}",
        plural(result.elsewhere, "token", "tokens"),
        plural(len(draws), "draw", "draws"),
        number(float(draws.std())),
    )
    moved = abs(float(result.measures[RESAMPLE, DIFF] - result.measures[UNTOUCHED, DIFF]))
    if draws.std() < LITTLE * moved:
        return told + say(": which value is drawn hardly matters.")
    return told + say(": what comes out hangs on the value drawn.")


def _writes(result: Intervention) -> Markup:
    """What becomes of the text."""
    own, without = (result.continuations[s] for s in (UNTOUCHED, MEAN))
    same = [s for s in range(1, len(SETTINGS)) if result.continuations[s] == own]
    if result.length == 0:
        return say("Nothing was written on.")
    if own == without:
        return say(
            "Left to write on, with the same exchange at every new token, the model writes the "
            "same with the neuron’s mean as untouched: {}.",
            _quoted(own),
        )
    told = say(
        "Left to write on, with the same exchange at every new token, the model writes {} "
        "untouched, and {} with the neuron’s mean.",
        _quoted(own),
        _quoted(without),
    )
    if same:
        return told + say(" With {} it writes what it writes untouched.", _listed(result, same))
    return told


def _quoted(text: str) -> Markup:
    return say("<q>{}</q>", shown(text))


def _row(result: Intervention, setting: int) -> Row:
    name = SETTINGS[setting]
    measures = [float(v) for v in result.measures[setting]]
    difference = signed(measures[DIFF])
    if setting == RESAMPLE:
        difference += f"{SPACE}±{SPACE}{number(float(result.drawn_measures[:, DIFF].std()))}"
    return Row(
        setting={"factor": f"times {_times(result)}", "negate": "negated"}.get(name, name),
        set_to=number(float(result.set_to[setting])),
        difference=difference,
        p_target=percent(measures[P_TARGET]),
        p_foil=percent(measures[P_FOIL]),
        kl=number(measures[KL]),
        text=shown(result.continuations[setting]),
    )


def _wrong(result: Intervention) -> Markup:
    return say(
        "What the first figure and the table show is one prompt, so it has no interval over "
        "prompts; the set of prompts has. The spread of draws is that of the values put in, and "
        "the text under draws is one chain of {}.",
        plural(result.length, "draw", "draws"),
    )
