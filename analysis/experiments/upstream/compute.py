"""Experiment 10: where does a neuron's pre-activation come from?"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from analysis.engines.activation import check_activation
from analysis.engines.controls import matched_neurons
from analysis.engines.decomposition import (
    Decomposition,
    Readers,
    neuron_readers,
    preactivations,
    projections,
)
from analysis.engines.mediation import mediate
from analysis.engines.second_order import (
    STEP_NEURONS,
    Step,
    activation_shares,
    contributions_of_neurons,
    split_by_source,
    step_to_neuron,
    step_to_source,
    strongest_heads,
    strongest_neurons,
)
from analysis.experiments.upstream.measured import Upstream
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import Prompt, PromptPair
from analysis.subject import Subject

MATCHED = 50
"""Neurons of the same layer, the nearest in activation, that the neuron is compared with."""

HEADS, EARLIER = 4, 8
"""How many heads are split by source, and single earlier neurons told apart from their MLP."""


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Upstream:
    """What drives the neuron in the question's pair, and in its held-out pairs."""
    question = inputs.question
    held_out = question.held_out_pairs(subject, inputs["held_out"])
    return upstream(subject, inputs.neuron, question.pair(subject), held_out, progress)


def summary(result: Upstream) -> dict[str, Any]:
    """The result in plain values: parts of the clean prompt, largest first."""
    lists = [_projection(result, index) for index in range(len(result.projections))]
    return {
        "neuron": result.neuron,
        **lists[0],
        **({"up": lists[1]} if len(lists) > 1 else {}),
        "activation_difference": float(result.shares.sum()),
        "lead": result.lead,
        "heads_by_source": [
            {"head": head, "sources": _sources(result, index)}
            for index, head in enumerate(result.heads)
        ],
        "steps_back": [_step(result, index) for index in range(len(result.steps))],
        "activation_split": [
            {"name": name, "value": value}
            for name, value in zip(result.components, result.activation_split, strict=True)
        ],
        "chain": _chain_rows(result),
        "alignment": {
            "cosine": dict(zip(result.projections, result.cosine[:, 0], strict=True)),
            "activation": result.activation[0],
        },
        "control": result.matched[0] if result.matched else None,
    }


def _chain_rows(result: Upstream) -> list[dict[str, Any]]:
    """What each patch along the chain brings, on the pair and over the held-out pairs."""
    rows: list[dict[str, Any]] = []
    for place, patch in enumerate(result.patches):
        row: dict[str, Any] = {"patched": patch.patched, "held": list(patch.held)}
        for of in ("activation", "answer"):
            changes, gaps = getattr(result, f"chain_{of}"), getattr(result, f"chain_{of}_gap")
            for direction, name in enumerate(("denoising", "noising")):
                own = float(changes[direction, 0, place] / gaps[0]) if gaps[0] else None
                mean, *interval = result.mediated(direction, of)[place]
                row[f"{of}_{name}"] = own
                if len(result.pairs) > 1:
                    row |= {f"{of}_{name}_held_out": mean, f"{of}_{name}_interval": interval}
        rows.append(row)
    return rows


def _projection(result: Upstream, index: int) -> dict[str, Any]:
    made, total = float(result.shares[index]), float(result.shares.sum())
    return {
        "projection": result.projections[index],
        "preactivation": result.preactivation[index, 0],
        "sum_of_parts": result.contributions[index, 0].sum(),
        "corrupted_preactivation": result.preactivation[index, 1],
        "of_activation_difference": made,
        "share_of_activation_difference": made / total if total else None,
        "parts": _rows(result.components, result.contributions[index]),
        "earlier_neurons": _rows(result.earlier, result.earlier_contributions[index]),
    }


def _rows(
    names: Sequence[str], values: Float[np.ndarray, "side component"]
) -> list[dict[str, Any]]:
    """Values of both prompts by name, the largest in the clean prompt first."""
    order = np.argsort(-np.abs(values[0]), kind="stable")
    return [
        {"name": names[i], "value": values[0, i], "corrupted": values[1, i]}
        for i in order
        if names[i]
    ]


