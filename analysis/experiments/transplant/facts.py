"""Whether a neuron does in another model what it does in its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from analysis.criteria import COPIED
from analysis.experiments.transplant.found import Transplant
from analysis.experiments.transplant.measured import CONSTANT, GRAFT, MAPPED, OUTCOME, OWN
from analysis.grounds import Ground as Basis
from analysis.grounds import Unit
from analysis.intervals import Interval

UNITS: dict[str, Unit] = {"words": "word", "templates": "word", "natural": "article"}

Verdict = Literal["transplanted", "bias only", "failed"]

MARGIN, TARGET, FOIL, RIGHT, SURPRISE = range(5)  # of GAINS


@dataclass(frozen=True)
class Ground:
    """One kind of held-out text; gains and margins in logits."""

    name: str
    target: int  # texts that call for the target
    foil: int  # and for the foil
    in_donor: Interval  # what the neuron adds to the donor's margin
    before: float  # the recipient's margin
    after: float  # with the graft
    gain: Interval  # the difference
    raised: Interval  # of the logit difference where the target is called for
    foil_raised: Interval  # and where the foil is
    copied: Interval  # the gain as a share of what the neuron adds in the donor
    right: Interval  # change of the share of right choices
    surprise: Interval  # change of the loss of the choice, in nats
    restored: Interval  # the gain as a share of what a cut took; not numbers without one


@dataclass(frozen=True)
class Facts:
    """The transplant."""

    verdict: Verdict
    grounds: tuple[Ground, ...]
    effective: tuple[str, ...]  # grounds on which the neuron does anything in the donor
    gained: tuple[str, ...]  # those of them on which the recipient gained
    missed: tuple[str, ...]  # the others
    strongest: Ground  # where the neuron does most in the donor
    layer: int
    gate: float  # share of the gate's variance that the layer tells
    activation: float  # and of the activation's
    lowest: float  # the activation's, at the layer that tells it worst
    mapped: Interval  # the graft that writes along the donor's direction
    bias: Interval
    outcome: Interval
    own: Interval | None
    own_within: bool  # whether its gain lies within the interval of the graft's
    turns: bool  # whether the share of right choices rises anywhere, beyond doubt
    outcome_suffices: bool  # whether it gains as much as the graft
    cost: Interval  # change of the loss of ordinary text with the graft
    against_uncut: float  # how far the loss is from that before a cut; NaN without one
    divergence: float  # mean KL where neither word follows
    places: int  # tokens of ordinary text
    back: tuple["Facts", ...]  # cut out of its own model and put back, as a check of the method
    again: tuple["Facts", ...]  # into the same recipient, with other draws
    again_gains: tuple[Interval, ...]  # of each on the ground that is strongest here
    same_again: bool  # whether these all come to the same verdict


def facts(result: Transplant, _sign: int | None = None) -> Facts:
    """Read them off; a margin has the same sign however the neuron is used."""
    row = result.variants.index(GRAFT)
    grounds = tuple(_ground(result, row, place) for place in range(len(result.grounds)))
    effective = [each for each in grounds if each.in_donor.positive]
    gained = [each for each in effective if each.gain.positive and each.copied.mean >= COPIED]
    strongest = max(grounds, key=lambda each: each.in_donor.mean)
    place = grounds.index(strongest)
    names = (MAPPED, CONSTANT, OUTCOME)
    mapped, bias, outcome = (_control(result, name, place) for name in names)
    own = _control(result, OWN, place) if OWN in result.variants else None
    activation, gate, _ = result.explained[result.layer].tolist()
    verdict = _verdict(grounds, effective, gained)
    again = [facts(o) for o in result.beside if o.recipient == result.recipient]
    return Facts(
        verdict=verdict,
        grounds=grounds,
        effective=tuple(each.name for each in effective),
        gained=tuple(each.name for each in gained),
        missed=tuple(each.name for each in effective if each not in gained),
        strongest=strongest,
        layer=result.layer,
        gate=gate,
        activation=activation,
        lowest=max(0.0, float(result.explained[:, 0].min())),
        mapped=mapped,
        bias=bias,
        outcome=outcome,
        own=own,
        own_within=own is not None and strongest.gain.low <= own.mean <= strongest.gain.high,
        turns=any(each.right.low > 0 for each in grounds),
        outcome_suffices=outcome.low > 0 and outcome.mean >= strongest.gain.mean,
        cost=Interval.of(result.cost[row]),
        against_uncut=abs(float(result.uncut_cost[0])),
        divergence=float(result.divergence[row, 0]),
        places=int(result.places[0]),
        back=tuple(facts(other) for other in result.beside if other.same and not result.same),
        again=tuple(again),
        again_gains=tuple(
            each.gain for o in again for each in o.grounds if each.name == strongest.name
        ),
        same_again=all(other.verdict == verdict for other in again),
    )


def verdicts(result: Transplant) -> dict[str, str]:
    """What the numbers come to."""
    return {"verdict": facts(result).verdict}


def grounds(found: Facts, result: Transplant) -> Iterator[Basis]:
    """Words and articles are drawn again, with all texts that they are in."""
    for name, units in zip(result.grounds, result.units, strict=True):
        yield Basis(name, {UNITS[name]: int(units)}, "bootstrap")
    yield Basis("costs", {"article": result.articles}, "bootstrap")


def _verdict(grounds: tuple[Ground, ...], effective: list[Ground], gained: list[Ground]) -> Verdict:
    """A transplant gains wherever the neuron does anything in its donor.

    What makes choices better and yet tells the two kinds of text apart nowhere, is a bias.
    """
    if effective and len(gained) == len(effective):
        return "transplanted"
    better = any(each.surprise.high < 0 for each in grounds)
    return "bias only" if better and not any(each.gain.positive for each in grounds) else "failed"


def _ground(result: Transplant, row: int, place: int) -> Ground:
    gains = result.gains[row, place]
    return Ground(
        name=result.grounds[place],
        target=int(result.texts[place, 0]),
        foil=int(result.texts[place, 1]),
        in_donor=Interval.of(result.donor_effect[place]),
        before=float(result.margins[place]),
        after=float(result.after[row, place]),
        gain=Interval.of(gains[MARGIN]),
        raised=Interval.of(gains[TARGET]),
        foil_raised=Interval.of(gains[FOIL]),
        copied=Interval.of(result.copied[place]),
        right=Interval.of(gains[RIGHT]),
        surprise=Interval.of(gains[SURPRISE]),
        restored=Interval.of(result.restored[place]),
    )


def _control(result: Transplant, name: str, place: int) -> Interval:
    """Its gain in the margin."""
    return Interval.of(result.gains[result.variants.index(name), place, MARGIN])
