"""What every request passes first: what no question needs is refused while it arrives.

Gradio reads a body whole before it looks at it, and its routes for files, recordings and code are
open whether or not a component uses them. What goes wrong behind is told in a line of the log, not
in a traceback, which would hold what the visitor sent.
"""

import asyncio
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
    "vibe-code", "vibe-edit", "undo-vibe-edit", "vibe-starter-queries", "dev",
)  # fmt: skip
"""Gradio's routes that nothing here uses."""

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
        if _route(scope)[0] in CLOSED:
            return await answer.say(404, "There is nothing here.")
        try:
            received = await asyncio.wait_for(_body(scope, receive), BODY_SECONDS)
        except TimeoutError:
            return await answer.say(408, "The request did not arrive in time.")
        if received is None:
            return await answer.say(413, f"A question has at most {BODY:,} bytes.")
        scope = _named(scope)
        session = _listens_as(scope)
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


async def _body(scope: Message, receive: Receive) -> Receive | None:
    """What gives a request's body again, once it is here; None as soon as it is too long."""
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return receive
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
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        part = next(parts, None)
        return await receive() if part is None else part

    return again


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


class OneLine:
    """In the place of ``traceback`` in gradio's modules, which print one for each wrong request."""

    @staticmethod
    def print_exc(*_arguments: Any, **_options: Any) -> None:
        """Tell the error that is handled now."""
        tell(sys.exc_info()[1])

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)
