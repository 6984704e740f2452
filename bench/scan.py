"""The corpus scan against the plain forward pass of the same windows."""

from itertools import pairwise
from typing import Any

import torch

from analysis import corpus
from analysis.engines.reading import Window, batches, windows
from analysis.neuron import Neuron
from analysis.questions import default
from analysis.scanning.scan import BATCH_TOKENS, WINDOW_TOKENS, scan, started
from analysis.subject import Subject
from bench.timing import Work, alternate


@torch.inference_mode()
def forward(subject: Subject, texts: list[Window], logits: bool) -> None:
    """The plain model on the windows, one at a time where they are full, else padded."""
    model = subject.model if logits else subject.model.base_model
    for batch in batches(texts, subject.arithmetic.tokens_a_pass(BATCH_TOKENS, subject.d_mlp)):
        ids = torch.zeros((len(batch), max(len(w.tokens) for w in batch)), dtype=torch.long)
        for row, window in enumerate(batch):
            ids[row, : len(window.tokens)] = torch.tensor(window.tokens)
        model(ids.to(subject.device), use_cache=False)


def some_windows(subject: Subject, tokens: int) -> list[Window]:
    """The first windows of random articles, so many tokens together."""
    found: list[Window] = []
    for window in windows(subject, corpus.sample(64, 0), WINDOW_TOKENS):
        if sum(len(each.tokens) for each in found) >= tokens:
            break
        found.append(window)
    return found


def section(subject: Subject, rounds: int, tokens: int) -> dict[str, Any]:
    """Seconds of pass and scan, with the curve and without, and their ratios.

    A round is a part of the same long scan: the further it is, the fewer extremes are new.
    """
    texts = some_windows(subject, rounds * tokens)
    contrast = default().contrast(subject)
    cuts = [len(texts) * number // rounds for number in range(rounds + 1)]

    def scanned(curve: bool) -> Work:
        chosen = [Neuron(subject.n_layers - 1, 0)] if curve else []
        kept, ends = started(subject, chosen), iter(cuts[1:])

        def work() -> None:
            read = texts[: next(ends)]
            for _ in scan(subject, read, chosen, contrast if curve else None, so_far=kept):
                pass

        return work

    def passed(logits: bool) -> Work:
        parts = iter(texts[start:end] for start, end in pairwise(cuts))
        return lambda: forward(subject, next(parts), logits)

    works = {
        "forward": passed(False),
        "scan": scanned(False),
        "forward with logits": passed(True),
        "scan with curve": scanned(True),
    }
    forward(subject, texts[:1], True)
    timed = alternate(works, rounds)
    counted = sum(len(each.tokens) for each in texts)
    totals = {name: sum(each) for name, each in timed.seconds.items()}
    return {
        "windows": len(texts),
        "tokens": counted,
        "totals": totals,
        "tokens_a_second": counted / totals["scan"],
        "by_round": [
            one / another
            for one, another in zip(timed.seconds["scan"], timed.seconds["forward"], strict=True)
        ],
        "ratios": {
            "scan_vs_forward": totals["scan"] / totals["forward"],
            "curve_vs_forward": totals["scan with curve"] / totals["forward with logits"],
        },
    }
