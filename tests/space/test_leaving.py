"""Nobody holds the model: who leaves frees it, and none fills the queue.

Tests wait for what happens, never for a time: a computation here goes on until it is ended.
"""

import json
import math
import threading
import uuid
from contextlib import contextmanager
from dataclasses import replace

import pytest

from analysis import running
from space import leaving, service
from space.endpoints import endpoints
from space.kept import Kept
from space.leaving import Left
from space.settings import ADDRESS_SHARE, QUEUE, SHARE
from space.view import OWN
from tests.space.questions import ASKED, VIEW, ask, sent
from tests.space.server import JSON, encoded, messages

pytestmark = pytest.mark.filterwarnings("ignore")  # the server's threads warn of their own

GIVEN_UP = 30
"""Seconds after which something does not happen any more, however busy the machine is."""

PARTS = {"model": "tiny", "clean": VIEW.clean, "corrupted": VIEW.corrupted, "neuron": VIEW.neuron}


class Endless:
    """In the place of a computation: begins, works at the model, and ends when it is left."""

    def __init__(self, subject):
        self.begun, self.ended, self.release = (threading.Event() for _ in range(3))
        self.subject, self.count = subject, 0

    def __call__(self, experiment, _subject, given, progress):
        self.count += 1
        self.begun.set()
        try:
            while not self.release.is_set():
                self.subject.logits(self.subject.tokens(VIEW.clean))  # asks nothing of progress
            return self.plain(experiment, _subject, given, progress)
        finally:
            self.ended.set()

    plain = staticmethod(running.compute)


@pytest.fixture
def endless(server, monkeypatch):
    """The model is at work and will not end by itself."""
    server.session.answers = Kept()
    with server.session.alone("tiny"):
        slow = Endless(server.session.subject("tiny"))
    monkeypatch.setattr(running, "compute", slow)
    yield slow
    slow.release.set()
    queue = server.demo._queue
    for each in list(queue.event_ids_to_events.values()):
        each.alive = False
    for each in queue.event_queue_per_concurrency_id.values():
        each.queue.clear()


def press(server, session, name="patching", **parts):
    """Press the button of a panel of the page, as the page does."""
    (index,) = [
        number
        for number, fn in server.demo.fns.items()
        if fn.name == "_pressed" and fn.fn.__self__.experiment.name == name
    ][:1]
    values = [1] * (len(server.demo.fns[index].inputs) - 1)
    return server.join(index, [sent(**{**PARTS, **parts}), *values], session)


@contextmanager
def listening(server, session):
    """The page's stream of messages, until it is closed."""
    with server.http.stream("GET", f"{server.api}/queue/data?session_hash={session}") as lines:
        yield messages(lines)


def answered(server, session):
    """What the page is told at last."""
    with listening(server, session) as found:
        return next(m["output"] for m in found if m["msg"] == "process_completed")


def test_a_closed_page_frees_the_model(server, endless):
    session = uuid.uuid4().hex
    assert press(server, session).is_success
    with listening(server, session) as found:
        next(m for m in found if m["msg"] == "process_starts")
        assert endless.begun.wait(GIVEN_UP)
    assert endless.ended.wait(GIVEN_UP)


def test_a_client_that_cancels_frees_the_model(server, endless):
    session = uuid.uuid4().hex
    event = press(server, session).json()["event_id"]
    with listening(server, session):
        assert endless.begun.wait(GIVEN_UP)
        index = server.demo._queue.event_ids_to_events[event].fn._id
        body = {"session_hash": session, "fn_index": index, "event_id": event}
        server.http.post(f"{server.api}/cancel", json=body)
        assert endless.ended.wait(GIVEN_UP)


