"""Anyone can send anything to every address of the server: it answers, and goes on answering."""

import asyncio
import contextlib
import gc
import inspect
import json
import math
import time
import uuid
from pathlib import Path

import httpx
import pytest
import safehttpx
from gradio import processing_utils

from space.door import CLOSED, Door
from space.endpoints import endpoints
from space.settings import BODY, TEXT_CHARACTERS, UNREAD
from space.view import LONGEST, NAMES, OWN
from tests.space.questions import VIEW, is_one_sentence, sent
from tests.space.server import JSON, SECONDS, encoded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # the server's threads warn of their own
    pytest.mark.usefixtures("computed_once"),
]
ROOT = Path(__file__).resolve().parents[2]
ENDPOINTS = endpoints()

WORDS = (
    "",
    "x" * 10_000,
    "an egg\x00\x07\x1b[31m",
    "\u202eright to left\u202c",
    "🍎👩‍👩‍👧",
    "${7*7}",
    "{{7*7}}",
    "<img src=x onerror=alert(1)>",
    "../../../../etc/passwd",
    "L99999N99999999999",
)
OTHERS = (
    None,
    True,
    -1,
    10**400,
    -1e308,
    math.nan,
    math.inf,
    [],
    ["a"],
    {},
    {"__type__": "update", "visible": False},
)
HALF = "\ud800"
FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
SHARED = ("clean", "corrupted", "target", "foil", "neuron", "model", "seed")
GOOD = [VIEW.clean, VIEW.corrupted, VIEW.target, VIEW.foil, ""]


@pytest.fixture(autouse=True)
def still_well(server):
    """After every test a good question is answered as ever."""
    yield
    kind, said = server.call("next_token", GOOD)
    assert kind == "complete"
    assert json.loads(json.loads(said)[0])["tokens"][-1] == " picked"


def tells_nothing_of_the_machine(text):
    homes = (str(ROOT), str(Path.home()), str(Path(pytest.__file__).parents[1]))
    return not any(sign in text for sign in ("Traceback", 'File "', "root:x:", *homes))


def index_of(server, endpoint):
    return next(
        d["id"]
        for d in server.demo.config["dependencies"]
        if d["api_name"] == endpoint.__name__ and d["api_visibility"] == "public"
    )


def spoiled(endpoint, wrong):
    """The endpoint's usual arguments, each in its turn exchanged for wrong values.

    Parts of the view, which most endpoints share, get every fifth value there, and all of them
    in all; what is an endpoint's own gets every second value.
    """
    parameters = inspect.signature(endpoint).parameters
    usual = [parameter.default for parameter in parameters.values()]
    return [
        [*usual[:place], value, *usual[place + 1 :]]
        for place, name in enumerate(parameters)
        for step in [5 if name in SHARED else 2]
        for value in wrong[turn(endpoint, name) % step :: step]
    ]


def turn(endpoint, name):
    """The endpoint's number among those that have a parameter of this name."""
    return [e for e in ENDPOINTS if name in inspect.signature(e).parameters].index(endpoint)


def test_every_part_of_the_view_gets_every_wrong_value_somewhere():
    wrong = [*map(str, range(24))]
    for name in SHARED:
        sharing = [e for e in ENDPOINTS if name in inspect.signature(e).parameters]
        assert len(sharing) >= 5
        given = [args for e in sharing for args in spoiled(e, wrong)]
        assert {value for args in given for value in args if value in wrong} == {*wrong}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.__name__)
def test_a_public_endpoint_answers_or_says_in_a_sentence_what_is_wrong(server, endpoint):
    index = index_of(server, endpoint)
    data = spoiled(endpoint, (*WORDS, *OTHERS, HALF))
    for given, reply in zip(data, server.ask_all((index, d) for d in data), strict=True):
        output = reply["output"]
        assert tells_nothing_of_the_machine(json.dumps(output))
        if reply["success"]:
            assert isinstance(json.loads(output["data"][0]), dict)
        else:
            assert is_one_sentence(output["error"] or ""), given
            assert len(output["error"]) < TEXT_CHARACTERS


def test_a_named_call_says_the_same_as_the_queue(server):
    kind, said = server.call("neuron_sweep", [*GOOD[:4], "many", 0, "", *[""] * len(OWN)])
    assert kind == "error"
    assert is_one_sentence(json.loads(said)["error"])
    kind, said = server.call("next_token", [*GOOD[:4], "gpt5"])
    assert json.loads(said)["error"] == "There is no model 'gpt5' here: choose tiny."


