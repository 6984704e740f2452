"""A GGUF file turned once into a folder of fp32 safetensors that loads a hundred times faster.

It knows neither the catalogue nor Subject: a file and its checksum in, a verified folder out.
"""

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import UserError, first_line
from analysis.loading.assets import cache_root, exclusive, notice, replace_folder, sha256
from analysis.loading.checkpoint import quieten

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MANIFEST = "manifest.json"


def converted_folder(checksum: str) -> Path:
    """Where the conversion of the GGUF file with this sha256 is kept."""
    return cache_root() / "models" / checksum[:16]


def convert(gguf: Path, checksum: str) -> Path:
    """The verified folder of fp32 weights, configuration and tokenizer of a GGUF file.

    Args:
        gguf: the file; read only if there is no sound conversion in the cache.
        checksum: its sha256, which names the folder.

    Raises:
        UserError: the file is damaged or of an unsupported architecture, or the cache is full.
    """
    folder = converted_folder(checksum)
    if intact(folder):
        return folder
    with exclusive(folder) as part:
        if not intact(folder):
            if folder.exists():
                notice(f"The converted model in {folder} is damaged; converting it again.")
            notice(f"Converting {gguf.name} to fp32 safetensors (once, about half a minute)...")
            _write(gguf, part)
            _write_manifest(part)
            replace_folder(part, folder)
    return folder


def intact(folder: Path) -> bool:
    """Whether every file has the sha256 that the folder's manifest lists."""
    try:
        checksums = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        matches = [sha256(folder / name) == checksum for name, checksum in checksums.items()]
    except (OSError, ValueError, AttributeError):
        return False
    return bool(matches) and all(matches)


def _write_manifest(folder: Path) -> None:
    checksums = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    (folder / MANIFEST).write_text(json.dumps(checksums, indent=2), encoding="utf-8")


def _write(gguf: Path, folder: Path) -> None:
    """Save model and tokenizer.

    transformers refuses to save a model that it read from GGUF ("not serializable"), so the
    weights move into a fresh model of the same configuration without the quantisation entry.
    """
    from transformers import AutoModelForCausalLM

    dequantised, tokenizer = _read(gguf)
    config = copy.deepcopy(dequantised.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    fresh = AutoModelForCausalLM.from_config(config)
    fresh.load_state_dict(dequantised.state_dict())
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _read(gguf: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Model in fp32 and tokenizer of a GGUF file; the architecture is checked first."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from analysis.family import family_of

    quieten()
    try:
        place = {
            "pretrained_model_name_or_path": gguf.parent,
            "gguf_file": gguf.name,
            "trust_remote_code": False,
        }
        family_of(AutoConfig.from_pretrained(**place).model_type)
        tokenizer = AutoTokenizer.from_pretrained(**place)
        return AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32), tokenizer
    except UserError:
        raise
    except Exception as error:
        reason = first_line(error)
        raise UserError(f"{gguf} cannot be read as a GGUF language model ({reason}).") from error
