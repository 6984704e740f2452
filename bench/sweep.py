"""The sweep of every neuron: exact, screened, by its bare matrix products, and by peers."""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from analysis.engines.tail import CHUNK_TOKENS
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.prompts import PromptPair
from analysis.questions import default
from analysis.result import Result
from analysis.subject import Subject
from bench.peers import PEERS, SIZES, Peer, spread
from bench.timing import Work, alternate

SCREEN, BEST = 64, 10
WEIGHTS = Path("build/bench/weights")


def matrices(block: nn.Module) -> list[Tensor]:
    """Weights of a block's linear maps, as [in, out]."""
    linear = [m for m in block.modules() if isinstance(m, nn.Linear | Conv1D)]
    return [m.weight if isinstance(m, Conv1D) else m.weight.T for m in linear]


@torch.inference_mode()
def bare_products(subject: Subject, tokens: int = CHUNK_TOKENS) -> None:
    """Every product of a neuron's residual with the weights of all later blocks, in chunks."""
    blocks = [matrices(block) for block in subject.blocks]
    width = max(weight.shape[0] for block in blocks for weight in block)
    rows = torch.randn(subject.d_mlp, width, device=subject.device, dtype=subject.dtype)
    chunks = rows.chunk(-(-len(rows) // tokens))
    for layer in range(subject.n_layers):
        for chunk in chunks:
            for weight in (w for block in blocks[layer + 1 :] for w in block):
                chunk[:, : weight.shape[0]] @ weight


def started(
    subject: Subject, pair: PromptPair, neurons: list[tuple[int, int]]
) -> tuple[dict[Peer, dict[int, float]], dict[str, str]]:
    """The peers that could be had, with the seconds by batch size, and why others could not."""
    subject.model.save_pretrained(WEIGHTS)
    ready, failed = {}, {}
    for name in PEERS:
        try:
            peer = Peer(name, WEIGHTS, pair)
            ready[peer] = peer.settle(neurons)
        except OSError as error:
            failed[name] = str(error)
    return ready, failed


def section(subject: Subject, rounds: int, sample: int) -> dict[str, Any]:
    """Seconds of each, and the ratios between them."""
    pair = default().pair(subject)
    neurons = spread(subject.n_layers, subject.d_mlp, sample)
    peers, failed = started(subject, pair, neurons[:: max(1, sample // max(SIZES))])
    kept: dict[str, Any] = {}

    def work(name: str, done: Any) -> Work:
        return lambda: kept.__setitem__(name, done())

    works = {
        "exact": work("exact", lambda: neuron_sweep(subject, pair)),
        "screened": work("screened", lambda: neuron_sweep(subject, pair, screen=SCREEN)),
        "products": work("products", lambda: bare_products(subject)),
        **{peer.name: work(peer.name, lambda peer=peer: peer.patch(neurons)) for peer in peers},
    }
    timed = alternate(works, rounds)
    exact, screened, times = kept["exact"], kept["screened"], timed.times()
    every = subject.n_layers * subject.d_mlp
    compared = {}
    for peer, tried in peers.items():
        compared[peer.name] = {
            "batch": peer.batch,
            "tried": tried,
            "extrapolated": times[peer.name]["median"] * every / sample,
            "times": timed.ratio(peer.name, "exact") * every / sample,
            "apart": apart(exact, neurons, kept[peer.name]["differences"]),
        }
        peer.close()
    best = min((each["times"] for each in compared.values()), default=None)
    return {
        "neurons": every,
        "tokens": len(pair.clean.tokens),
        "sample": sample,
        "times": times,
        "peers": compared,
        "failed": failed,
        "best_inside": inside(exact, screened),
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "ratios": {
            "sweep_vs_matmul": timed.ratio("exact", "products"),
            "screen_vs_exact": timed.ratio("exact", "screened"),
            **({} if best is None else {"sweep_vs_best_peer": best}),
        },
    }


def apart(exact: Any, neurons: list[tuple[int, int]], differences: list[float]) -> float:
    """How far a peer's logit differences are from the sweep's, at most."""
    gap = exact.clean_diff - exact.corrupted_diff
    layers, numbers = np.array(neurons).T
    ours = exact.corrupted_diff + gap * exact.recovery[layers, numbers]
    return float(np.abs(ours - np.array(differences)).max())


def inside(exact: Any, screened: Result) -> int:
    """How many of the exact sweep's best neurons the screened one measured."""
    order = np.argsort(-exact.recovery, axis=None)[:BEST]
    return int(screened.exact.ravel()[order].sum())  # type: ignore[attr-defined]