def _sources(result: Upstream, head: int) -> list[dict[str, Any]]:
    values = result.sources[result.leading, :, head]
    rows = zip(result.clean_tokens, *values, result.attention[0, head], strict=True)
    names = ("token", "value", "corrupted", "attention")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _step(result: Upstream, index: int) -> dict[str, Any]:
    position = result.step_positions[index]
    return {
        "of": result.steps[index],
        "projection": result.step_projections[index],
        "position": position,
        "token": result.clean_tokens[position],
        "value": result.step_totals[index, 0],
        "sum_of_parts": result.step_contributions[index, 0].sum(),
        "parts": _rows(result.components, result.step_contributions[index]),
        "earlier_neurons": _rows(
            result.step_neurons[index], result.step_neuron_contributions[index]
        ),
    }


def upstream(
    subject: Subject,
    neuron: Neuron,
    pair: PromptPair,
    held_out: Sequence[PromptPair] = (),
    progress: Progress = silent,
) -> Upstream:
    """Split what a neuron reads, for both prompts, by component, and follow it one step back.

    A part is what a component wrote itself; what it made later components write counts there.

    Raises:
        UserError: neurons do not read through a norm, or are more than functions of readings, or
            the prompts are of unequal length.
    """
    pair.check_equal()
    check_activation(subject, pair.clean.tokens)
    names = projections(subject)
    prompts, last = (pair.clean, pair.corrupted), len(pair.clean.tokens) - 1
    runs = [Decomposition(subject, prompt) for prompt in prompts]
    matched = matched_neurons(subject, neuron, prompts, MATCHED)
    own = neuron_readers(subject, neuron.layer, [neuron.number])
    first = neuron_readers(subject, neuron.layer, [n.number for n in (*matched, neuron)][:1])
    everyone = neuron_readers(subject, neuron.layer, [n.number for n in (neuron, *matched)])
    contributions = torch.stack([_split(run, everyone) for run in runs])
    readings = torch.stack([preactivations(subject, p, neuron) for p in prompts], 1)
    shares = activation_shares(subject, readings[..., last])
    lead = int(shares.abs().argmax())
    components = runs[0].components(neuron.layer, "ln2")
    heads = strongest_heads(components, (contributions[0] - contributions[1])[0, lead], HEADS)
    sources, attention = split_by_source(runs, own, heads, last)
    earlier, _ = strongest_neurons(runs, [own.only(lead)] * 2, last, EARLIER)
    named = [name for name in earlier if name]
    steps = [
        *(
            step_to_source(runs, own.only(lead), h, sources[lead, :, 0], components)
            for h in heads[:1]
        ),
        *(step_to_neuron(runs, name, components) for name in named[:1]),
    ]
    differences = _contrasts(subject, everyone, held_out, part_of(progress, 0.05, 0.3))
    contrasts = torch.stack([contributions[0] - contributions[1], *differences])
    chain, pairs = (*heads[:1], *named[:1], str(neuron)), (pair, *held_out)
    return Upstream(
        neuron=str(neuron),
        projections=names,
        lead=names[lead],
        shares=_plain(shares),
        clean=pair.clean.text,
        corrupted=pair.corrupted.text,
        clean_tokens=pair.clean.strings,
        corrupted_tokens=pair.corrupted.strings,
        components=components,
        contributions=_plain(contributions[:, 0].transpose(0, 1)),
        preactivation=_plain(readings[..., last]),
        activation=_plain(torch.stack([run.activation(neuron) for run in runs])),
        readings=_plain(readings),
        cosine=_plain(torch.stack([run.cosine(own) for run in runs], 1)),
        earlier=tuple(named),
        earlier_contributions=_plain(contributions_of_neurons(runs, own, named)),
        heads=heads,
        sources=_plain(sources),
        attention=_plain(attention),
        **_named(steps, components),
        matched=tuple(map(str, matched)),
        norms=_plain(_norms(runs, [neuron, *matched])),
        matched_contributions=_plain(
            contributions[:, 1 if matched else 0].transpose(0, 1) * len(matched[:1])
        ),
        matched_earlier=_plain(contributions_of_neurons(runs, first, named) * len(matched[:1])),
        **_chain(subject, chain, pairs, part_of(progress, 0.3, 1.0)),
        pairs=tuple(f"{p.clean.text} / {p.corrupted.text}" for p in pairs),
        norms_behind=subject.family.mlp_post is not None,
        contrast=_plain(contrasts[:, 0]),
        matched_contrast=_plain(contrasts[int(len(held_out) > 0) :, 1:].mean(0)),
    )