def test_a_client_of_tools_that_leaves_frees_the_model(server, endless):
    """Though the server itself asks for it, and stays."""
    call = {"name": "patching", "arguments": {"clean": VIEW.clean, "corrupted": VIEW.corrupted}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {**JSON, "accept": "application/json, text/event-stream"}
    with server.http.stream(
        "POST", f"{server.api}/mcp/", content=encoded(body), headers=headers
    ) as found:
        assert found.is_success
        assert endless.begun.wait(GIVEN_UP)
    assert endless.ended.wait(GIVEN_UP)


def test_stop_ends_the_work_and_says_so(server, endless):
    session = uuid.uuid4().hex
    press(server, session)
    (stop,) = [number for number, fn in server.demo.fns.items() if fn.name == "_stop"]
    with listening(server, session) as found:
        assert endless.begun.wait(GIVEN_UP)
        run(server, stop, [], session)
        done = next(m["output"] for m in found if m["msg"] == "process_completed")
    assert endless.ended.wait(GIVEN_UP)
    assert "Stopped before it was answered." in json.dumps(done)


def run(server, index, data, session):
    """An event of the page that waits in no queue."""
    body = {"data": data, "fn_index": index, "session_hash": session}
    reply = server.http.post(f"{server.api}/run/predict", content=encoded(body), headers=JSON)
    assert reply.is_success, reply.text


@pytest.mark.parametrize("parts", [{"target": " egg"}, {"clean": VIEW.clean.replace("I", "She")}])
def test_a_newer_question_ends_the_earlier_one(server, endless, parts):
    session = uuid.uuid4().hex
    press(server, session)
    (newest,) = [number for number, fn in server.demo.fns.items() if fn.name == "_newest"]
    with listening(server, session):
        assert endless.begun.wait(GIVEN_UP)
        run(server, newest, [sent(**{**PARTS, **parts})], session)
        assert endless.ended.wait(GIVEN_UP)


def test_another_tab_or_another_neuron_does_not_end_what_reads_neither(server, endless):
    session = uuid.uuid4().hex
    press(server, session)
    (newest,) = [number for number, fn in server.demo.fns.items() if fn.name == "_newest"]
    with listening(server, session) as found:
        assert endless.begun.wait(GIVEN_UP)
        run(server, newest, [sent(**{**PARTS, "tab": "upstream", "neuron": "L0N1"})], session)
        endless.release.set()
        done = next(m["output"] for m in found if m["msg"] == "process_completed")
    assert "data-question" in json.dumps(done)


def test_an_answer_to_which_nobody_listens_is_dropped(server, endless, monkeypatch):
    monkeypatch.setattr(leaving, "UNHEARD", 0.0)
    press(server, uuid.uuid4().hex)
    assert endless.ended.wait(GIVEN_UP)


def test_what_waits_for_a_visitor_who_left_is_never_begun(server, endless):
    first, gone, other = (uuid.uuid4().hex for _ in range(3))
    press(server, first)
    assert endless.begun.wait(GIVEN_UP)
    press(server, gone, clean=VIEW.clean.replace("I", "She"))
    with listening(server, gone) as found:
        next(m for m in found if m["msg"] == "estimation")
    with listening(server, first):
        press(server, other, target=" egg")
        endless.release.set()
        assert "data-question" in json.dumps(answered(server, other))
    assert endless.count == 2


def test_one_page_fills_a_small_share_of_the_queue(server, endless, monkeypatch):
    monkeypatch.setattr(leaving, "UNHEARD", math.inf)  # however slow this machine is meanwhile
    session, others = uuid.uuid4().hex, [uuid.uuid4().hex for _ in range(QUEUE)]
    replies = [press(server, session) for _ in range(63)]
    assert [reply.status_code for reply in replies] == [200] * SHARE + [503] * (63 - SHARE)
    assert replies[-1].json()["detail"].startswith(f"You have {SHARE} questions waiting here")
    near = [press(server, other).status_code for other in others]
    assert near.count(200) == ADDRESS_SHARE - SHARE
    assert ADDRESS_SHARE < QUEUE, "another network gets in"


def test_who_was_answered_longest_ago_comes_first(server, endless):
    greedy, modest = uuid.uuid4().hex, uuid.uuid4().hex
    for number in range(4):
        press(server, greedy, text=str(number))
    assert endless.begun.wait(GIVEN_UP)
    press(server, modest)
    queue = server.demo._queue
    (model,) = [q for q in queue.event_queue_per_concurrency_id.values() if q.queue]
    order = [e.session_hash for e in sorted(model.queue, key=queue._turn)]
    assert order == [modest, greedy, greedy, greedy]


def test_what_was_asked_before_is_answered_while_the_model_is_busy(server, endless):
    """By the page and by a program: the second one waits for nobody."""
    endless.release.set()
    view = {"target": " owl", "foil": " egg"}
    press(server, first := uuid.uuid4().hex, **view)
    answered(server, first)
    (upstream,) = [each for each in endpoints() if each.__name__ == "upstream"]
    given = [VIEW.neuron, VIEW.clean, VIEW.corrupted, VIEW.target, VIEW.foil, "", *[""] * len(OWN)]
    known = upstream(*given)
    counted = endless.count
    endless.release.clear(), endless.begun.clear()
    press(server, uuid.uuid4().hex)
    assert endless.begun.wait(GIVEN_UP)
    press(server, again := uuid.uuid4().hex, **view)
    assert "data-question" in json.dumps(answered(server, again))
    kind, said = server.call("upstream", given)
    assert (kind, json.loads(said)[0]) == ("complete", known)
    assert endless.count == counted + 1


@pytest.mark.parametrize("name", ASKED)
def test_the_same_question_is_computed_once(server, name, monkeypatch):
    first = ask(name, VIEW)
    monkeypatch.setattr(service, "_compute_where_lent", computed)
    again = ask(name, replace(VIEW, tab="elsewhere"))
    assert again.json == first.json
    other = replace(VIEW, neuron="L0N1", clean="I climbed up the orange tree and picked")
    if name not in ("generality", "transplant"):  # whose words stand in a question's file
        other = replace(other, target=" egg", foil=" owl")
    with pytest.raises(ComputedError):
        ask(name, other)


class ComputedError(Exception):
    """The model was asked."""


def computed(*_asked):
    raise ComputedError


def test_answers_are_kept_within_bounds():
    kept = Kept(most=3, size=10_000)
    for number in range(5):
        kept.keep(str(number), number)
    assert [kept.get(str(number)) for number in range(5)] == [None, None, 2, 3, 4]
    kept.keep("large", bytes(8_000))
    kept.keep("larger", bytes(9_000))
    assert kept.get("large") is None
    assert kept.get("larger") == bytes(9_000)
    kept.keep("too large", bytes(20_000))
    assert kept.size <= 10_000


def test_what_no_visitor_asked_is_always_waited_for():
    assert leaving.watch()() is None


def test_engines_that_try_other_ways_let_it_through():
    assert not issubclass(Left, (ValueError, RuntimeError, TypeError, LookupError, AttributeError))
