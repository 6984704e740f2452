"""What every request passes first: what no question needs is refused while it arrives.

Gradio reads a body whole before it looks at it, and its routes for files, recordings and code are
open whether or not a component uses them. What goes wrong behind is told in a line of the log, not
in a traceback, which would hold what the visitor sent.
"""

import asyncio
import json
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from space.leaving import CALL, VISITORS
from space.settings import BODY, BODY_SECONDS

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

API = "/gradio_api/"
CLOSED = (
    "upload", "upload_progress", "process_recording", "component_server", "stream", "deep_link",
    "vibe-code", "vibe-edit", "undo-vibe-edit", "vibe-starter-queries", "dev", "file",
    "proxy",
)  # fmt: skip
"""Gradio's routes that nothing here uses; those for files and proxies fetch from any address."""

LONGEST_NAME = 64
"""Characters of what a page or a client calls its session: theirs have 10 to 36."""

LONG = f"A session has a name of at most {LONGEST_NAME} characters."

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'"
)
"""The page loads nothing from elsewhere. Gradio's own page has scripts in it and makes functions of
texts. It says nothing of who may frame it: a Space is shown in a frame."""

HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
]


class Door:
    """Middleware around all of gradio's routes."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        answer = _Answer(send)
        if _route(scope)[0].partition("=")[0] in CLOSED:
            return await answer.say(404, "There is nothing here.")
        try:
            body = await asyncio.wait_for(_body(scope, receive), BODY_SECONDS)
        except TimeoutError:
            return await answer.say(408, "The request did not arrive in time.")
        if body is None:
            return await answer.say(413, f"A question has at most {BODY:,} bytes.")
        refusal = _refusal(body)
        if refusal:
            return await answer.say(400, refusal)
        received = _again(body, receive) if _has_body(scope) else receive
        scope = _named(scope)
        session = _listens_as(scope)
        if len(session) > LONGEST_NAME:
            return await answer.say(400, LONG)
        with VISITORS.listening(session) if session else nullcontext():
            try:
                await self._app(scope, received, answer.send)
            except Exception as error:
                tell(error)
                if not answer.begun:
                    await answer.say(500, "That could not be read.")


class _Answer:
    """The answer to one request, with the headers that all have."""

    def __init__(self, send: Send) -> None:
        self._send, self.begun = send, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            own = {name.lower() for name, _ in message.get("headers", [])}
            more = [header for header in HEADERS if header[0] not in own]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await self._send(message)

    async def say(self, status: int, text: str) -> None:
        """A sentence; the connection ends, so that no more of the request is sent."""
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": text.encode()})


def _route(scope: Message) -> list[str]:
    """The parts of a path behind gradio's own beginning; one empty part of any other."""
    return scope["path"].partition(API)[2].strip("/").split("/")


def _has_body(scope: Message) -> bool:
    return scope["method"] not in ("GET", "HEAD", "OPTIONS")


async def _body(scope: Message, receive: Receive) -> bytes | None:
    """A request's body, once it is here; None as soon as it is too long."""
    if not _has_body(scope):
        return b""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or int(length) > BODY:
        return None
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(body) > BODY:
            return None
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was received to whoever is asked next."""
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        part = next(parts, None)
        return await receive() if part is None else part

    return again


def _refusal(body: bytes) -> str:
    """What is wrong with something in a body, however deep; empty where nothing is.

    Gradio fetches a file that is named in a question, from anywhere, before it looks who asks. It
    keeps what a session calls itself.
    """
    wrong = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, value in pairs:
            if name == "_type" and value == "gradio.FileData":
                wrong.append("No files are taken here.")
            if name == "session_hash" and len(str(value)) > LONGEST_NAME:
                wrong.append(LONG)
        return dict(pairs)

    try:
        json.loads(body or b"0", object_pairs_hook=look)
    except (ValueError, RecursionError):
        return ""  # nothing that reads it will understand it
    return wrong[0] if wrong else ""


def _named(scope: Message) -> Message:
    """A question to the tools, with a name that gradio's own client hands on to the queue."""
    if _route(scope)[0] != "mcp":
        return scope
    others = [header for header in scope["headers"] if header[0] != CALL]
    named = [(CALL, uuid4().hex.encode())] if _waits_for_a_tool(scope) else []
    return {**scope, "headers": others + named}


def _waits_for_a_tool(scope: Message) -> bool:
    """Whether a request is asked to wait for a tool's answer.

    With the older transport, by server-sent events, it ends at once; the answer comes on another.
    """
    return scope["method"] == "POST" and _route(scope) in (["mcp"], ["mcp", "http"])


def _listens_as(scope: Message) -> str:
    """The session, event or call for whose answers a request waits; empty where for none."""
    if _waits_for_a_tool(scope):
        return dict(scope["headers"])[CALL].decode()
    if scope["method"] != "GET":
        return ""
    route = _route(scope)
    if route == ["queue", "data"]:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return query.get("session_hash", [""])[0]
    return route[-1] if route[0] == "call" and len(route) >= 3 else ""


def tell(error: BaseException | None) -> None:
    """A line of the log: what kind of error it was and where, nothing of what was sent."""
    if error is None:
        return
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    places = traceback.extract_tb(error.__traceback__)
    where = f" at {places[-1].filename}:{places[-1].lineno}" if places else ""
    print(f"error: {type(error).__name__}{where}", file=sys.stderr)


class OneLineLog(logging.Handler):
    """In the place of a library's own log, whose lines would hold what was sent."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of a warning or an error where it was found."""
        print(f"error: {record.name} at {record.pathname}:{record.lineno}", file=sys.stderr)


class OneLine:
    """In the place of ``traceback`` in gradio's modules, which print one for each wrong request."""

    @staticmethod
    def print_exc(*_arguments: Any, **_options: Any) -> None:
        """Tell the error that is handled now."""
        tell(sys.exc_info()[1])

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)
