"""The exact sweep of every neuron against the matrix products that it cannot do without.

Run with ``make bench`` or ``python -m bench.sweep [MODEL]``. Both are timed in turn in the same
process on the same machine, and the peak memory of the process is printed.
"""

import resource
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from analysis.engines.tail import CHUNK_TOKENS
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.loading.models import load
from analysis.questions import default
from analysis.subject import Subject

ROUNDS = 3


def matrices(block: nn.Module) -> list[Tensor]:
    """Weights of a block's linear maps, as [in, out]."""
    linear = [m for m in block.modules() if isinstance(m, nn.Linear | Conv1D)]
    return [m.weight if isinstance(m, Conv1D) else m.weight.T for m in linear]


@torch.inference_mode()
def bare_products(subject: Subject) -> None:
    """Every product of a neuron's residual with the weights of all later blocks, in chunks."""
    blocks = [matrices(block) for block in subject.blocks]
    width = max(weight.shape[0] for block in blocks for weight in block)
    rows = torch.randn(subject.d_mlp, width, device=subject.device, dtype=subject.dtype)
    chunks = rows.chunk(-(-len(rows) // CHUNK_TOKENS))
    for layer in range(subject.n_layers):
        for chunk in chunks:
            for weight in (w for block in blocks[layer + 1 :] for w in block):
                chunk[:, : weight.shape[0]] @ weight


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    subject = load(sys.argv[1] if len(sys.argv) > 1 else "smollm2-135m")
    pair = default().pair(subject)
    rounds = []
    for _ in range(ROUNDS):
        bare = seconds(lambda: bare_products(subject))
        sweep = seconds(lambda: neuron_sweep(subject, pair))
        rounds.append((sweep / bare, sweep, bare))
        print(f"sweep {sweep:.1f} s, products {bare:.1f} s")
    ratio, sweep, bare = sorted(rounds)[ROUNDS // 2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{subject.origin.name}, {subject.n_layers * subject.d_mlp} neurons, all exact: "
        f"median ratio {ratio:.2f} ({sweep:.1f} s against {bare:.1f} s on "
        f"{torch.get_num_threads()} threads), peak memory {peak:.2f} GiB"
    )


if __name__ == "__main__":
    main()
