"""Folders of Hugging Face models: from the hub's own cache, else downloaded into it.

It knows neither the catalogue nor what is in a model beyond which files it needs.
"""

from fnmatch import fnmatch
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
        revision: commit hash, which is also the name of the folder returned, or a branch or tag.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config = try_to_load_from_cache(repository, "config.json", revision=revision)
    except HFValidationError as error:
        raise UserError(f"No model can be called {repository[:60]!r} on the hub.") from error
    folder = Path(config).parent if isinstance(config, str) else None
    return folder if folder and complete(folder) else None


def fetch(repository: str, revision: str) -> Path:
    """The snapshot of a revision, downloaded only if it is not on this disk.

    The folder's name is the hash of the commit.

    Raises:
        UserError: the hub cannot be reached, wants a licence accepted first, or has no
            safetensors of it.
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
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{repository} is neither in the hub's cache nor can it be downloaded here"
            f" ({first_line(error)}): connect once and load it{_with_token(repository)}, or give"
            " the path of a folder that holds it."
        ) from error


def _download(repository: str, revision: str) -> Path:
    """Ask once, without the retries of a download, so an unreachable hub is known in seconds."""
    from huggingface_hub import HfApi, snapshot_download

    found = HfApi().model_info(repository, revision=revision, timeout=PATIENCE)
    names = [each.rfilename for each in found.siblings or []]
    if not any(fnmatch(name, PATTERNS[-1]) for name in names):
        raise UserError(
            f"{repository} has no safetensors: other weights are not read, because they can run"
            " code."
        )
    return Path(
        snapshot_download(
            repository, revision=found.sha, allow_patterns=PATTERNS, ignore_patterns=["*/*"]
        )
    )


def _with_token(repository: str) -> str:
    gated = repository.startswith("meta-llama/")
    return " (it is gated, so set HF_TOKEN)" if gated else ""
