"""Experiment 5: what is lost when a neuron's activation is taken away?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import corpus
from analysis.contrast import Contrast
from analysis.engines.ablations import IN_TEMPLATE, MEASURES, PromptAblations, WindowAblations
from analysis.engines.controls import matched_neurons
from analysis.engines.evaluation_positions import evaluation_positions
from analysis.engines.patcher import Positions
from analysis.engines.replacement import METHODS
from analysis.experiments.ablation.measured import (
    UNTOUCHED,
    Ablation,
    activation_norms,
    by_activation,
    changes,
    in_set,
    matched_as_large,
    matched_preferred,
    over_positions,
    over_prompts,
    possible,
    preferred,
    separation,
    separation_change,
)
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.numbers.statistics import share_interval
from analysis.progress import Progress, part_of, silent
from analysis.prompts import Prompt, PromptSet
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

    Where the set has other prompts that call for the foil, it is resampled from their ends too.

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
    places = evaluation_positions(
        subject, articles, contrast.targets, sizes.windows, seed, rest=contrast.target_rest
    )
    matched = matched_neurons(subject, neuron, others.prompts, sizes.matched)
    everyone = [neuron.number, *(other.number for other in matched)]
    windows = WindowAblations(subject, neuron.layer, everyone, places, seed)
    progress(0.15)
    draws = (sizes.draws, sizes.matched_draws)
    in_prompts = PromptAblations(subject, neuron.layer, everyone, windows.pool, draws, seed)
    rows = in_prompts.all(
        [prompt, *others.prompts],
        contrast,
        positions,
        _donors(others) if positions == "last" else [],
        part_of(progress, 0.15, 0.5),
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


def _donors(others: PromptSet) -> list[int]:
    """Prompts that call for the foil, the question's own aside, counted behind the one asked."""
    kinds = zip(others.calls_for_target, others.in_question, strict=True)
    return [i for i, (target, own) in enumerate(kinds, 1) if not (target or own)]


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
        "on_prompt": [_row_of_prompt(result, i) for i in range(UNTOUCHED, len(result.methods))],
        "set": [
            _set_row(result, method, kind)
            for kind in (True, False)
            for method in range(len(result.methods))
            if in_set(result, kind).any()
        ],
        "separation": _separations(result),
        "corpus": [
            _corpus_row(result, method, kind)
            for kind in (True, False)
            for method in range(len(METHODS))
            if (result.position_target == kind).any()
        ],
    }


def _row_of_prompt(result: Ablation, method: int) -> dict[str, Any]:
    """The prompt asked about, untouched (-1) or ablated, with the spread of draws."""
    values = result.baseline[0] if method == UNTOUCHED else result.ablated[0, method]
    row: dict[str, Any] = {"method": ("untouched", *result.methods)[method + 1]}
    row |= dict(zip(MEASURES, map(float, values), strict=True))
    draws = _draws(result).get(row["method"], values[:1])
    low, high = np.quantile(draws, [0.025, 0.975])
    return row | {"draws_sd": float(draws.std()), "draws_95": [float(low), float(high)]}


def _draws(result: Ablation) -> dict[str, np.ndarray]:
    """The prompt's logit differences after each draw, by the methods that draw."""
    drawn = {"resample": result.resampled, IN_TEMPLATE: result.template_resampled}
    return {name: values[0, :, 0] for name, values in drawn.items() if name in result.methods}


def _set_row(result: Ablation, method: int, kind: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "calls_for": result.target if kind else result.foil,
        "prompts": int(in_set(result, kind).sum()),
        "method": result.methods[method],
    }
    for index, measure in enumerate(MEASURES):
        found = over_prompts(result, result.ablated[:, method, index], kind)
        row[measure], *interval = possible(measure, found)
        row[f"{measure}_interval"] = interval
    change = over_prompts(result, changes(result, method), kind)
    row |= {"logit_diff_change": change.mean, "logit_diff_change_interval": list(change[1:])}
    for name, estimate in by_activation(result, method, kind)._asdict().items():
        row |= {f"change_{name}": estimate.mean, f"change_{name}_interval": list(estimate[1:])}
    theirs, count = matched_preferred(result, method, kind), preferred(result, method, kind)
    return row | {
        "target_preferred": count,
        "target_preferred_interval": share_interval(count, row["prompts"]),
        "target_preferred_untouched": preferred(result, UNTOUCHED, kind),
        "target_preferred_matched": float(theirs.mean()) if len(theirs) else np.nan,
        "matched_as_large": matched_as_large(result, method, kind),
    }


def _separations(result: Ablation) -> list[dict[str, Any]]:
    """How the answer tells the kinds of prompts apart, untouched and by method."""
    rows: list[dict[str, Any]] = []
    for method in range(UNTOUCHED, len(result.methods)):
        row: dict[str, Any] = {"method": ("untouched", *result.methods)[method + 1]}
        found = {"": separation(result, method), "_change": separation_change(result, method)}
        for suffix, each in found.items():
            for name, estimate in each._asdict().items() if each else ():
                row |= {name + suffix: estimate.mean, f"{name + suffix}_interval": estimate[1:]}
        rows += [row] if len(row) > 1 else []
    return rows


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
        row[name], *interval = possible(name, over_positions(result, values[method], kind))
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
    untouched, *rows = answer.pop("on_prompt")
    methods = {row["method"]: {k: row[k] for k in MEASURES} for row in rows}
    for name, draws in _draws(result).items():
        (row,) = (row for row in rows if row["method"] == name)
        spread = {"draws": len(draws), "sd": row["draws_sd"], "interval": row["draws_95"]}
        methods[name] |= spread
    baseline = {name: untouched[name] for name in MEASURES}
    norm, *norms = activation_norms(result).tolist()
    matched = {
        "neurons": result.matched,
        "resample_draws": result.matched_draws,
        "norm": norm,
        "norms": norms,
    }
    return {**answer, "matched": matched, "baseline": baseline, "methods": methods}
