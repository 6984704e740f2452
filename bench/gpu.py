"""Sweep and scan on a GPU, at the shape of GPT-2 Large with random weights.

``python -m bench.gpu`` times both in every type of product that the GPU has, and holds them against
the processor. The table of the documentation is of one run where there was a GPU.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from analysis.engines.patcher import NeuronPatcher
from analysis.engines.reading import Window
from analysis.engines.tail import CHUNK_TOKENS, disagreement
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.loading.checkpoint import fused
from analysis.loading.placement import placement
from analysis.scanning.scan import WINDOW_TOKENS, scan, started
from analysis.subject import Subject
from bench.census import gpt2_large
from bench.curves import pair
from bench.scan import forward
from bench.sweep import bare_products, matrices
from bench.timing import RESULTS, alternate, keep, seconds

TYPES = ("float32", "tf32", "bfloat16")
LENGTH, SAMPLE, SQUARE = 13, 4, 8192


def texts(vocabulary: int, count: int) -> list[Window]:
    """Full windows of random tokens."""
    drawn = np.random.default_rng(1).integers(3, vocabulary, (count, WINDOW_TOKENS + 1))
    return [Window(number, 0, tuple(ids)) for number, ids in enumerate(drawn.tolist())]


def said(subject: Subject) -> Float[Tensor, "pos d_vocab"]:
    """Logits of the first prompt, on the processor."""
    return subject.logits(pair(LENGTH, subject.d_vocab).clean.tokens).cpu()


def sampled(subject: Subject, one_in: int) -> Float[Tensor, " neuron"]:
    """Effects of some neurons of every layer, on the processor."""
    chosen = torch.zeros((subject.n_layers, subject.d_mlp), dtype=torch.bool, device=subject.device)
    chosen[:, ::one_in] = True
    return NeuronPatcher(subject, pair(LENGTH, subject.d_vocab)).effects(chosen).cpu()


def tallied(subject: Subject) -> dict[str, Tensor]:
    """A scan of a few windows."""
    (done,) = scan(subject, texts(subject.d_vocab, SAMPLE), [], None)
    return done.tensors()


def operations(subject: Subject) -> tuple[float, float]:
    """Of an exact sweep's products, and of those of a token that is scanned."""
    block = 2 * sum(each.numel() for each in matrices(subject.blocks[0]))
    layers = subject.n_layers
    return subject.d_mlp * block * layers * (layers - 1) / 2, block * layers


def peak(subject: Subject) -> float:
    """Operations a second of large square products in the model's type."""
    square = torch.randn(SQUARE, SQUARE, device=subject.device, dtype=subject.dtype)
    times = [seconds(lambda: square @ square) for _ in range(5)]
    return 2 * SQUARE**3 / min(times)


def in_type(subject: Subject, rounds: int, windows: int) -> dict[str, Any]:
    """Seconds, and shares of what the GPU's products reach, in one type."""
    question, every = pair(LENGTH, subject.d_vocab), (subject.n_layers, subject.d_mlp)
    chosen = torch.ones(every, dtype=torch.bool, device=subject.device)
    patcher = NeuronPatcher(subject, question)
    works = {
        "patches": lambda: patcher.effects(chosen),
        "sweep": lambda: neuron_sweep(subject, question),
        "screened": lambda: neuron_sweep(subject, question, screen=64),
        "products": lambda: bare_products(
            subject, subject.arithmetic.tokens_a_pass(CHUNK_TOKENS, subject.d_mlp)
        ),
    }
    times = alternate(works, rounds, warm=True).times()
    torch.cuda.reset_peak_memory_stats()
    read = list(scanned(subject, rounds, windows))
    patches, token = operations(subject)
    best = peak(subject)
    return {
        "peak_tflops": best / 1e12,
        "times": times,
        "share_of_peak": patches / times["patches"]["median"] / best,
        "part_tokens": windows * (WINDOW_TOKENS + 1),
        "tokens_a_second": [each["tokens_a_second"] for each in read],
        "scan_vs_forward": [each["scan_vs_forward"] for each in read],
        "scan_share_of_peak": read[-1]["tokens_a_second"] * token / best,
        "scan_gib": torch.cuda.max_memory_allocated() / 2**30,
    }


def scanned(subject: Subject, rounds: int, windows: int) -> Iterator[dict[str, float]]:
    """Parts of one long scan, each beside a plain pass of the same windows."""
    pieces, kept = texts(subject.d_vocab, rounds * windows), started(subject, [])
    forward(subject, pieces[:64], False)
    for end in range(windows, len(pieces) + 1, windows):
        taken = seconds(lambda end=end: list(scan(subject, pieces[:end], [], None, so_far=kept)))
        plain = seconds(lambda end=end: forward(subject, pieces[end - windows : end], False))
        tokens = windows * len(pieces[0].tokens)
        yield {"tokens_a_second": tokens / taken, "scan_vs_forward": taken / plain}


def section(layers: int, rounds: int, windows: int, one_in: int) -> dict[str, Any]:
    """Every type on the GPU, and how far it is from the processor."""
    subject = gpt2_large(layers)
    fused(subject.model)
    expected, patched, seen = said(subject), sampled(subject, one_in), tallied(subject)
    found: dict[str, Any] = {}
    for name in TYPES:
        device, dtype = placement("cuda", name)
        here = replace(subject, model=subject.model.to(device, dtype))
        other = tallied(here)
        found[name] = {
            "logits_apart": disagreement(said(here), expected),
            "patches_apart": disagreement(sampled(here, one_in), patched),
            "means_apart": disagreement(other["moments.mean"], seen["moments.mean"]),
            "highest_apart": disagreement(other["highest.values"], seen["highest.values"]),
            **in_type(here, rounds, windows),
        }
        print(name, found[name], flush=True)
    neurons = subject.n_layers * subject.d_mlp
    return {"neurons": neurons, "types": found}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time sweep and scan on a GPU.")
    parser.add_argument("--small", action="store_true", help="a small model, to see that it works")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    sizes = (3, 1, 128, 512) if given.small else (36, 3, 2048, 640)
    keep(given.out, "gpu", lambda: section(*sizes), given.small)
