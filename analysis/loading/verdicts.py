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
from analysis.loading.assets import cache_root

if TYPE_CHECKING:
    from analysis.subject import Subject

PACKAGES = ("torch", "transformers", "transformer-lens")


def check_once(subject: "Subject") -> None:
    """Compare hooks and engine with the plain model, unless the very same was found good before.

    Raises:
        UserError: they differ by more than rounding, or the model cannot be run or hooked at all.
    """
    from analysis.engines.twins import check_twins

    mark = _mark(subject)
    if not mark.is_file():
        check_twins(subject)
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()


def _mark(subject: "Subject") -> Path:
    """The file whose presence is the verdict."""
    belongs = [
        subject.origin.revision,
        subject.config.to_json_string(use_diff=False),
        str(subject.dtype),
        subject.device.type,
        [version(name) for name in PACKAGES],
        code_version("analysis.engines.twins"),
    ]
    digest = hashlib.sha256(json.dumps(belongs).encode()).hexdigest()
    return cache_root() / "checked" / digest[:32]
