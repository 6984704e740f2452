"""How long a first answer takes: of the command line, of the app, and what their imports cost."""

import re
import subprocess
import sys
from typing import Any

from bench.timing import alternate

APP = """
import os
from gradio_client import Client
from analysis.imports import leave_all, uncollected
with uncollected():
    from space.launch import launch, make
leave_all()
_, address, _ = launch(make(), prevent_thread_lock=True, quiet=True)
Client(address, verbose=False).predict(api_name="/direct_effect")
os._exit(0)  # its server would wait for visitors
"""
LIMITS = {"--help": 0.5, "prompt": 6.0, "app": 10.0}
"""Seconds."""

DEAREST = 6


def run(*asked: str) -> str:
    """What a program of this Python says on standard error."""
    done = subprocess.run([sys.executable, *asked], capture_output=True, text=True, check=True)
    return done.stderr


def dearest(*asked: str) -> list[tuple[str, float]]:
    """The modules whose own import takes longest, with seconds."""
    lines = re.findall(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)", run("-X", "importtime", *asked))
    rows = sorted(((int(own), name) for own, name in lines), reverse=True)[:DEAREST]
    return [(name, own / 1e6) for own, name in rows]


def section(rounds: int) -> dict[str, Any]:
    """Seconds of each, as whole processes, after one round that fills the file cache."""
    verbs = {name: ("-m", "analysis", name) for name in ("--help", "prompt")}
    works = {name: lambda asked=asked: run(*asked) for name, asked in verbs.items()}
    timed = alternate({**works, "app": lambda: run("-c", APP)}, rounds, warm=True)
    return {
        "times": timed.times(),
        "limits": LIMITS,
        "dearest": {name: dearest(*asked) for name, asked in verbs.items()},
    }
