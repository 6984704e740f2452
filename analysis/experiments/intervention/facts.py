"""What the model answers, and writes next, with the neuron exchanged at the end of the prompt."""

from dataclasses import dataclass

from analysis.criteria import NEGLIGIBLE, TRADED, UNMOVED
from analysis.experiments.intervention.compute import MEASURES, RESAMPLE, SETTINGS, Intervention
from analysis.token_sets import members

UNTOUCHED, ZERO, MEAN, _, NEGATE, FACTOR = range(len(SETTINGS))
REMOVALS = (ZERO, MEAN, RESAMPLE)
"""Settings that take the neuron away."""

DIFF = MEASURES.index("logit_diff")


@dataclass(frozen=True)
class Setting:
    """The prompt under one setting."""

    name: str  # of ``SETTINGS``
    activation: float  # what the neuron's is set to
    logit_diff: float  # of the next token
    p_target: float
    p_foil: float
    kl: float
    choice: str  # the likeliest one
    p_choice: float
    text: str  # what is written on


@dataclass(frozen=True)
class Facts:
    """What changes with the setting."""

    settings: dict[str, Setting]  # by name
    # exchanges under which the first choice is another than untouched, or the same
    moved: tuple[str, ...]
    kept: tuple[str, ...]
    instead: str | None  # what they all choose; None where they differ
    robust: bool  # whether the choice is the same without the neuron, however it is taken away
    foil_takes_over: bool  # whether it is the foil then
    p_pair: float  # probability of target and foil together, untouched and by the mean
    p_pair_without: float
    traded: bool  # whether by the mean one of the two gains about what the other loses
    # whether more of the neuron raises target over foil; None for a factor of 1
    favours_target: bool | None
    spread: float  # standard deviation of the logit difference over draws
    draw_matters: bool  # whether that is more than a trifle, and beside what the draws change
    same_text: tuple[str, ...]  # exchanges under which the text is as untouched


def facts(result: Intervention, _sign: int | None = None) -> Facts:
    """Read them off the settings."""
    foils = {*members(result.foil)}
    rows = [_setting(result, place) for place in range(len(SETTINGS))]
    own, without, more = rows[UNTOUCHED], rows[MEAN], rows[FACTOR]
    without_it = {rows[place].choice for place in REMOVALS}
    others = {row.choice for row in rows} - {own.choice}
    lost, gained = own.p_target - without.p_target, without.p_foil - own.p_foil
    sizes = abs(lost), abs(gained)
    spread = float(result.drawn_measures[:, DIFF].astype(float).std())
    changed = rows[RESAMPLE].logit_diff - own.logit_diff
    rise = (more.logit_diff - own.logit_diff) * (result.factor - 1)
    return Facts(
        settings={row.name: row for row in rows},
        moved=tuple(row.name for row in rows if row.choice != own.choice),
        kept=tuple(row.name for row in rows[1:] if row.choice == own.choice),
        instead=others.pop() if len(others) == 1 else None,
        robust=without_it == {own.choice},
        foil_takes_over=own.choice not in foils and without_it <= foils,
        p_pair=own.p_target + own.p_foil,
        p_pair_without=without.p_target + without.p_foil,
        traded=lost * gained > 0 and min(sizes) >= TRADED * max(sizes),
        favours_target=None if result.factor == 1 else rise > 0,
        spread=spread,
        draw_matters=spread >= max(UNMOVED, NEGLIGIBLE * abs(changed)),
        same_text=tuple(row.name for row in rows[1:] if row.text == own.text),
    )


def _setting(result: Intervention, place: int) -> Setting:
    diff, p_target, p_foil, kl = map(float, result.measures[place])
    best = int(result.probabilities[place].argmax())
    return Setting(
        name=SETTINGS[place],
        activation=float(result.set_to[place]),
        logit_diff=diff,
        p_target=p_target,
        p_foil=p_foil,
        kl=kl,
        choice=result.tokens[best],
        p_choice=float(result.probabilities[place, best]),
        text=result.continuations[place],
    )
