"""Whether the neuron tells other words apart, in the original's sentence and in others."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from analysis.claims.loudness import sign
from analysis.claims.wording import count, number, plural, say, span, token, tokens
from analysis.evidence import Evidence
from analysis.experiments.generality import Generality, parting
from analysis.numbers.separation import RESAMPLES

SURE = 0.05
"""A neuron parts two groups when shuffled labels do so at most this often."""


@dataclass(frozen=True)
class GeneralityClaims:
    """Claims about other words and other sentences."""

    heading: str
    words: Markup
    unseen: Markup
    model: Markup
    caption: Markup
    sentences: Markup
    together: Markup
    answers: Markup
    strength: Markup
    wrong: Markup


def generality(evidence: Evidence) -> GeneralityClaims:
    """Read the claims off the activations, with the sign the neuron has on the clean prompt."""
    result, way = evidence.generality, sign(evidence.activations)
    return GeneralityClaims(
        heading=_heading(result, way),
        words=_words(result, way),
        unseen=_unseen(evidence),
        model=_model(result),
        caption=_caption(result, way),
        sentences=_sentences(result, way),
        together=_together(result, way),
        answers=_answers(result, way),
        strength=_strength(result, way),
        wrong=_wrong(result, way),
    )


def turned(areas: Float[np.ndarray, "*any"], way: int) -> Float[np.ndarray, "*any"]:
    """AUC with the sign that the neuron has on the clean prompt."""
    return areas if way > 0 else 1 - areas


def parts(result: Generality, way: int) -> np.ndarray:
    """Marks the sentences in which the activation parts the groups, the right way round."""
    return (turned(result.auc, way) > 0.5) & (result.chance <= SURE)


def model_parts(result: Generality) -> np.ndarray:
    """Marks the sentences in which the model's own answer hangs on the word."""
    return result.diff_auc_interval[:, 0] > 0.5


def _heading(result: Generality, way: int) -> str:
    first, *others = parts(result, way).tolist()
    if not first:
        return "It does not tell other words apart"
    if not others:
        return "It tells other words apart"
    if all(others):
        return "It tells other words apart, in other sentences too"
    where = "but not in every sentence" if any(others) else "but in no other sentence"
    return f"It tells other words apart, {where}"


def _words(result: Generality, way: int) -> Markup:
    """The two groups in the original's sentence."""
    verdict = "parts" if parts(result, way)[0] else "does not part"
    told = say(
        "In the original’s sentence {} {} the two kinds of words: its activation there is {} in "
        "the mean after {} words that take {} ({}), and {} after {} that take {} ({}).",
        result.neuron,
        verdict,
        number(float(result.means[0, 0])),
        count(len(result.target_words)),
        token(result.target),
        span(*result.mean_intervals[0, 0].tolist()),
        number(float(result.means[0, 1])),
        count(len(result.foil_words)),
        token(result.foil),
        span(*result.mean_intervals[0, 1].tolist()),
    )
    return told + say(
        " Take a word of either kind, and the activation is the {} after the one that takes {} "
        "with a chance of {} (the AUC; {}).",
        "larger" if way > 0 else "lower",
        token(result.target),
        number(float(turned(result.auc, way)[0])),
        _area_span(result.auc_interval[0], way),
    )


def _area_span(bounds: np.ndarray, way: int = 1) -> str:
    return span(*sorted(turned(bounds, way).tolist()))


def _unseen(evidence: Evidence) -> Markup:
    """Whether the words took part in choosing the neuron."""
    result, sweep = evidence.generality, evidence.neuron_sweep
    chose = f"{sweep.clean} {sweep.corrupted}"
    words = (*result.target_words, *result.foil_words)
    seen = [word for word in words if word in chose.split()]
    if not seen:
        return say("None of these words stands in the prompts that chose the neuron.")
    return say("Of these words {} took part in choosing the neuron.", tokens(seen))


def _model(result: Generality) -> Markup:
    """What the model itself makes of the words in the original's sentence."""
    size = len(result.target_words)
    right = int((result.logit_diff[0, :size] > 0).sum())
    told = say(
        "The model’s own logit difference orders the same words with an AUC of {} ({}).",
        number(float(result.diff_auc[0])),
        _area_span(result.diff_auc_interval[0]),
    )
    if 2 * right > size:
        why = " After {} of the {} words that take {} it puts that token above {}."
    else:
        why = (
            " Order is not decision, though: after only {} of the {} words that take {} does it "
            "put that token above {}."
        )
    return told + say(why, count(right), count(size), token(result.target), token(result.foil))


def _held_out(result: Generality, way: int) -> tuple[np.ndarray, np.ndarray]:
    """Marks for the held-out sentences: the neuron parts the words, the model does."""
    return parts(result, way)[1:], model_parts(result)[1:]


