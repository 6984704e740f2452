"""Starts the server."""

import logging
import os
import sys
from dataclasses import replace
from typing import Any

import gradio as gr
import torch
from gradio import queueing, routes
from starlette.middleware import Middleware

from analysis import EMBEDDED
from analysis.drawing.style import FONT
from analysis.errors import UserError
from space import service
from space.app import STATIC, build
from space.door import Door, OneLine, OneLineLog
from space.first import first
from space.first_page import FirstPage
from space.session import Session
from space.settings import MODELS, SESSIONS, Settings, from_environment
from space.turns import Turns

PORT = "GRADIO_SERVER_PORT"

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def theme() -> gr.themes.Base:
    """Blue that keeps its contrast, and fonts that are on the reader's machine."""
    fonts = [name.strip(" '") for name in FONT.split(",")]
    return gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=fonts).set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
    )


def make() -> gr.Blocks:
    """The app, as the environment asks for it.

    Where the owner chose no model and the usual one of a GPU cannot be had, the embedded one opens.
    """
    try:
        settings = from_environment(gpu=torch.cuda.is_available())
        return _built(settings)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error.strerror or error} ({error.filename}).", file=sys.stderr)
    sys.exit(2)


def _built(settings: Settings) -> gr.Blocks:
    try:
        return build(Session(settings))
    except UserError as error:
        if MODELS in os.environ or settings.models == (EMBEDDED,):
            raise
        print(f"note: {error} The app opens {EMBEDDED}.", file=sys.stderr)
        return build(Session(replace(settings, models=(EMBEDDED,))))


def serve(demo: gr.Blocks) -> None:
    """Serve the app until it is ended, and say where; what keeps it from starting is a sentence."""
    try:
        _, address, _ = launch(demo, quiet=True, prevent_thread_lock=True)
        print(f"The app answers at {address}")
        demo.block_thread()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def launch(demo: gr.Blocks, **options: Any) -> Any:
    """Serve the app; no request leaves the machine, no file but the app's own is served.

    Raises:
        UserError: the port that the environment names is taken, or the disk is full.
    """
    _reach_this_machine_directly()
    for module in (queueing, routes):
        module.traceback = OneLine()  # type: ignore[attr-defined]
    tools = logging.getLogger("mcp")
    tools.handlers, tools.propagate = [OneLineLog(logging.WARNING)], False
    port = options.pop("server_port", None) or os.environ.get(PORT) or None
    demo.queue(default_concurrency_limit=1, api_open=False)
    demo._queue = Turns(demo)
    try:
        return _launched(demo, server_port=port and _number(str(port)), **options)
    except OSError as error:
        if port and "port" in str(error):
            raise UserError(f"Port {port} is taken: name another one in {PORT}.") from error
        raise UserError(f"The app cannot start: {error.strerror or error}.") from error


def _number(port: str) -> int:
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise UserError(f"{PORT} is {port[:40]!r}: it has to be a number from 1 to 65,535.")
    return int(port)


def _reach_this_machine_directly() -> None:
    """Gradio asks itself whether it runs, which no proxy can answer."""
    for name in ("no_proxy", "NO_PROXY"):
        others = [os.environ[name]] if os.environ.get(name) else []
        os.environ[name] = ",".join([*others, "127.0.0.1", "localhost"])


def _launched(demo: gr.Blocks, **options: Any) -> Any:
    model = service.session().settings.models[0]
    first(model)  # gradio asks for it at once, and gives up soon
    return demo.launch(
        app_kwargs={"middleware": [Middleware(Door), Middleware(FirstPage, model=model)]},
        theme=theme(),
        css_paths=[STATIC / "space.css"],
        js=None,
        footer_links=["api"],
        run_history=False,
        ssr_mode=False,
        strict_cors=True,
        max_file_size="1kb",
        mcp_server=True,
        enable_monitoring=False,
        state_session_capacity=SESSIONS,
        show_error=False,
        **options,
    )
