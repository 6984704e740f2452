"""Puts the first screen into the page as it is served, so that it is there before gradio has begun.

An ASGI middleware: it passes everything on but the app's own few files, and adds to the one page.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse

from analysis.beside import beside
from analysis.drawing import SCRIPTS
from space.first import first
from space.html import first_head, first_screen

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HERE = Path(__file__).parent / "static"
CARD = beside("docs/card.png")
NAMES = ("first.css", *(f"{n}.js" for n in ("answers", "space", "first", "sky", "walk", "explain")))
PATHS = (*(HERE / name for name in NAMES), *SCRIPTS, CARD)
FILES = {f"/first/{path.name}": path for path in PATHS if path}
"""What the first screen is made of, by its address."""

OTHERS_CARD = re.compile(rb'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')
"""Gradio's own tags for cards of links."""

BEGIN = re.compile(rb'<script type="module" crossorigin src="([^"]+)"></script>')
LATER = rb'<link rel="modulepreload" crossorigin href="\1" id="begin">'
"""Gradio's beginning is fetched at once, and begins when the first screen is painted."""


class FirstPage:
    """Serves an app with its first screen.

    Args:
        app: what is served.
        model: whose first screen it is.
    """

    def __init__(self, app: Any, model: str) -> None:
        self.app, self.model = app, model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        inside = path.removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
        elif inside in FILES:
            file = FileResponse(FILES[inside], headers={"cache-control": "no-cache"})
            await file(scope, receive, send)
        elif inside in ("", "/"):
            await self._page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the page back until it is whole, and send it with the first screen in it."""
        start: MutableMapping[str, Any] = {}
        body = bytearray()

        async def kept(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = dict(start["headers"])
            if headers.get(b"content-type", b"").startswith(b"text/html"):
                page = self._with_first_screen(bytes(body), address(scope))
                headers[b"content-length"] = str(len(page)).encode()
                start["headers"] = list(headers.items())
                body[:] = b"" if scope["method"] == "HEAD" else page
            await send(start)
            await send({"type": "http.response.body", "body": bytes(body)})

        await self.app(scope, receive, kept)

    def _with_first_screen(self, page: bytes, home: str) -> bytes:
        shown = first(self.model)
        head = first_head(shown, home, CARD is not None).encode()
        page = BEGIN.sub(LATER, OTHERS_CARD.sub(b"", page), count=1)
        page = page.replace(b"</head>", head + b"</head>", 1)
        screen = first_screen(shown).encode()
        return page.replace(b"<gradio-app", screen + b"<gradio-app", 1)


def address(scope: Scope) -> str:
    """Where the page was asked for, as the visitor's browser or the proxy before us says."""
    headers = {name: value.decode("latin-1") for name, value in scope.get("headers", [])}
    scheme = headers.get(b"x-forwarded-proto", str(scope.get("scheme"))).split(",")[0]
    host = headers.get(b"x-forwarded-host", headers.get(b"host", "")).split(",")[0]
    return f"{scheme.strip()}://{host.strip()}{scope.get('root_path', '')}/"
