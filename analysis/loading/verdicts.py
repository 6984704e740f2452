"""That hooks and engine say what a model says is asked once of every model, and remembered.

A verdict belongs to weights, configuration, type, device, libraries and the code that gave it. Only
good ones are kept.
"""

import hashlib
import json
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.code_version import code_version
from analysis.loading.assets import cache_root, notice

if TYPE_CHECKING:
    from analysis.subject import Subject

PACKAGES = ("torch", "transformers", "transformer-lens")


WHOLE_SEQUENCES = "whole sequences"
"""What a verdict says of a model whose blocks the engine cannot take up in a sequence's middle."""


def check_once(subject: "Subject") -> None:
    """Compare hooks and engine with the plain model, unless the very same was found good before.

    A note says where the engine is slow.

    Raises:
        UserError: they differ by more than rounding, or the model cannot be run or hooked at all.
    """
    from analysis.engines.twins import check_twins

    mark = _mark(subject)
    if mark.is_file():
        engine = mark.read_text(encoding="utf-8")
    else:
        engine = WHOLE_SEQUENCES if check_twins(subject) else ""
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(engine, encoding="utf-8")
    if engine == WHOLE_SEQUENCES:
        kind = type(subject.model).__name__
        notice(f"note: each patch of a {kind} runs its whole sequence again, which is slower.")


def _mark(subject: "Subject") -> Path:
    """The file whose presence is the verdict; it says which engine."""
    belongs = [
        subject.origin.revision,
        subject.config.to_json_string(use_diff=False),
        subject.arithmetic.name,
        subject.device.type,
        [version(name) for name in PACKAGES],
        code_version("analysis.engines.twins"),
    ]
    digest = hashlib.sha256(json.dumps(belongs).encode()).hexdigest()
    return cache_root() / "checked" / digest[:32]