def _caption(result: Generality, way: int) -> Markup:
    areas = turned(result.auc, way)
    told = say(
        "Activation of {} after {} words: AUC {} in the original’s sentence",
        result.neuron,
        count(result.activation.shape[1]),
        number(float(areas[0])),
    )
    if len(areas) == 1:
        return told + say(".")
    return told + say(
        ", and from {} to {} in {}.",
        number(float(areas[1:].min())),
        number(float(areas[1:].max())),
        plural(len(areas) - 1, "held-out one", "held-out ones"),
    )


def _sentences(result: Generality, way: int) -> Markup:
    """In how many held-out sentences the neuron parts the words."""
    ours, _ = _held_out(result, way)
    if not len(ours):
        return say("No other sentence was tried, so nothing is known of any.")
    areas = turned(result.auc[1:], way)
    wrong = (areas < 0.5) & (result.chance[1:] <= SURE)
    told = say(
        "In {} of the {} it parts the words too (shuffled labels part them as far in at most "
        "one draw in {}).",
        count(int(ours.sum())),
        plural(len(ours), "held-out sentence", "held-out sentences"),
        count(round(1 / SURE)),
    )
    if not ours.any():
        told = say("It parts the words in none of the held-out sentences.")
    if wrong.any():
        gap = float(np.abs(result.means[1:, 0] - result.means[1:, 1])[wrong].max())
        more = " In {} it parts them the wrong way round, the means at most {} apart."
        told += say(more, count(int(wrong.sum())), number(gap))
    return told


def _together(result: Generality, way: int) -> Markup:
    """The mean AUC over the held-out sentences, beside the model's and that of chance."""
    if not np.isfinite(result.held_out_auc).all():
        return say("")
    ours, model = result.held_out_auc.tolist()
    low, high = sorted(turned(result.held_out_shuffled, way).tolist())
    told = say(
        "Over all of them together, good and bad, its AUC is {} in the mean ({}), ",
        number(ours if way > 0 else 1 - ours),
        _area_span(result.held_out_interval[0], way),
    )
    told += say(
        "against {} for the model’s own answer ({}) and {} to {} for shuffled labels.",
        number(model),
        _area_span(result.held_out_interval[1]),
        number(low),
        number(high),
    )
    return told


def _answers(result: Generality, way: int) -> Markup:
    """Whether the neuron works just where the model's own answer hangs on the word."""
    ours, model = _held_out(result, way)
    if not len(ours):
        return say("")
    told = say(
        "The model’s own answer hangs on the word in {} of these {}, as far as {} words can tell.",
        count(int(model.sum())),
        plural(len(ours), "sentence", "sentences"),
        count(result.activation.shape[1]),
    )
    if not model.any():
        return told + say(" So they put no question that the neuron could answer.")
    there, elsewhere = int((ours & model).sum()), int((ours & ~model).sum())
    if there < model.sum():
        more = " In {} of those it does without this neuron."
        return told + say(more, count(int(model.sum()) - there))
    if elsewhere:
        return told + say(" The neuron parts the words there, and in {} more.", count(elsewhere))
    if model.all():
        return told + say(" The neuron parts the words in every one.")
    return told + say(
        " These are the very sentences in which the neuron parts the words the right way round: it "
        "tells them apart where the model does, and nowhere else."
    )


def _strength(result: Generality, way: int) -> Markup:
    """Whether the difference of activation in the held-out sentences is as large."""
    gaps = way * (result.means[:, 0] - result.means[:, 1])
    if len(gaps) < 2:
        return say("")
    first, best = float(gaps[0]), float(gaps[1:].max())
    told = say(
        "The AUC counts order alone. In size, the difference between the means of the two groups "
        "is {} in the original’s sentence and at most {} in the others",
        number(first),
        number(best),
    )
    if best < first / 2:
        return told + say(": what carries over is weaker by half or more.")
    return told + say(".")


def _wrong(result: Generality, way: int) -> Markup:
    """What chance and other neurons reach."""
    low, high = sorted(turned(result.shuffled_interval[0], way).tolist())
    told = say(
        "Few words can be parted by luck. With the labels shuffled {} times, {} % of the AUCs in "
        "the original’s sentence lie between {} and {}. ",
        count(RESAMPLES),
        95,
        number(low),
        number(high),
    )
    doubt = say(
        " The intervals treat the words as drawn from all tree words and the sentences as given, "
        "and one that ends at {} only says that no pair of words is out of order here. All words "
        "are trees; other nouns were not tried.",
        count(1),
    )
    return told + _others(result) + doubt


def _others(result: Generality) -> Markup:
    """How many of the matched neurons part the words as well, in either direction."""
    if not result.matched:
        return say("The layer has no other neuron to compare with.")
    areas = parting(result.matched_auc[0])
    as_well = int((areas >= parting(result.auc)[0]).sum())
    return say(
        "Of {} of the same layer, about as active there, {} the words as well, in "
        "whichever direction (the best has {}).",
        plural(len(areas), "other neuron", "other neurons"),
        "none parts" if not as_well else plural(as_well, "parts", "part"),
        number(float(areas.max())),
    )
