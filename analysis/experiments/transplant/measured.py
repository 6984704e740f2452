"""What is measured for a transplant: the fit, the grafts with their controls, answers and costs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from analysis.contrast import Contrast
from analysis.engines.copying import fitted, mapped, matched_to, used
from analysis.engines.grafting import Graft, behind, native
from analysis.engines.ridge import Fit, fit
from analysis.engines.transfer import VALUES, Lesson, Transfer, collect
from analysis.engines.trial import Trial, costs
from analysis.errors import UserError
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.transplant.checkpoint import Checkpoint, Pair
from analysis.experiments.transplant.texts import NATURAL, WORDS, Text, Texts
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of
from analysis.questions import Question
from analysis.subject import Subject

FOLDS = 3
"""Parts of the texts to learn from; each is held out once when the fit is judged."""

SCREEN = 64
"""How many neurons are measured to find the recipient's own best one."""

MATCHED_CONTEXTS = 24
"""Natural contexts on which, beside all sentences, a graft's strength is fitted."""

GRAFT, MAPPED, RANDOM, SHUFFLED, CONSTANT, OWN, OUTCOME = VARIANTS = (
    "graft",
    "graft, mapped write",
    "random donor neuron",
    "shuffled activations",
    "constant bias",
    "own neuron amplified",
    "edit fitted to the outcome",
)
"""What the recipient is given: the neuron, writing along the recipient's own unembedding or along
the donor's direction; and the controls."""


OUTCOMES = {True: 1.0, False: -1.0, None: None}


def another(donor: Subject, neuron: Neuron, seed: int) -> Neuron:
    """Another neuron of the same layer, drawn at random."""
    drawn = int(np.random.default_rng(seed).integers(0, donor.d_mlp - 1))
    return Neuron(neuron.layer, drawn + (drawn >= neuron.number))


def learnt(
    pair: Pair, texts: Sequence[Text], seed: int, checkpoint: Checkpoint, progress: Progress
) -> list[Transfer]:
    """Sums over the texts, by fold; texts with the same word or article are in one fold."""
    units = {unit: i % FOLDS for i, unit in enumerate(dict.fromkeys(t.unit for t in texts))}
    found = []
    for fold in range(FOLDS):
        some = [Lesson(t.text, OUTCOMES[t.target]) for t in texts if units[t.unit] == fold]
        part = part_of(progress, fold / FOLDS, (fold + 1) / FOLDS)
        sums = checkpoint.load(fold)
        if sums is None:
            models = pair.donor, pair.neuron, pair.other, pair.recipient
            sums = collect(*models, some, seed + fold, part)
            checkpoint.save(fold, sums)
        found.append(sums)
    return found


def best_layer(pair: Pair, fits: Sequence[Fit]) -> int:
    """Where the readings that the graft is made of are told best, on texts that were held out."""
    columns = [VALUES.index(name) for name in used(pair.donor, pair.recipient)]
    return int(np.argmax([float(fit.explained[columns].mean()) for fit in fits]))


def grafts(
    pair: Pair,
    folds: Sequence[Transfer],
    found: Fit,
    layer: int,
    contrast: Contrast,
    own_best: Neuron | None,
) -> dict[str, Graft]:
    """All that goes into the recipient, with writes of any length: but its own neuron, there."""
    recipient, device = pair.recipient, pair.recipient.device
    along = recipient.direction(contrast.target_id, contrast.foil_id)
    write = mapped([f.stream for f in folds], pair.donor.write(pair.neuron), layer, len(along))
    own, donors = (behind(recipient, layer, each.to(device)) for each in (along, write))
    reads = {
        name: fitted(pair.donor, recipient, found, which).to(device)
        for name, which in (
            (GRAFT, ""),
            (RANDOM, " of another neuron"),
            (SHUFFLED, " dealt out anew"),
        )
    }
    known = fit([fold.known[layer] for fold in folds])
    outcome = known.weights[[VALUES.index("outcome")]].float().to(device)
    made = {name: Graft(layer, each, own) for name, each in reads.items()}
    made[MAPPED] = Graft(layer, reads[GRAFT], donors)
    made[CONSTANT] = Graft(layer, outcome, own, "constant")
    made[OUTCOME] = Graft(layer, outcome, own, "linear")
    if own_best is not None:
        made[OWN] = native(recipient, own_best)
    return made


