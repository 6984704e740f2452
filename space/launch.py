"""Starts the server."""

import os
import sys
from dataclasses import replace
from typing import Any

import gradio as gr
import torch
from starlette.middleware import Middleware

from analysis import EMBEDDED
from analysis.drawing.style import FONT
from analysis.errors import UserError
from space import service
from space.app import STATIC, build
from space.first_page import FirstPage
from space.session import Session
from space.settings import MODELS, QUEUE, Settings, from_environment

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
        sys.exit(2)


def _built(settings: Settings) -> gr.Blocks:
    try:
        return build(Session(settings))
    except UserError as error:
        if MODELS in os.environ or settings.models == (EMBEDDED,):
            raise
        print(f"note: {error} The app opens {EMBEDDED}.", file=sys.stderr)
        return build(Session(replace(settings, models=(EMBEDDED,))))


def launch(demo: gr.Blocks, **options: Any) -> Any:
    """Serve the app; no request leaves the machine, no file but the app's own is served."""
    model = service.session().settings.models[0]
    return demo.queue(max_size=QUEUE, default_concurrency_limit=1).launch(
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
        show_error=False,
        app_kwargs={"middleware": [Middleware(FirstPage, model=model)]},
        **options,
    )
