"""What the model answers, and writes next, with the neuron exchanged at the end of the prompt."""

from dataclasses import dataclass

from analysis.criteria import NEGLIGIBLE, TRADED
from analysis.experiments.intervention.compute import MEASURES, RESAMPLE, SETTINGS, Intervention

UNTOUCHED, ZERO, MEAN, _, NEGATE, FACTOR = range(len(SETTINGS))
REMOVALS = (ZERO, MEAN, RESAMPLE)
"""Settings that take the neuron away."""

DIFF = MEASURES.index("logit_diff")


@dataclass(frozen=True)
class Setting:
    """The prompt under one setting.

    Attributes:
        name: of ``SETTINGS``.
        activation: what the neuron's is set to.
        logit_diff, p_target, p_foil, kl: of the next token.
        choice, p_choice: the likeliest one.
        text: what is written on.
    """

    name: str
    activation: float
    logit_diff: float
    p_target: float
    p_foil: float
    kl: float
    choice: str
    p_choice: float
    text: str


@dataclass(frozen=True)
class Facts:
    """What changes with the setting.

    Attributes:
        settings: by name.
        moved, kept: exchanges under which the first choice is another than untouched, or the same.
        instead: what they all choose; None where they differ.
        robust: whether the choice is the same without the neuron, however it is taken away.
        foil_takes_over: whether it is the foil then.
        p_pair, p_pair_without: probability of target and foil together, untouched and by the mean.
        traded: whether the foil gains most of what the target loses by the mean.
        favours_target: whether more of the neuron raises target over foil; None for a factor of 1.
        spread: standard deviation of the logit difference over draws.
        draw_matters: whether that is not negligible beside what the draws change.
        same_text: exchanges under which the text is as untouched.
    """

    settings: dict[str, Setting]
    moved: tuple[str, ...]
    kept: tuple[str, ...]
    instead: str | None
    robust: bool
    foil_takes_over: bool
    p_pair: float
    p_pair_without: float
    traded: bool
    favours_target: bool | None
    spread: float
    draw_matters: bool
    same_text: tuple[str, ...]


def facts(result: Intervention, _sign: int | None = None) -> Facts:
    """Read them off the settings."""
    rows = [_setting(result, place) for place in range(len(SETTINGS))]
    own, without, more = rows[UNTOUCHED], rows[MEAN], rows[FACTOR]
    without_it = {rows[place].choice for place in REMOVALS}
    others = {row.choice for row in rows} - {own.choice}
    lost, gained = own.p_target - without.p_target, without.p_foil - own.p_foil
    spread = float(result.drawn_measures[:, DIFF].astype(float).std())
    rise = (more.logit_diff - own.logit_diff) * (result.factor - 1)
    return Facts(
        settings={row.name: row for row in rows},
        moved=tuple(row.name for row in rows if row.choice != own.choice),
        kept=tuple(row.name for row in rows[1:] if row.choice == own.choice),
        instead=others.pop() if len(others) == 1 else None,
        robust=without_it == {own.choice},
        foil_takes_over=own.choice != result.foil and without_it == {result.foil},
        p_pair=own.p_target + own.p_foil,
        p_pair_without=without.p_target + without.p_foil,
        traded=lost > 0 and gained >= TRADED * lost,
        favours_target=None if result.factor == 1 else rise > 0,
        spread=spread,
        draw_matters=spread >= NEGLIGIBLE * abs(rows[RESAMPLE].logit_diff - own.logit_diff),
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
