"""A test server, spoken to in plain HTTP as anyone can."""

import gc
import json
import uuid
import warnings
from contextlib import contextmanager

import httpx

from space import service
from space.app import build
from space.launch import launch
from space.session import Session
from space.settings import SHARE, Settings
from tests.space.questions import tiny_loader

SECONDS = 240
"""After which an answer is given up: none is late on a machine that is busy."""

AT_ONCE = SHARE
"""As many events as one visitor may have in the queue."""


class Server:
    """A running Space."""

    def __init__(self, demo, url, session):
        self.demo, self.url, self.session = demo, url.rstrip("/"), session
        self.address = f"{self.url}/"
        self.api = f"{self.url}/gradio_api"
        fresh = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(timeout=SECONDS, trust_env=False, limits=fresh)

    def join(self, index, data, session):
        """Queue an event; its id, or the refusal."""
        body = {"data": data, "fn_index": index, "session_hash": session, "event_data": None}
        return self.http.post(f"{self.api}/queue/join", content=encoded(body), headers=JSON)

    def ask_all(self, events):
        """Queue events by function index, a few at a time; each one's reply, in their order."""
        return [r for some in batched(events, AT_ONCE) for r in self._ask_some(some)]

    def _ask_some(self, events):
        session = uuid.uuid4().hex
        replies = [self.join(index, data, session) for index, data in events]
        ids = [reply.json().get("event_id") if reply.is_success else None for reply in replies]
        done = dict.fromkeys(filter(None, ids))
        waiting = set(done)
        if waiting:
            stream = f"{self.api}/queue/data?session_hash={session}"
            with self.http.stream("GET", stream) as lines:
                for message in messages(lines):
                    if message["msg"] == "process_completed":
                        done[message["event_id"]] = message
                        waiting.discard(message["event_id"])
                    if not waiting:
                        break
        return [done.get(i) if i else reply for i, reply in zip(ids, replies, strict=True)]

    def call(self, name, data):
        """Ask a named endpoint: the kind of its last event, and what it says."""
        address = f"{self.api}/call/{name}"
        begun = self.http.post(address, content=encoded({"data": data}), headers=JSON)
        if not begun.is_success:
            return begun.status_code, begun.text
        text = self.http.get(f"{address}/{begun.json()['event_id']}").text
        kind, said = text.strip().rsplit("event: ", 1)[1].split("\ndata: ", 1)
        return kind, said


JSON = {"content-type": "application/json"}


def encoded(body):
    """JSON in ASCII: half characters and what is no number go as they are."""
    return json.dumps(body).encode("ascii")


def messages(lines):
    """The messages of a stream of events."""
    for line in lines.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line[5:])


def batched(items, size):
    """Lists of so many items, the last one shorter."""
    everything = list(items)
    return [everything[i : i + size] for i in range(0, len(everything), size)]


def tiny():
    """The models of a server over one tiny random model."""
    return Session(Settings(models=("tiny",)), tiny_loader)


@contextmanager
def serving(session):
    """A server over these models, on a port that is free, gone afterwards."""
    before = service.session()
    demo = build(session)
    _, url, _ = launch(demo, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    server = Server(demo, url, session)
    try:
        yield server
    finally:
        server.http.close()
        demo.close(verbose=False)
        service.open_session(before)
        collect()


def collect():
    """Gradio leaves its loops to the collector, which would warn of them in any later test.

    What is still needed is not looked through again: that took a second for every module.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.freeze()