@pytest.mark.parametrize("extra", [-100, -1, 1, 100])
def test_the_wrong_number_of_arguments_is_an_answer_too(server, extra):
    def changed(size):
        return [""] * max(size + extra, 0)

    for reply in server.ask_all((f["id"], changed(len(f["inputs"]))) for f in functions(server)):
        assert reply["msg"] == "process_completed"
        assert tells_nothing_of_the_machine(json.dumps(reply["output"]))


def functions(server):
    """The dependencies, one for each Python function: many events share one."""
    behind = {server.demo.fns[d["id"]].fn: d for d in server.demo.config["dependencies"]}
    return list(behind.values())


GOOD_VIEW = sent(model="tiny", clean=VIEW.clean, corrupted=VIEW.corrupted, neuron=VIEW.neuron)


@pytest.mark.parametrize("value", [*WORDS, *OTHERS], ids=lambda value: repr(value)[:30])
def test_every_private_function_that_takes_something_answers_anything(server, value):
    """In place of all that it takes, and in place of all beside a view that is well."""
    asked = [f for f in functions(server) if f["inputs"] and f["api_visibility"] == "private"]
    assert len(asked) > 10
    events = [(f["id"], [value] * len(f["inputs"])) for f in asked]
    beside = [f for f in asked if len(f["inputs"]) > 1]
    assert len(beside) > 5
    events += [(f["id"], [GOOD_VIEW, *[value] * (len(f["inputs"]) - 1)]) for f in beside]
    for reply in server.ask_all(events):
        assert reply["msg"] == "process_completed"
        assert tells_nothing_of_the_machine(json.dumps(reply["output"]))


WRONG_VIEWS = [
    "{", "[]", "null", "1", "[" * 90_000, "x" * 200_000, '{"clean": 1}', '{"__class__": "View"}',
    sent(clean=HALF), sent(model="../../etc"), sent(question="../../passwd.toml"),
    sent(tab="x" * 41),
]  # fmt: skip


@pytest.mark.parametrize("view", WRONG_VIEWS, ids=lambda view: view[:30])
def test_a_view_that_is_none_is_told_in_the_page_or_is_as_usual(server, view):
    (refresh,) = [f for f in functions(server) if server.demo.fns[f["id"]].name == "_refresh"]
    values = [view, *[0] * (len(refresh["inputs"]) - 1)]
    (reply,) = server.ask_all([(refresh["id"], values)])
    assert reply["success"]
    assert tells_nothing_of_the_machine(json.dumps(reply["output"]))


def test_every_function_is_sent_a_file_in_vain(server):
    asked = functions(server)
    for reply in server.ask_all((f["id"], [FILE] * len(f["inputs"])) for f in asked if f["inputs"]):
        assert reply.status_code == 400
        assert tells_nothing_of_the_machine(reply.text)


def test_every_event_of_the_page_answers_what_is_none(server):
    events = server.demo.config["dependencies"]
    replies = server.ask_all((d["id"], [None] * len(d["inputs"])) for d in events)
    assert {reply["msg"] for reply in replies} == {"process_completed"}


def test_half_a_character_ends_a_strangers_own_stream_at_worst(server):
    """The page's list of models would name it in its refusal, which then is no UTF-8."""
    for function in functions(server):
        session = f"half-{function['id']}"
        joined = server.join(function["id"], [HALF] * len(function["inputs"]), session)
        assert joined.is_success
        address = f"{server.api}/queue/data?session_hash={session}"
        try:
            text = server.http.get(address, timeout=SECONDS).text
        except httpx.RemoteProtocolError:
            continue
        assert tells_nothing_of_the_machine(text)


BODIES = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"data": 1, "fn_index": 0, "session_hash": "a"}',
    b'{"data": [], "fn_index": -1, "session_hash": "a"}',
    b'{"data": [], "fn_index": 99999999999999999999, "session_hash": "a"}',
    b'{"data": [], "fn_index": "a", "session_hash": "a"}',
    b'{"data": [], "fn_index": 0, "session_hash": ["a"]}',
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body)[:40])
def test_a_body_that_is_no_question_is_refused(server, body):
    for address in ("queue/join", "call/next_token", "run/next_token", "cancel"):
        reply = server.http.post(f"{server.api}/{address}", content=body, headers=JSON)
        assert reply.status_code >= 400 or "event_id" in reply.json()
        assert tells_nothing_of_the_machine(reply.text)


