"""Sixteen visitors who go on asking: how long they wait, whether an answer is wrong, what is kept.

Run with ``python -m bench.company [SECONDS [REQUESTS]]``. Each visitor is a client of the HTTP
interface with a choice of questions like those of the page. Meanwhile another one opens the page
again and again. Afterwards every question is asked once more, alone, and what was answered is held
against that; then REQUESTS more are asked, and 200 bodies of 20 MB sent, for the memory they leave.
At last a page asks for an exact sweep and is closed: how soon is the model free?
"""

import contextlib
import inspect
import random
import sys
import threading
import time
from collections import defaultdict

import httpx
from gradio_client import Client

from bench.space import LEAD, PAIR, USUAL, resident, told
from space.endpoints import endpoints
from space.kept import Kept
from space.launch import launch, make
from space.service import session

VISITORS = 16
LEADS = [f"{LEAD}{word} " for word in ("Then", "Later", "Once", "Now", "Still")]
QUESTIONS = [
    *(("activations", {"text": lead + USUAL.clean, "seed": i}) for i, lead in enumerate(LEADS)),
    *(("intervention", {**PAIR, "factor": factor}) for factor in (-2.0, -1.0, 0.5, 3.0)),
    *(
        ("next_token", {"clean": lead + USUAL.clean, "corrupted": lead + USUAL.corrupted})
        for lead in LEADS
    ),
    *(("direct_effect", {"seed": seed}) for seed in range(4)),
    *(("neuron_sweep", {"screen": screen}) for screen in (64, 96)),
    ("patching", {}),
    ("upstream", {}),
    ("writers", {"token": " the"}),
]


def visitor(
    address: str, number: int, until: float, seen: dict[int, list[tuple[float, str]]]
) -> None:
    """Ask until the time is over."""
    client, chosen = Client(address, verbose=False), random.Random(number)
    while time.monotonic() < until:
        index = chosen.randrange(len(QUESTIONS))
        name, given = QUESTIONS[index]
        begun = time.monotonic()
        answer = client.predict(api_name=f"/{name}", **given)
        seen[index].append((time.monotonic() - begun, answer))


def pages(address: str, until: float, times: list[float]) -> None:
    """Open the page until the time is over."""
    while time.monotonic() < until:
        begun = time.monotonic()
        assert httpx.get(address, timeout=60, trust_env=False).is_success
        times.append(time.monotonic() - begun)
        time.sleep(0.5)


def company(address: str, seconds: float) -> dict[int, list[tuple[float, str]]]:
    """All visitors at once; their answers, with the seconds that each took."""
    until, seen, opened = time.monotonic() + seconds, defaultdict(list), list[float]()
    crowd = [
        threading.Thread(target=visitor, args=(address, number, until, seen))
        for number in range(VISITORS)
    ]
    crowd.append(threading.Thread(target=pages, args=(address, until, opened)))
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    times = [time for answers in seen.values() for time, _ in answers]
    print(f"{VISITORS} visitors, {len(times)} answers in {seconds:.0f} s: {told(times)}")
    print(f"the page, opened {len(opened)} times: {told(opened)}, at most {max(opened):.2f} s")
    return seen


def wrong(seen: dict[int, list[tuple[float, str]]]) -> int:
    """How many answers are not what the question gets alone, with nothing kept."""
    session().answers = Kept(most=0)
    alone = {each.__name__: each for each in endpoints()}
    return sum(
        answer != alone[QUESTIONS[index][0]](**QUESTIONS[index][1])
        for index, answers in seen.items()
        for answer in {answer for _, answer in answers}
    )


def memory(address: str, requests: int) -> None:
    """What many requests and many hostile bodies leave in memory."""
    client, before = Client(address, verbose=False), resident()
    for number in range(requests):
        client.predict(api_name="/direct_effect", seed=number % 7)
    print(f"memory: {before:.0f} MiB, {resident():.0f} MiB after {requests} requests more")
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            httpx.post(
                f"{address}gradio_api/queue/join", content=bytes(20 * 2**20), trust_env=False
            )
    print(f"and {resident():.0f} MiB after 200 bodies of 20 MB")


def freed(address: str) -> float:
    """Seconds from a closed page until the model is free that worked for it."""
    (index,) = (
        each["id"]
        for each in httpx.get(f"{address}config", trust_env=False).json()["dependencies"]
        if each["api_name"] == "neuron_sweep"
    )
    sweep = next(each for each in endpoints() if each.__name__ == "neuron_sweep")
    usual = {name: p.default for name, p in inspect.signature(sweep).parameters.items()}
    given = {**usual, "target": " the", "screen": 0}
    body = {"data": [*given.values()], "fn_index": index, "session_hash": "leaves"}
    queue = f"{address}gradio_api/queue"
    httpx.post(f"{queue}/join", json=body, trust_env=False).raise_for_status()
    listened = httpx.stream("GET", f"{queue}/data?session_hash=leaves", timeout=60, trust_env=False)
    with listened as told:
        lines = told.iter_lines()  # once this is gone nobody listens
        assert any("process_starts" in line for line in lines)
        until = time.monotonic() + 30
        while not session().busy:
            assert time.monotonic() < until, "the sweep does not begin"
            time.sleep(0.01)
        time.sleep(1)
        assert session().busy, "the sweep is over too soon"
    begun = time.monotonic()
    with session().alone(session().settings.models[0]):
        return time.monotonic() - begun


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 180.0
    requests = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    _, address, _ = launch(make(), prevent_thread_lock=True, quiet=True)
    seen = company(address, seconds)
    print(f"{wrong(seen)} answers are wrong")
    memory(address, requests)
    print(f"a closed page freed the model within {freed(address):.2f} s")


if __name__ == "__main__":
    main()
