"""Experiment 5: what is lost when a neuron's activation is taken away?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis import corpus
from analysis.engines.ablations import MEASURES, PromptAblations, WindowAblations
from analysis.engines.controls import matched_neurons
from analysis.engines.evaluation_positions import evaluation_positions
from analysis.engines.patcher import Positions
from analysis.engines.replacement import METHODS
from analysis.engines.tail import Tail
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.numbers.estimates import Estimate, mean_of_groups
from analysis.progress import Progress, part_of, silent
from analysis.prompts import Contrast, Prompt, PromptSet
from analysis.result import Result
from analysis.subject import Subject


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        draws: resample draws a prompt for the neuron.
        matched: neurons to compare with.
        matched_draws: resample draws a prompt for each of them.
        windows: corpus windows of either kind.
        matched_windows: of either kind, those in which the matched neurons are ablated too.
    """

    draws: int = 32
    matched: int = 50
    matched_draws: int = 2
    windows: int = 80
    matched_windows: int = 16


ARTICLES_A_WINDOW = 5
"""Articles drawn for each window of a kind: not every one holds the target."""


@dataclass(frozen=True)
class Ablation(Result):
    """A neuron's activation replaced by several methods, in prompts and in a corpus.

    In prompts it is replaced at the last position, or at all; in the corpus at all positions of
    every window. Prompts: the first is the one asked about; of the others those that were not
    asked about make up the set, over which estimates are taken, and all of them, together, choose
    the matched neurons. Measures are
    the logit difference (target minus foil), p(target), and the KL divergence from the untouched
    model's next-token distribution, in nats. Methods are ``METHODS``, in that order.

    Attributes:
        neuron: its name.
        target: the token asked for.
        foil: the token it competes with.
        positions: ``last`` or ``all``: where prompts are changed.
        prompts: the texts.
        calls_for_target: which prompts call for the target; the others call for the foil.
        in_question: which prompts belong to the question, whose neuron they may have chosen.
        activation: the neuron's at the last position of each prompt.
        mean_activation: over the corpus windows, first positions left out.
        mean_first: the mean at first positions.
        baseline: the measures of the untouched model (its KL is 0).
        ablated: the measures after ablation; ``resample`` is the mean over draws.
        resampled: the measures after each draw.
        drawn: activation that each draw put at the last position.
        matched: neurons of the same layer with the nearest activation norm, nearest first.
        matched_activation: theirs at the last position of each prompt.
        matched_ablated: the measures after ablating each of them, ``resample`` over fewer draws.
        matched_draws: how many.
        window_tokens: tokens per corpus window.
        position_document: number of the document of each evaluation position in the corpus.
        position_target: whether the text's own next token there is the target.
        position_activation: the neuron's own activation there.
        position_loss: -log p(next token) of the untouched model, in nats.
        position_change: change of that loss by each method, in nats.
        position_kl: KL divergence by each method, in nats.
        position_compared: whether the matched neurons were ablated there too, all by the mean.
        matched_change: their change of loss there, in nats.
        matched_kl: their KL divergence there, in nats.
    """

    neuron: str
    target: str
    foil: str
    positions: str
    prompts: tuple[str, ...]
    calls_for_target: Bool[np.ndarray, " prompt"]
    in_question: Bool[np.ndarray, " prompt"]
    activation: Float[np.ndarray, " prompt"]
    mean_activation: float
    mean_first: float
    baseline: Float[np.ndarray, "prompt measure"]
    ablated: Float[np.ndarray, "prompt method measure"]
    resampled: Float[np.ndarray, "prompt draw measure"]
    drawn: Float[np.ndarray, "prompt draw"]
    matched: tuple[str, ...]
    matched_activation: Float[np.ndarray, "matched prompt"]
    matched_ablated: Float[np.ndarray, "matched prompt method measure"]
    matched_draws: int
    window_tokens: int
    position_document: Int[np.ndarray, " position"]
    position_target: Bool[np.ndarray, " position"]
    position_activation: Float[np.ndarray, " position"]
    position_loss: Float[np.ndarray, " position"]
    position_change: Float[np.ndarray, "method position"]
    position_kl: Float[np.ndarray, "method position"]
    position_compared: Bool[np.ndarray, " position"]
    matched_change: Float[np.ndarray, "matched compared"]
    matched_kl: Float[np.ndarray, "matched compared"]


