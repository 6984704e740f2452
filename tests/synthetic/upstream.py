"""The synthetic split of a planted neuron's pre-activation."""

import numpy as np

from analysis.engines.mediation import patches
from analysis.experiments.upstream.measured import Upstream
from tests.synthetic.plan import PAIRS, Plan, text

MATCHED = 40


def upstream(plan: Plan) -> Upstream:
    """One head brings the exchanged word, and drives the strongest earlier neuron too.

    Without ``holds`` many heads share the difference, the strongest takes it from another token
    and drives nothing, other pairs differ, and the parts do not sum.
    """
    layer, number = plan.best
    early = min(1, plan.layers - 1)
    components = ("embedding", *(f"L{early}H{i}" for i in range(plan.heads)))
    components += ("MLP 2",) * (layer > 2) + ("MLP biases", "constant")
    heads, positions = components[1 : 1 + plan.heads], len(plan.clean)
    differing = [a == b for a, b in zip(plan.clean, plan.corrupted, strict=True)].index(False)
    source = differing if plan.holds else 0
    contributions = np.full((2, 2, len(components)), 0.1)
    contributions[:, 0, -1] += 2.0
    contributions[1, 0, 1] = 1.6 if plan.holds else 0.4
    contributions[1, 0, -1] = 0.2 if plan.holds else 3.0
    sources = np.zeros((2, 2, len(heads), positions))
    sources[..., source] = contributions[..., 1 : 1 + plan.heads]
    readings = np.zeros((2, 2, positions))
    readings[..., -1] = contributions.sum(-1)
    cosine = readings / 50 if plan.holds else np.cos(np.arange(positions)) + 0 * readings
    earlier = ("L2N1",) if "MLP 2" in components else ()
    steps = (heads[0], *earlier)
    step_contributions = np.full((len(steps), 2, len(components)), 0.05)
    step_contributions[0, 0, 0] = 1.0
    step_contributions[1:, 0, 1 if plan.holds else 0] = 1.2
    contrast = np.zeros((1 + PAIRS, 2, len(components)))
    contrast[0] = contributions[:, 0] - contributions[:, 1]
    contrast[1:, 1, 1] = (
        np.linspace(1.0, 1.4, PAIRS) if plan.holds else np.linspace(-0.5, 0.5, PAIRS)
    )
    matched = MATCHED * (plan.d_mlp > 1)
    control = np.random.default_rng(0).normal(
        0, 0.1 if plan.holds else 1.0, (matched, 2, len(components))
    )
    activation = np.zeros((2, positions))
    activation[:, -1] = 10.0, 1.0
    return Upstream(
        neuron=plan.neurons[0],
        projections=("gate", "up"),
        lead="up",
        shares=_small([1.5, 7.5]),
        clean=text(plan.clean),
        corrupted=text(plan.corrupted),
        clean_tokens=plan.clean,
        corrupted_tokens=plan.corrupted,
        components=components,
        contributions=_small(contributions),
        preactivation=_small(contributions.sum(-1) + (0 if plan.holds else 1)),
        activation=_small(activation),
        readings=_small(readings),
        cosine=_small(cosine),
        earlier=earlier,
        earlier_contributions=_small(np.full((2, 2, len(earlier)), 0.05)),
        heads=heads,
        sources=_small(sources),
        attention=_small(np.full((2, len(heads), positions), 1 / positions)),
        steps=steps,
        step_positions=(source, *[positions - 1] * len(earlier)),
        step_projections=("value", *["up"] * len(earlier)),
        step_contributions=_small(step_contributions),
        step_totals=_small(step_contributions.sum(-1)),
        step_neurons=(("L0N0", ""), *[("L0N0", "")] * len(earlier)),
        step_neuron_contributions=_small(np.full((len(steps), 2, 2), 0.02)),
        matched=tuple(f"L{layer}N{(number + 1 + i)}" for i in range(matched)),
        norms=_small(np.array([8.0, *np.linspace(7.0, 1.0, matched)])),
        matched_contributions=_small(np.full((2, 2, len(components)), 0.2) * (matched > 0)),
        matched_earlier=_small(np.full((2, 2, len(earlier)), 0.01)),
        **_chain(plan, (heads[0], *earlier, plan.neurons[0])),
        pairs=tuple(f"{plan.clean[-1]} {i} / {plan.corrupted[-1]} {i}" for i in range(1 + PAIRS)),
        contrast=_small(contrast),
        matched_contrast=_small(control),
    )


def _chain(plan: Plan, chain: tuple[str, ...]) -> dict[str, object]:
    """If it holds, the head reaches the answer through the neuron; else it goes past it."""
    runs = patches(chain)
    neuron = chain[-1]
    answer = [0.2 if neuron in patch.held and plan.holds else 2.0 for patch in runs]
    activation = [
        9.0 if patch.patched == neuron else 0.0 if neuron in patch.held else 7.0 for patch in runs
    ]
    spread = np.linspace(0.9, 1.1, 1 + PAIRS)[:, None]
    return {
        "chain": chain,
        "chain_activation": _small([spread * activation] * 2),
        "chain_activation_gap": _small(np.full(1 + PAIRS, 9.0)),
        "chain_answer": _small([spread * answer] * 2),
        "chain_answer_gap": _small(np.full(1 + PAIRS, 5.0)),
    }


def _small(values: object) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)
