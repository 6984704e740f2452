"""How long the Space's answers take for one visitor and for eight at once, and what it keeps.

Run with ``python -m bench.space [REQUESTS]``. The server runs in this process; visitors are clients
of its HTTP interface, each in a thread, and wait for each other at the one model.
"""

import gc
import itertools
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gradio_client import Client

from analysis import questions
from space.launch import launch, make

ROUNDS = 20
LEAD = 5 * "She walked through the old garden, past the trees and the wall, and sat down. "
"""Before the usual prompts: about 100 tokens in all."""
USUAL = questions.default()
PAIR = {"clean": LEAD + USUAL.clean, "corrupted": LEAD + USUAL.corrupted}
QUESTIONS = {
    "activations": {"api_name": "/activations", "text": LEAD + USUAL.clean},
    "intervention": {"api_name": "/intervention", **PAIR, "factor": -1.5},
    "direct effect": {"api_name": "/direct_effect"},
    "screened sweep": {"api_name": "/neuron_sweep", **PAIR, "screen": 64},
}
FAST = [name for name in QUESTIONS if name != "screened sweep"]


def timed(client: Client, name: str) -> float:
    start = time.perf_counter()
    client.predict(**QUESTIONS[name])
    return time.perf_counter() - start


def told(times: list[float]) -> str:
    quantiles = statistics.quantiles(times, n=20, method="inclusive")
    return f"p50 {statistics.median(times):.2f} s, p95 {quantiles[-1]:.2f} s"


def company(clients: list[Client], name: str, rounds: int) -> list[float]:
    """Times of one question asked by all visitors at once, round after round."""
    with ThreadPoolExecutor(len(clients)) as pool:
        batches = [list(pool.map(timed, clients, [name] * len(clients))) for _ in range(rounds)]
    return list(itertools.chain(*batches))


def resident() -> float:
    """MiB of this process in main memory now."""
    gc.collect()
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096 / 2**20


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    _, address, _ = launch(make(), prevent_thread_lock=True, quiet=True)
    clients = [Client(address, verbose=False) for _ in range(8)]
    for name in QUESTIONS:
        timed(clients[0], name)
        rounds = ROUNDS if name in FAST else ROUNDS // 4
        print(f"{name}, 1 visitor: {told(company(clients[:1], name, rounds))}")
        print(f"{name}, 8 visitors: {told(company(clients, name, max(2, rounds // 8)))}")
    before = resident()
    for number in range(requests):
        timed(clients[number % 8], FAST[number % len(FAST)])
        if (number + 1) % (requests // 5) == 0:
            print(f"{number + 1} requests more: {resident():.0f} MiB (before: {before:.0f})")


if __name__ == "__main__":
    main()