def ablation(
    subject: Subject,
    neuron: Neuron,
    contrast: Contrast,
    prompt: Prompt,
    others: PromptSet,
    articles: Sequence[tuple[int, str]],
    seed: int = 0,
    positions: Positions = "last",
    sizes: Sizes | None = None,
    progress: Progress = silent,
) -> Ablation:
    """Ablate one neuron, and neurons like it, by zero, mean, resampling and negation.

    Args:
        subject: the model.
        neuron: which neuron.
        contrast: target and foil.
        prompt: the prompt that is ablated first.
        others: a set of prompts for estimates with intervals.
        articles: numbered texts in random order, from which windows are taken.
        seed: of all random draws.
        positions: where prompts are changed.
        sizes: how much is measured.
        progress: told the finished fraction.

    Raises:
        UserError: too few texts are long enough.
    """
    sizes = sizes or Sizes()
    places = evaluation_positions(subject, articles, contrast.target_id, sizes.windows, seed)
    matched = matched_neurons(subject, neuron, others.prompts, sizes.matched)
    everyone = [neuron.number, *(other.number for other in matched)]
    tail = Tail(subject, prompt.tokens, len(prompt.tokens) - 1)
    windows = WindowAblations(tail, neuron.layer, everyone, places, seed)
    progress(0.15)
    draws = (sizes.draws, sizes.matched_draws)
    in_prompts = PromptAblations(tail, neuron.layer, everyone, windows.pool, draws, seed)
    rows = in_prompts.all(
        [prompt, *others.prompts], contrast, positions, part_of(progress, 0.15, 0.5)
    )
    return Ablation(
        neuron=str(neuron),
        target=contrast.target,
        foil=contrast.foil,
        positions=positions,
        prompts=tuple(each.text for each in (prompt, *others.prompts)),
        calls_for_target=np.array([True, *others.calls_for_target]),
        in_question=np.array([True, *others.in_question]),
        mean_activation=float(windows.pool.rest[..., 0].mean()),
        mean_first=float(windows.pool.first[..., 0].mean()),
        matched=tuple(map(str, matched)),
        matched_draws=sizes.matched_draws,
        **rows,
        **windows.measured(sizes.matched_windows, part_of(progress, 0.5, 1.0)),
    )


def over_prompts(
    result: Ablation, values: Float[np.ndarray, " prompt"], calls_for_target: bool
) -> Estimate:
    """Mean of a value over the set's prompts of one kind; the prompts are resampled."""
    mine = values[in_set(result, calls_for_target)].astype(float)
    return mean_of_groups(mine, np.arange(len(mine)))


def in_set(result: Ablation, calls_for_target: bool) -> Bool[np.ndarray, " prompt"]:
    """Marks the prompts that call for target or foil, those asked about aside."""
    return (result.calls_for_target == calls_for_target) & ~result.in_question


def over_positions(
    result: Ablation, values: Float[np.ndarray, " position"], target: bool
) -> Estimate:
    """Mean of a value over corpus places of one kind; documents are resampled, not tokens."""
    mine = result.position_target == target
    return mean_of_groups(values[mine].astype(float), result.position_document[mine])


def tables(result: Ablation) -> dict[str, Any]:
    """The result in rows, one for each method and kind of text."""
    return {
        "neuron": result.neuron,
        "prompt": result.prompts[0],
        "target": result.target,
        "foil": result.foil,
        "positions": result.positions,
        "activation": float(result.activation[0]),
        "mean_activation": result.mean_activation,
        "matched": len(result.matched),
        "asked": [_row_of_prompt(result, method) for method in range(-1, len(METHODS))],
        "set": [
            _set_row(result, method, kind)
            for kind in (True, False)
            for method in range(len(METHODS))
            if in_set(result, kind).any()
        ],
        "corpus": [
            _corpus_row(result, method, kind)
            for kind in (True, False)
            for method in range(len(METHODS))
            if (result.position_target == kind).any()
        ],
    }


