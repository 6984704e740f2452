"""The same questions for programs: named endpoints, and tools of the Model Context Protocol.

Each answers with one JSON object, the very one that the command line prints with ``--json``.
"""

from collections.abc import Callable

from gradio.events import api

from space.api.neurons import (
    activations,
    composition,
    direct_effect,
    find_writers,
    intervene,
    scan,
    upstream,
)
from space.api.prompts import find_neuron, logit_lens, next_token, patch, sweep
from space.asks import MODEL

ENDPOINTS: tuple[Callable[..., str], ...] = (
    next_token,
    logit_lens,
    patch,
    sweep,
    find_neuron,
    find_writers,
    direct_effect,
    activations,
    scan,
    upstream,
    composition,
    intervene,
)


def register() -> None:
    """Offer every endpoint; they wait in the same queue as the tabs."""
    for endpoint in ENDPOINTS:
        api(endpoint, api_name=endpoint.__name__, concurrency_id=MODEL, concurrency_limit=1)
