"""How cost grows: with neurons, layers, tokens, prompt length and pairs, on small random models."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from analysis.contrast import Contrast
from analysis.engines.patcher import NeuronPatcher
from analysis.engines.reading import Window
from analysis.loading.families import assembled
from analysis.prompts import Prompt, PromptPair
from analysis.scanning.scan import scan
from analysis.subject import Origin, Subject
from bench.timing import Work, alternate

LAYERS, WIDTH, NEURONS, VOCAB, LENGTH = 8, 192, 512, 2048, 16
STEPS = (1, 2, 4, 8)


def random_model(layers: int = LAYERS) -> Subject:
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=WIDTH,
        intermediate_size=NEURONS,
        num_hidden_layers=layers,
        num_attention_heads=6,
        vocab_size=VOCAB,
    )
    model = LlamaForCausalLM(config).eval().requires_grad_(False)
    return assembled(model, None, Origin("curve", "random weights", "seed 0"), False)


def pair(length: int, vocabulary: int = VOCAB) -> PromptPair:
    """Two prompts of random tokens that differ in the middle one."""
    drawn = np.random.default_rng(0).integers(3, vocabulary, length).tolist()
    other = [*drawn]
    other[length // 2] = 3 + (drawn[length // 2] + 1) % (vocabulary - 3)
    prompts = [Prompt("", tuple(each), tuple(map(str, each))) for each in (drawn, other)]
    return PromptPair(*prompts, Contrast("a", "b", (1,), (2,)))


def sweep(subject: Subject, share: float = 1.0, length: int = LENGTH, pairs: int = 1) -> Work:
    """An exact sweep over a share of the neurons."""
    chosen = torch.zeros((subject.n_layers, subject.d_mlp), dtype=torch.bool)
    chosen[:, : int(share * subject.d_mlp)] = True

    def work() -> None:
        for _ in range(pairs):
            NeuronPatcher(subject, pair(length)).effects(chosen)

    return work


def scanned(subject: Subject, count: int) -> Work:
    """A scan of so many windows of 128 random tokens."""
    drawn = np.random.default_rng(0).integers(3, VOCAB, (count, 128)).tolist()
    texts = [Window(number, 0, tuple(tokens)) for number, tokens in enumerate(drawn)]
    return lambda: [None for _ in scan(subject, texts, [], None)]


def curves() -> dict[str, dict[int, Work]]:
    """Works by what grows, and how much of it there is."""
    subject = random_model()
    every = LAYERS * NEURONS
    made: dict[str, tuple[int, Callable[[int], Work]]] = {
        "neurons": (every // 8, lambda n: sweep(subject, n / every)),
        "layers": (2, lambda n: sweep(random_model(n))),
        "tokens scanned": (128 * 8, lambda n: scanned(subject, n // 128)),
        "prompt length": (LENGTH, lambda n: sweep(subject, length=n)),
        "pairs": (1, lambda n: sweep(subject, pairs=n)),
    }
    return {
        name: {first * step: work(first * step) for step in STEPS}
        for name, (first, work) in made.items()
    }


def section(rounds: int) -> dict[str, Any]:
    """Seconds by amount, for each of what grows."""
    found = {}
    for name, works in curves().items():
        timed = alternate({str(amount): work for amount, work in works.items()}, rounds, warm=True)
        found[name] = [[int(amount), each["median"]] for amount, each in timed.times().items()]
    return {"curves": found}
