"""Folders of pinned Hugging Face models: from the hub's own cache, else downloaded into it.

It knows neither the catalogue nor what is in a model beyond which files it needs.
"""

from pathlib import Path

from analysis.errors import UserError, first_line
from analysis.loading.checkpoint import complete

PATTERNS = ["*.json", "*.txt", "tokenizer.model", "model*.safetensors"]
PATIENCE = 3.0
"""Seconds until a hub that does not answer counts as unreachable."""


def cached(repository: str, revision: str) -> Path | None:
    """The complete snapshot of a revision on this disk, if there is one.

    Args:
        repository: "owner/name" on the hub.
        revision: commit hash, which is also the name of the folder returned.
    """
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(repository, "config.json", revision=revision)
    folder = Path(config).parent if isinstance(config, str) else None
    return folder if folder and complete(folder) else None


def fetch(repository: str, revision: str) -> Path:
    """The snapshot of a revision, downloaded only if it is not on this disk.

    Raises:
        UserError: the hub cannot be reached, or wants a licence accepted first.
    """
    from huggingface_hub import errors

    folder = cached(repository, revision)
    if folder:
        return folder
    try:
        return _download(repository, revision)
    except errors.GatedRepoError as error:
        raise UserError(
            f"{repository} is gated: accept its licence at huggingface.co/{repository}, then run"
            " `hf auth login` or set HF_TOKEN."
        ) from error
    except Exception as error:
        raise UserError(
            f"{repository} is neither in the hub's cache nor can it be downloaded here"
            f" ({first_line(error)}): connect once and load it{_with_token(repository)}, or give"
            " the path of a folder that holds it."
        ) from error


def _download(repository: str, revision: str) -> Path:
    """Ask once, without the retries of a download, so an unreachable hub is known in seconds."""
    from huggingface_hub import HfApi, snapshot_download

    HfApi().model_info(repository, revision=revision, timeout=PATIENCE)
    return Path(
        snapshot_download(
            repository, revision=revision, allow_patterns=PATTERNS, ignore_patterns=["*/*"]
        )
    )


def _with_token(repository: str) -> str:
    gated = repository.startswith("meta-llama/")
    return " (it is gated, so set HF_TOKEN)" if gated else ""