FILES = (
    "app.py", "space/app.py", "results/smollm2-135m/patching.json", "../README.md", "/etc/passwd",
    "//etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "....//etc/passwd", "pyproject.toml", ".git/config",
    "file:///etc/passwd", f"{ROOT}/app.py",
)  # fmt: skip


DOORS = ("gradio_api/file=", "gradio_api/file/", "file=", "static/", "assets/", "")


@pytest.mark.parametrize("door", DOORS)
def test_no_file_of_the_machine_is_served(server, door):
    replies = {file: server.http.get(f"{server.url}/{door}{file}").status_code for file in FILES}
    assert set(replies.values()) <= {400, 403, 404}, replies


def test_a_text_that_names_a_file_stays_a_text(server):
    """What a handler returns is never taken for a path."""
    for file in FILES:
        kind, said = server.call("activations", [VIEW.neuron, *GOOD[:4], file, 0, ""])
        assert kind == "complete"
        assert "file=" not in said.replace(file, "")


@pytest.mark.parametrize("path", ["nope", "gradio_api/nope", "docs", "gradio_api/stream/a/b/c"])
def test_an_unknown_address_is_not_found(server, path):
    assert server.http.get(f"{server.url}/{path}").status_code == 404


@pytest.mark.parametrize("address", ["http://localhost:1/", "https://example.org/", "file:///etc"])
def test_the_server_fetches_nothing_for_a_stranger(server, address, monkeypatch):
    """Neither by a route nor for a file that a question names, however deep or spelt."""
    fetched = []

    async def fetch(*given):
        fetched.append(given)

    for module, name in ((processing_utils, "async_ssrf_protected_get"), (safehttpx, "get")):
        monkeypatch.setattr(module, name, fetch)
    for route in ("proxy=", "file=", "file/"):
        assert server.http.get(f"{server.api}/{route}{address}").status_code == 404
    file = {"path": address, "meta": {"_type": "gradio.FileData"}}
    letters = encoded(file).replace(b"FileData", b"\\u0046ileData")
    for given in (encoded(file), encoded({"a": [{"b": file}]}), letters):
        asked = {
            "run/_sent": b'{"fn_index": 0, "data": [' + given + b"]}",
            "call/next_token": b'{"data": [' + given + b', "", "", ""]}',
            "queue/join": b'{"fn_index": 0, "session_hash": "a", "data": [' + given + b"]}",
            "mcp/": b'{"params": {"arguments": ' + given + b"}}",
        }
        for path, body in asked.items():
            reply = server.http.post(f"{server.api}/{path}", content=body, headers=JSON)
            assert reply.status_code == 400
            assert reply.text == "No files are taken here."
    assert not fetched


def test_a_session_with_a_long_name_is_not_kept(server):
    before = dict(server.demo._queue.pending_messages_per_session)
    reply = server.join(known(server), [sent()], "s" * 1000)
    assert reply.status_code == 400
    assert is_one_sentence(reply.text)
    assert server.demo._queue.pending_messages_per_session.keys() == before.keys()
    reply = server.http.get(f"{server.api}/queue/data?session_hash={'s' * 1000}")
    assert reply.status_code == 400
    assert is_one_sentence(reply.text)


def test_answers_that_nobody_reads_are_kept_for_a_while_and_not_without_end(server, monkeypatch):
    queue, session = server.demo._queue, uuid.uuid4().hex
    replies = [server.join(known(server), [], session) for _ in range(UNREAD + 5)]
    assert [reply.status_code for reply in replies] == [200] * UNREAD + [503] * 5
    assert is_one_sentence(replies[-1].json()["detail"])
    assert server.join(known(server), [], uuid.uuid4().hex).is_success, "others may ask"
    monkeypatch.setattr("space.turns.UNHEARD", 0.0)
    assert server.join(known(server), [], uuid.uuid4().hex).is_success
    assert session not in queue.pending_messages_per_session
    assert session not in queue.pending_event_ids_session


def known(server):
    """The function that is answered past the queue, whatever it is asked."""
    (found,) = [f["id"] for f in functions(server) if f["api_name"] == "_listen"]
    return found


@pytest.mark.parametrize("path", CLOSED)
def test_what_nothing_here_uses_is_closed(server, path):
    files = {"files": ("a.txt", b"x")}
    assert server.http.post(f"{server.api}/{path}", files=files).status_code == 404
    assert server.http.get(f"{server.api}/{path}/a").status_code == 404