def _row_of_prompt(result: Ablation, method: int) -> dict[str, Any]:
    """The prompt asked about, untouched (-1) or ablated, with the spread of draws."""
    values = result.baseline[0] if method < 0 else result.ablated[0, method]
    row: dict[str, Any] = {"method": ("untouched", *METHODS)[method + 1]}
    row |= dict(zip(MEASURES, map(float, values), strict=True))
    draws = result.resampled[0, :, 0] if row["method"] == "resample" else values[:1]
    low, high = np.quantile(draws, [0.025, 0.975])
    return row | {"draws_sd": float(draws.std()), "draws_95": [float(low), float(high)]}


def _set_row(result: Ablation, method: int, kind: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "calls_for": result.target if kind else result.foil,
        "prompts": int(in_set(result, kind).sum()),
        "method": METHODS[method],
    }
    for index, measure in enumerate(MEASURES):
        row[measure], *interval = over_prompts(result, result.ablated[:, method, index], kind)
        row[f"{measure}_interval"] = interval
    change = over_prompts(result, result.ablated[:, method, 0] - result.baseline[:, 0], kind)
    row |= {"logit_diff_change": change.mean, "logit_diff_change_interval": list(change[1:])}
    return row | {"matched_as_large": matched_as_large(result, method, kind)}


def matched_changes(
    result: Ablation, method: int, kind: bool, measure: int = 0
) -> Float[np.ndarray, " matched"]:
    """Mean change of a measure by ablating each matched neuron, over the prompts of a kind."""
    mine = in_set(result, kind)
    changes = result.matched_ablated[:, mine, method, measure] - result.baseline[mine, measure]
    return changes.mean(1)


def matched_as_large(result: Ablation, method: int, kind: bool) -> int:
    """How many matched neurons change the logit difference as much, in either direction."""
    own = over_prompts(result, result.ablated[:, method, 0] - result.baseline[:, 0], kind).mean
    return int((np.abs(matched_changes(result, method, kind)) >= abs(own)).sum())


def _corpus_row(result: Ablation, method: int, kind: bool) -> dict[str, Any]:
    mine = result.position_target == kind
    row: dict[str, Any] = {
        "next_is_target": kind,
        "tokens": int(mine.sum()),
        "documents": len(np.unique(result.position_document[mine])),
        "method": METHODS[method],
        "loss": float(result.position_loss[mine].mean()),
    }
    for name, values in (("loss_change", result.position_change), ("kl", result.position_kl)):
        row[name], *interval = over_positions(result, values[method], kind)
        row[f"{name}_interval"] = interval
    return row


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Ablation:
    """The neuron taken away in the clean prompt, in the question's word prompts, and on news."""
    question, seed = inputs.question, inputs["seed"]
    sizes = Sizes(draws=inputs["draws"], matched=inputs["matched"], windows=inputs["windows"])
    return ablation(
        subject,
        inputs.neuron,
        question.contrast(subject),
        question.prompt(subject),
        question.word_prompts(subject),
        corpus.sample(ARTICLES_A_WINDOW * sizes.windows, seed),
        seed,
        inputs["positions"],
        sizes,
        progress,
    )


def summary(result: Ablation) -> dict[str, Any]:
    """The result in plain values, by method."""
    answer = tables(result)
    untouched, *rows = answer.pop("asked")
    methods = {row["method"]: {k: row[k] for k in MEASURES} for row in rows}
    (resample,) = (row for row in rows if row["method"] == "resample")
    methods["resample"] |= {
        "draws": result.resampled.shape[1],
        "sd": resample["draws_sd"],
        "interval": resample["draws_95"],
    }
    baseline = {name: untouched[name] for name in MEASURES}
    matched = {"neurons": result.matched, "resample_draws": result.matched_draws}
    return {**answer, "matched": matched, "baseline": baseline, "methods": methods}
