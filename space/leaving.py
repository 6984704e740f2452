"""Who still waits for an answer: a computation asks at every step, and ends when nobody does.

A closed page, a cancelled client, a newer question and the Stop button all end it. Gradio itself
drops what a visitor who left has in the queue, but lets a function that runs go on to its end.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from gradio.context import LocalContext
from gradio.utils import LRUCache
from torch.nn.modules.module import register_module_forward_pre_hook

from space.settings import UNHEARD
from space.view import View

BETWEEN = 0.05
"""Seconds between two looks: far less than a visitor notices."""

CALL = b"x-tool-call"
"""Header by which the question of a tool names the request that waits for it: the server's own
client asks for all users of tools, and stays when one of them leaves."""

Question = Callable[[View], Mapping[str, str]]
"""From a view to the parts of it that an answer depends on."""


class Left(Exception):  # noqa: N818  (nothing went wrong)
    """Nobody waits for this answer any more.

    No error of a value or of torch: engines, which try other ways after those, let it through.

    Attributes:
        stopped: whether the visitor is still there and pressed Stop.
    """

    def __init__(self, stopped: bool = False) -> None:
        super().__init__("Stopped before it was answered.")
        self.stopped = stopped


@dataclass
class Visitor:
    """One page or client.

    Attributes:
        newest: the view that was sent last, where a page sends views.
        stopped: when Stop was pressed last, by the monotonic clock.
        heard: when the last connection ended on which it waited for answers.
    """

    newest: View | None = None
    stopped: float = 0.0
    heard: float = 0.0


class Visitors:
    """All visitors by their session, the newest; and how many connections wait for answers."""

    def __init__(self, most: int = 2000) -> None:
        self._known: LRUCache[str, Visitor] = LRUCache(most)
        self._streams: Counter[str] = Counter()

    def of(self, session: str) -> Visitor:
        """The visitor of a session."""
        if session not in self._known:
            self._known[session] = Visitor()
        return self._known[session]

    def listens(self, *names: str) -> bool:
        """Whether an open connection waits for answers to one of these sessions or events."""
        return any(self._streams[name] for name in names)

    @contextmanager
    def listening(self, name: str) -> Iterator[None]:
        """Within this a connection waits for the answers to a session or event."""
        self._streams[name] += 1
        try:
            yield
        finally:
            self._streams[name] -= 1
            self._streams += Counter()  # those that are zero go
            self.of(name).heard = time.monotonic()


VISITORS = Visitors()

_answered: ContextVar[tuple[Question, Mapping[str, str]] | None] = ContextVar(
    "answered", default=None
)


@contextmanager
def answering(question: Question, view: View) -> Iterator[None]:
    """Within this the page's question is answered: a newer one of the same visitor ends it."""
    token = _answered.set((question, question(view)))
    try:
        yield
    finally:
        _answered.reset(token)


def watch() -> Callable[[], None]:
    """A function to be called at every step of the work that is done in this context.

    It raises ``Left`` once nobody waits. What no visitor asked is always waited for.
    """
    blocks, name = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    waiting = blocks._queue.event_ids_to_events if blocks else {}
    event = waiting.get(name or "")
    if event is None:
        return lambda: None
    question, call, next_look = _answered.get(), event.request.headers.get(CALL.decode()), 0.0

    def look() -> None:
        nonlocal next_look
        now = time.monotonic()
        if now < next_look:
            return
        next_look = now + BETWEEN
        visitor = VISITORS.of(event.session_hash)
        if visitor.stopped > event.enqueue_time:
            raise Left(stopped=True)
        if event._id not in waiting or not event.alive:
            raise Left
        if call and not VISITORS.listens(call):
            raise Left
        silent = now - max(event.enqueue_time, visitor.heard)
        if silent > UNHEARD and not VISITORS.listens(event.session_hash, event._id):
            raise Left
        if question and visitor.newest and question[0](visitor.newest) != question[1]:
            raise Left

    return look


@contextmanager
def every_module_calls(look: Callable[[], None]) -> Iterator[None]:
    """Within this each module of any model first looks: no engine has to know of visitors."""

    def hook(_module: Any, _given: Any) -> None:
        look()

    handle = register_module_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()