def _split(run: Decomposition, readers: Readers) -> Float[Tensor, "neuron projection component"]:
    """The parts of every neuron's readings at the last position."""
    contributions = run.split(readers, len(run.prompt.tokens) - 1)
    count = len(projections(run.subject))
    return rearrange(contributions, "part (projection n) -> n projection part", projection=count)


def _norms(runs: Sequence[Decomposition], neurons: Sequence[Neuron]) -> Float[Tensor, " neuron"]:
    """Root mean square of each neuron's activation at the ends of the prompts."""
    ends = [[run.activation(each)[-1] for each in neurons] for run in runs]
    return torch.tensor(ends).square().mean(0).sqrt()


def _contrasts(
    subject: Subject, readers: Readers, pairs: Sequence[PromptPair], progress: Progress
) -> Iterator[Float[Tensor, "neuron projection component"]]:
    """Parts in the clean prompt minus parts in the corrupted one, for every pair."""

    def split(prompt: Prompt) -> Tensor:
        return _split(Decomposition(subject, prompt), readers)

    for done, pair in enumerate(pairs, start=1):
        yield split(pair.clean) - split(pair.corrupted)
        progress(done / len(pairs))


def _chain(
    subject: Subject, chain: tuple[str, ...], pairs: Sequence[PromptPair], progress: Progress
) -> dict[str, Any]:
    """The chain of strongest components, patched and held both ways, in every pair."""
    activation, answer, gaps = [], [], []
    for done, pair in enumerate(pairs, start=1):
        denoised, noised = mediate(subject, pair, chain)
        (corrupted, low), (clean, high) = denoised.base, noised.base
        gaps.append((clean - corrupted, high - low))
        activation.append([denoised.activation - corrupted, clean - noised.activation])
        answer.append([denoised.answer - low, high - noised.answer])
        progress(done / len(pairs))
    return {
        "chain": chain,
        "chain_activation": _plain(_by_direction(activation)),
        "chain_activation_gap": np.array(gaps, dtype=np.float32)[:, 0],
        "chain_answer": _plain(_by_direction(answer)),
        "chain_answer_gap": np.array(gaps, dtype=np.float32)[:, 1],
    }


def _by_direction(rows: list[list[Tensor]]) -> Float[Tensor, "direction pair patch"]:
    return torch.stack([torch.stack(row) for row in rows], 1)


def _named(steps: Sequence[Step], components: Sequence[str]) -> dict[str, Any]:
    """The steps back as fields of the result."""

    def stacked(rows: list[Tensor], *shape: int) -> np.ndarray:
        return _plain(torch.stack(rows) if rows else torch.zeros(0, 2, *shape))

    return {
        "steps": tuple(step.name for step in steps),
        "step_positions": tuple(step.position for step in steps),
        "step_projections": tuple(step.projection for step in steps),
        "step_neurons": tuple(step.neurons for step in steps),
        "step_contributions": stacked([s.contributions for s in steps], len(components)),
        "step_totals": stacked([s.totals for s in steps]),
        "step_neuron_contributions": stacked([s.neuron_contributions for s in steps], STEP_NEURONS),
    }


def _plain(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