def own_neuron(recipient: Subject, question: Question) -> Neuron | None:
    """The recipient's best neuron for the question; None where its pair is none for it."""
    with suppress(UserError):
        return neuron_sweep(recipient, question.pair(recipient), screen=SCREEN).best
    return None


@dataclass(frozen=True)
class Effects:
    """What the neuron does in the donor, at the end of each text.

    Attributes:
        activation: its activation.
        with_it: the donor's logit difference.
        without: the same with the neuron cut out.
    """

    activation: Float[np.ndarray, " text"]
    with_it: Float[np.ndarray, " text"]
    without: Float[np.ndarray, " text"]


def in_donor(pair: Pair, texts: Sequence[Text], contrast: Contrast) -> Effects:
    """Run the donor with its neuron and without."""
    trial = trial_of(pair.donor, pair.neuron.layer, texts)
    own = native(pair.donor, pair.neuron)
    with_it, without = (trial.differences(contrast, g) for g in (None, own.scaled(-1)))
    return Effects(trial.activations(own), with_it, without)


def trial_of(subject: Subject, layer: int, texts: Sequence[Text]) -> Trial:
    """The model on these texts."""
    return Trial(subject, layer, [subject.tokens(text.text) for text in texts])


def to_match(texts: Sequence[Text]) -> list[Text]:
    """On which the strength is fitted: known words in the pair's sentence, and some contexts."""
    natural = [text for text in texts if text.ground == NATURAL]
    return [t for t in texts if t.ground == WORDS] + natural[:MATCHED_CONTEXTS]


def matched(
    pair: Pair,
    made: Mapping[str, Graft],
    texts: Sequence[Text],
    contrasts: tuple[Contrast, Contrast],
    progress: Progress,
) -> dict[str, Graft]:
    """All of them as strong as the neuron is in the donor, as nearly as they can be; in order."""
    texts = to_match(texts)
    done = in_donor(pair, texts, contrasts[0])
    trials: dict[int, Trial] = {}
    strong = {}
    for count, (name, graft) in enumerate(made.items(), start=1):
        if graft.layer not in trials:
            trials[graft.layer] = trial_of(pair.recipient, graft.layer, texts)
        trial = trials[graft.layer]
        strong[name] = matched_to(trial, graft, contrasts[1], done.with_it - done.without)
        progress(count / len(made))
    return {name: strong[name] for name in VARIANTS if name in strong}


@dataclass(frozen=True)
class Answers:
    """The recipient's answers at the ends of texts, and what they cost on ordinary text.

    Attributes:
        before: logit differences without any graft.
        after: with each of them.
        activation: of the graft itself.
        change: of the loss of ordinary text, token by token.
        divergence: KL there.
        following: the token that follows at each of those places.
        text: which of the texts each of them is in.
    """

    before: Float[np.ndarray, " text"]
    after: dict[str, Float[np.ndarray, " text"]]
    activation: Float[np.ndarray, " text"]
    change: Float[np.ndarray, "variant place"]
    divergence: Float[np.ndarray, "variant place"]
    following: Int[np.ndarray, " place"]
    text: Int[np.ndarray, " place"]


def answered(
    recipient: Subject,
    strong: Mapping[str, Graft],
    texts: Texts,
    contrast: Contrast,
    progress: Progress,
) -> Answers:
    """Try all of them on texts that took no part in making them."""
    layers = sorted({graft.layer for graft in strong.values()})
    judged = {layer: trial_of(recipient, layer, texts.judged) for layer in layers}
    progress(0.3)
    ordinary = {layer: trial_of(recipient, layer, texts.ordinary) for layer in layers}
    after = {}
    for count, (name, graft) in enumerate(strong.items(), start=1):
        after[name] = judged[graft.layer].differences(contrast, graft)
        progress(0.3 + 0.4 * count / len(strong))
    first = ordinary[strong[GRAFT].layer]
    others = [(ordinary[graft.layer], graft) for graft in strong.values()]
    change, divergence = costs((first, None), others)
    progress(1.0)
    trial = judged[strong[GRAFT].layer]
    return Answers(
        before=trial.differences(contrast),
        after=after,
        activation=trial.activations(strong[GRAFT]),
        change=change,
        divergence=divergence,
        following=first.next_tokens.cpu().numpy(),
        text=first.text_of,
    )