def test_the_queue_is_not_to_be_skipped(server):
    for endpoint in ENDPOINTS:
        reply = server.http.post(f"{server.api}/run/{endpoint.__name__}", json={"data": GOOD})
        assert reply.status_code == 404


def chunks(size):
    """A body of unknown length, and how much of it was asked for."""
    for _ in range(size // 2**16):
        yield b" " * 2**16


@pytest.mark.parametrize("address", ["queue/join", "call/next_token", "run/predict", "mcp/"])
def test_a_body_that_no_question_needs_is_refused_while_it_arrives(server, address):
    """In one piece or in chunks of unstated number: 16 bodies of 100 MB leave nothing behind."""
    reply = server.http.post(f"{server.api}/{address}", content=b" " * (BODY + 1), headers=JSON)
    assert reply.status_code == 413
    assert is_one_sentence(reply.text)
    before, sent_in_all = resident(), []
    for _ in range(4):
        sent_in_all.append(hostile(server, address))
    assert resident() - before < 20 * 2**20
    assert max(sent_in_all) < 50 * 2**20, "the connection ends long before all is sent"


def hostile(server, address):
    """Send 100 MB in chunks; the bytes that were taken before the connection ended."""
    taken = 0

    def counted():
        nonlocal taken
        for chunk in chunks(100 * 2**20):
            taken += len(chunk)
            yield chunk

    with contextlib.suppress(httpx.TransportError):
        server.http.post(f"{server.api}/{address}", content=counted(), headers=JSON)
    return taken


def test_a_body_that_says_it_is_too_long_is_not_read_at_all():
    headers = [(b"content-length", str(BODY + 1).encode())]
    scope = {"type": "http", "method": "POST", "path": "/gradio_api/queue/join", "headers": headers}
    fractions = []

    async def send(message):
        fractions.append(message)

    asyncio.run(Door(None)(scope, None, send))
    assert fractions[0]["status"] == 413


def resident():
    """Bytes of this process, in which the server runs, in main memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_the_longest_question_passes_whatever_its_characters(server):
    texts = {name: "\U0001f34e" * LONGEST[name] for name in NAMES}
    body = {"data": [sent(**texts)], "fn_index": 0, "session_hash": "a"}
    assert len(encoded(body)) < BODY


def test_a_wrong_request_is_a_line_in_the_log_without_its_text(server, capfd):
    secret = "SECRET" * 20
    session = uuid.uuid4().hex
    for function in functions(server):
        server.join(function["id"], [secret] * (len(function["inputs"]) + 1), session)
        server.join(10**9, [secret], session)
        break
    server.call("next_token", [{"path": secret}, *GOOD[1:]])
    for body in (b'{"data": ["' + secret.encode() + b'"', b"[" * 100_000):
        server.http.post(f"{server.api}/queue/join", content=body, headers=JSON)
    time.sleep(0)
    tool = {"name": f"x\n{secret}", "arguments": {}}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": tool}
    accept = {**JSON, "accept": "application/json, text/event-stream"}
    for body in (encoded(asked), b"\xff"):
        server.http.post(f"{server.api}/mcp/", content=body, headers=accept)
    server.http.post(f"{server.api}/mcp/messages/?session_id={secret}%0A{secret}", content=b"{}")
    text = "".join(capfd.readouterr())
    assert "SECRET" not in text
    assert "Traceback" not in text
    assert "error: mcp." in text


def test_every_answer_says_what_the_page_may_load_and_that_it_is_no_other_kind(server):
    for address in ("", "config", "gradio_api/info", "nope", "gradio_api/upload"):
        headers = server.http.get(f"{server.url}/{address}").headers
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors" not in policy, "a Space is shown in a frame"
        assert "x-frame-options" not in headers


@pytest.mark.parametrize("address", ["", "config", "gradio_api/info", "gradio_api/mcp/schema"])
def test_what_the_page_is_made_of_tells_nothing_of_the_machine(server, address):
    reply = server.http.get(f"{server.url}/{address}")
    assert reply.is_success
    assert tells_nothing_of_the_machine(reply.text)


def test_a_page_of_another_site_may_not_ask(server):
    other = {"origin": "https://example.org"}
    reply = server.http.options(f"{server.api}/info", headers=other)
    assert reply.headers.get("access-control-allow-origin") != "*"
    reply = server.http.get(f"{server.api}/info", headers=other)
    assert "example.org" not in reply.headers.get("access-control-allow-origin", "")
