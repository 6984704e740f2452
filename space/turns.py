"""The queue before the models: visitors take turns, none fills it, and known answers pass it by."""

import time
from typing import Any

from gradio.queueing import Event, Queue
from gradio.server_messages import ProcessCompletedMessage
from gradio.utils import LRUCache

from analysis.errors import UserError
from space.leaving import VISITORS
from space.question_bar import received
from space.settings import ADDRESS_SHARE, QUEUE, SHARE, UNHEARD, UNREAD

Pushed = tuple[bool, Any, Any]
"""Whether an event waits, its id or what is told of its refusal, and how gradio calls that."""


class Turns(Queue):
    """Gradio's queue, in which who was answered longest ago comes first.

    What can be answered without a model is answered as it arrives: gradio itself asks functions
    that have the attribute ``cache``.
    """

    def __init__(self, blocks: Any) -> None:
        super().__init__(
            live_updates=True,
            concurrency_count=blocks.max_threads,
            update_intervals=1,
            max_size=None,
            blocks=blocks,
            default_concurrency_limit=1,
        )
        self.ANALYTICS_MAX_EVENTS = 1
        self._served: LRUCache[str, float] = LRUCache(4000)
        self._asked: LRUCache[str, float] = LRUCache(self.pending_messages_per_session.max_size)

    async def push(self, body: Any, request: Any, username: Any) -> Pushed:
        """Queue an event, unless its visitor or all together have too many there."""
        self._drop_unheard()
        if self._unread(body.session_hash) >= UNREAD:
            said = f"You have left {UNREAD} answers unread here: read those before you ask more."
            return False, said, "queue_full"
        self._keep_newest(body)
        try:
            pushed: Pushed = await super().push(body, request, username)
        except Exception:
            if body.event_id not in self.event_ids_to_events:
                raise
            pushed = self._queued_after_all(self.event_ids_to_events[body.event_id])
        event = self.event_ids_to_events.get(str(pushed[1]))
        if event is None:
            return pushed
        self._asked[event.session_hash] = time.monotonic()
        waits = event in self._waiting()
        refusal = self._refusal(event) if waits else ""
        if refusal:
            self.event_queue_per_concurrency_id[event.concurrency_id].queue.remove(event)
            self.pending_event_ids_session.get(event.session_hash, set()).discard(event._id)
        if refusal or not waits:
            self._forget(event)
        return (False, refusal, "queue_full") if refusal else pushed

    def _queued_after_all(self, event: Event) -> Pushed:
        """What cannot even be looked up is told where it is asked, in its turn."""
        self.event_queue_per_concurrency_id[event.concurrency_id].queue.append(event)
        return True, event._id, "success"

    def _forget(self, event: Event) -> None:
        """Gradio keeps what it answers from a cache, and a set for every session that there was."""
        self.event_ids_to_events.pop(event._id, None)
        sessions = self.pending_messages_per_session
        if len(self.pending_event_ids_session) > 2 * sessions.max_size:
            for gone in self.pending_event_ids_session.keys() - sessions.keys():
                del self.pending_event_ids_session[gone]

    def _unread(self, session: str | None) -> int:
        """How many answers a session has not come for."""
        messages = self.pending_messages_per_session.get(str(session))
        kept = messages._queue if messages else ()
        return sum(isinstance(each, ProcessCompletedMessage) for each in kept)

    def _drop_unheard(self) -> None:
        """What nobody came for goes, as questions do for whose answer nobody listens."""
        long_ago = time.monotonic() - UNHEARD
        silent = [s for s in self.pending_messages_per_session if self._asked.get(s, 0) < long_ago]
        waited_for = {event.session_hash for event in self.event_ids_to_events.values()}
        for session in silent:
            if session not in waited_for and not VISITORS.listens(session):
                del self.pending_messages_per_session[session]
                self.pending_event_ids_session.pop(session, None)

    def _keep_newest(self, body: Any) -> None:
        """Note which question a page asks now: it ends what the page asked before."""
        fn = self.blocks.fns.get(body.fn_index)
        if fn is None or not hasattr(fn.fn, "cache") or fn.api_visibility != "private":
            return
        try:
            VISITORS.of(str(body.session_hash)).newest = received(body.data[0])
        except (UserError, IndexError):
            return

    def _waiting(self) -> list[Event]:
        return [e for each in self.event_queue_per_concurrency_id.values() for e in each.queue]

    def _refusal(self, event: Event) -> str:
        """Why this event, which is already counted, may not wait; empty where it may."""
        running = [e for job in self.active_jobs if job for e in job]
        waiting = [*self._waiting(), *running]
        own = sum(e.session_hash == event.session_hash for e in waiting)
        near = sum(_address(e) == _address(event) for e in waiting)
        if own > SHARE and not self._is_tool(event):
            return f"You have {SHARE} questions waiting here: ask again when one is answered."
        if near > ADDRESS_SHARE:
            return f"{ADDRESS_SHARE} questions from your network wait here: ask again in a while."
        if len(self._waiting()) > QUEUE:
            return f"{QUEUE} questions wait here, as many as can: ask again in a while."
        return ""

    def _is_tool(self, event: Event) -> bool:
        """Whether it is asked by the server's own client for tools, which all their users share.

        Anyone may send its headers; nobody else knows its session.
        """
        client = getattr(self.blocks.mcp_server_obj, "_client_instance", None)
        return client is not None and event.session_hash == client.session_hash

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """The next event: of the address, and there of the visitor, who waits longest."""
        for each in self.event_queue_per_concurrency_id.values():
            limit = each.concurrency_limit
            if len(each.queue) > 1 and (limit is None or each.current_concurrency < limit):
                each.queue.sort(key=self._turn)
        chosen = super().get_events()
        for event in chosen[0] if chosen else []:
            for who in (_address(event), event.session_hash):
                self._served[who] = time.monotonic()
        return chosen

    def _turn(self, event: Event) -> tuple[float, float, float]:
        address, own = (self._served.get(x, 0.0) for x in (_address(event), event.session_hash))
        return address, own, event.enqueue_time

    def compute_analytics_summary(self, _records: Any) -> dict[str, Any]:
        """Nobody is shown any: gradio would tabulate its last ten thousand events at every one."""
        return {}


def _address(event: Event) -> str:
    client = event.request.client
    return client.host if client else ""
