"""The census at the shape of GPT-2 Large, random weights: memory above the weights, and time.

Run with ``python -m bench.census [BLOCKS]``, on Linux. The code that streams is the experiment's
own; only the number of blocks of tokens is cut short, and the time extrapolated. Memory does not
depend on it: every table over neurons and tokens has its full size from the first block on.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from analysis.engines.reading import Window
from analysis.loading.families import assembled
from analysis.subject import Origin, Subject
from analysis.weights.agreement import agreement
from analysis.weights.congruence import MEASURES, Block, Surveyor
from analysis.weights.pairs import all_pairs
from bench.timing import alternate, memory

BLOCKS, TEXTS, LENGTH, FOLLOWED = 2, 4, 128, 1000


def gpt2_large(layers: int = 36) -> Subject:
    torch.manual_seed(0)
    config = GPT2Config(n_embd=1280, n_layer=layers, n_head=20)
    model = GPT2LMHeadModel(config).eval().requires_grad_(False)
    return assembled(model, None, Origin("gpt2-large shape", "random weights", "seed 0"), True)


@torch.inference_mode()
def bare_products(subject: Subject, block: Block) -> None:
    """Every neuron's output weights with as many columns as a block of tokens has."""
    columns = torch.randn(subject.d_model, block.tokens)
    for layer in range(subject.n_layers):
        for writes in subject.writes(layer).split(block.neurons):
            writes @ columns


def section(rounds: int, layers: int) -> dict[str, Any]:
    """Seconds of a block of tokens, by the census and by its bare products."""
    subject, block = gpt2_large(layers), Block()
    surveyor = Surveyor(subject, block)
    starts = iter(surveyor.starts())
    works = {
        "census": lambda: surveyor.read(next(starts)),
        "products": lambda: bare_products(subject, block),
    }
    timed = alternate(works, rounds, warm=True)
    return {
        "neurons": surveyor.neurons,
        "blocks": len(surveyor.starts()),
        "times": timed.times(),
        "ratios": {"census_vs_matmul": timed.ratio("census", "products")},
    }


def main() -> None:
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else BLOCKS
    subject = gpt2_large()
    weights = sum(p.numel() * p.element_size() for p in subject.model.parameters()) / 2**30
    assert subject.bridge is not None
    before = memory()["VmRSS"]
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    began = time.perf_counter()
    surveyor = Surveyor(subject, Block())
    ready = time.perf_counter()
    for start in surveyor.starts()[:blocks]:
        surveyor.read(start)
    each = (time.perf_counter() - ready) / blocks
    product = 2e-12 * surveyor.neurons * subject.d_model * Block().tokens
    pairs, counts = all_pairs(
        subject, surveyor.survey(), np.arange(subject.d_vocab), lambda _: None
    )
    texts = [
        Window(i, 0, tuple(torch.randint(subject.d_vocab, (LENGTH,)).tolist()))
        for i in range(TEXTS)
    ]
    agreement(subject, [p.best(FOLLOWED) for p in pairs], (0, 0), texts)
    total = len(surveyor.starts())
    print(
        f"{surveyor.neurons:,} x {subject.d_vocab:,}, d_model {subject.d_model}: weights "
        f"{weights:.2f} GiB; {memory()['VmHWM'] - before:.2f} GiB above them at most\n"
        f"mean and spread {ready - began:.1f} s; a block of {Block().tokens} tokens {each:.1f} s "
        f"({product / each * 1000:.0f} GFLOP/s on {torch.get_num_threads()} threads), so "
        f"{each * total / 60:.1f} min for all {total}\n"
        f"{dict(zip(MEASURES, counts[:, 1].tolist(), strict=True))} mutual pairs in {blocks} blocks"
    )


if __name__ == "__main__":
    main()
