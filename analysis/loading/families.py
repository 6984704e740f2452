"""Where models keep their parts: asked of TransformerLens once for each configuration, and kept.

An answer belongs to the configuration, the libraries and the code that asked. With it at hand, what
needs no hooks runs without TransformerLens, whose import takes seconds. Only answers are kept, no
refusals.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from analysis.code_version import code_version
from analysis.family import Family
from analysis.loading.assets import cache_root
from analysis.subject import Origin, Subject

PACKAGES = ("transformers", "transformer-lens")


def family_of(config: Any, kind: str) -> Family:
    """Where a model keeps its parts.

    Args:
        config: the transformers configuration.
        kind: name of the model's class.

    Raises:
        UserError: the architecture is not supported.
    """
    belongs = [
        kind,
        config.to_json_string(use_diff=False),
        [version(name) for name in PACKAGES],
        code_version("analysis.hooks"),
    ]
    digest = hashlib.sha256(json.dumps(belongs).encode()).hexdigest()
    path = cache_root() / "families" / f"{digest[:32]}.json"
    with suppress(OSError, ValueError, TypeError):  # not there, or damaged: ask again
        return Family(**json.loads(path.read_text(encoding="utf-8")))
    from analysis import hooks

    family = hooks.family_of(config, kind)
    with suppress(OSError):  # a cache that cannot be written costs time, nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(family)), encoding="utf-8")
    return family


def assembled(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, origin: Origin, prepend_bos: bool
) -> Subject:
    """A model with where it keeps its parts; nothing is compared yet.

    Raises:
        UserError: the architecture is not supported.
    """
    family = family_of(model.config, type(model).__name__)
    return Subject(model, tokenizer, origin, family, prepend_bos)
