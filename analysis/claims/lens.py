"""Where the answer appears, read off the residual stream."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims.wording import number, percent, say, signed, token
from analysis.evidence import Evidence
from analysis.experiments.logit_lens import LogitLens
from analysis.original.published import asks_the_same, document, lens_curve

SAME = 1e-3
"""Readings nearer than this, in logits, are the same but for rounding."""


@dataclass(frozen=True)
class Jump:
    """The largest single rise of the clean prompt's curve.

    Attributes:
        step: number of the reading before it, from 0.
        component: what wrote between the two readings, such as "MLP 25".
        before: reading before it, in logits.
        after: reading after it.
        corrupted: rise of the corrupted prompt's curve at the same place.
    """

    step: int
    component: str
    before: float
    after: float
    corrupted: float

    @property
    def rise(self) -> float:
        """Rise of the clean prompt's curve."""
        return self.after - self.before

    @property
    def particular(self) -> bool:
        """Whether the corrupted prompt rises less than half as much there."""
        return self.corrupted < 0.5 * self.rise


@dataclass(frozen=True)
class Lens:
    """Claims about the logit lens."""

    heading: str
    jump: Markup
    beginning: Markup
    end: Markup
    caption: Markup
    published: Markup
    wrong: Markup


def lens(evidence: Evidence) -> Lens:
    """Read the claims off the two curves."""
    result = evidence.logit_lens
    jump = largest_jump(result)
    return Lens(
        heading=f"The lens jumps at {jump.component}",
        jump=_jump(result, jump),
        beginning=_beginning(result),
        end=_end(result),
        caption=caption(result, jump),
        published=_published(result, jump),
        wrong=_wrong(jump),
    )


def _published(result: LogitLens, jump: Jump) -> Markup:
    """Where the original's curve jumped, if it is drawn: as a share of depth, and here."""
    told = document()
    if not asks_the_same(told, result.prompts[0], result.target, result.foil):
        return say("")
    curve = lens_curve(told)
    rises = np.diff(curve)
    place = int(rises.argmax())
    return say(
        " The dotted curve is GPT-2 Large’s, as the original published it, laid beside by share of "
        "depth. It jumped at {}, {} of the way through; this one jumps {} of the way through.",
        component_at(place),
        percent(place / (len(curve) - 1)),
        percent(jump.step / (len(result.labels) - 1)),
    )


def component_at(step: int) -> str:
    """What writes between reading ``step`` and the next one."""
    return f"{'MLP' if step % 2 else 'attention'} {step // 2}"


def largest_jump(result: LogitLens) -> Jump:
    """Find the half layer at which the clean prompt's curve rises most."""
    clean, corrupted = result.logit_diff[:2]
    step = int(np.diff(clean).argmax())
    return Jump(
        step,
        component_at(step),
        float(clean[step]),
        float(clean[step + 1]),
        float(corrupted[step + 1] - corrupted[step]),
    )


def _jump(result: LogitLens, jump: Jump) -> Markup:
    told = say(
        "On the clean prompt the difference rises most at {}: from {} to {} logits in one step.",
        jump.component,
        signed(jump.before),
        signed(jump.after),
    )
    if jump.before < 0 < jump.after:
        told += say(" Before it the lens reads {}, after it {}.", *_words(result))
    if jump.particular:
        return told + say(
            " On the corrupted prompt the same step changes it by only {}, so what happens there "
            "belongs to the word that was exchanged.",
            signed(jump.corrupted),
        )
    return told + say(
        " But on the corrupted prompt the same step changes it by {} as well, so the jump is no "
        "answer to the word that was exchanged.",
        signed(jump.corrupted),
    )


def _words(result: LogitLens) -> tuple[Markup, Markup]:
    return token(result.foil), token(result.target)


def _beginning(result: LogitLens) -> Markup:
    clean, corrupted = (float(curve[0]) for curve in result.logit_diff[:2])
    if abs(clean - corrupted) > SAME:
        return say(
            "Even the first readings differ ({} and {}), since the prompts end in different "
            "tokens.",
            signed(clean),
            signed(corrupted),
        )
    return say(
        "One warning: the curves start at {} for both prompts alike, before a single layer has "
        "run. That is the last token’s own embedding seen through a lens made for the last layer; "
        "it means nothing. Early heights are not opinions. Compare the curves instead.",
        signed(clean),
    )


def _end(result: LogitLens) -> Markup:
    worst = float(np.abs(result.logit_diff[:, -1] - result.model_logit_diff).max())
    clean = signed(float(result.model_logit_diff[0]))
    if worst <= SAME:
        return say("The last reading is the model’s own answer, {}, as it must be.", clean)
    return say(
        "The last reading should be the model’s own answer, {}, but it is off by {}: do not trust "
        "this curve.",
        clean,
        number(worst, 3),
    )


def caption(result: LogitLens, jump: Jump) -> Markup:
    """What the largest step of the lens adds, in one sentence."""
    return say(
        "Reading the residual stream half a layer at a time, {} adds {} logits for {} over {} on "
        "the clean prompt and {} on the corrupted one.",
        jump.component,
        signed(jump.rise),
        token(result.target),
        token(result.foil),
        signed(jump.corrupted),
    )


def _wrong(jump: Jump) -> Markup:
    told = say(
        "A lens shows what is written, not what mattered: a layer can write an answer that others "
        "had already settled, or prepare one without writing it. The control in the figure is the "
        "corrupted prompt’s curve, which at {} moves by {} against {}.",
        jump.component,
        signed(jump.corrupted),
        signed(jump.rise),
    )
    return told + say(" Whether that layer also <em>causes</em> the answer is the next question.")
