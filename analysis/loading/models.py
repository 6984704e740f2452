"""The catalogue of models and where each comes from; ``load`` turns a name into a Subject.

Nothing heavy is imported until a model is loaded, so that the catalogue answers at once.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError
from analysis.loading import assets, checkpoint, gguf, hub, pinned
from analysis.loading.assets import Asset
from analysis.loading.placement import placement
from analysis.loading.verdicts import check_once

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from analysis.subject import Origin, Subject

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")
"""A repository of the Hugging Face hub, and a revision where another than the newest is meant."""


@dataclass(frozen=True)
class Entry:
    """A model of the catalogue.

    Attributes:
        name: what the user types.
        origin: hub repository, or the asset that is a GGUF file.
        revision: commit hash on the hub, or sha256 of the GGUF file.
        layers: number of blocks.
        d_model: width of the residual stream.
        d_mlp: neurons per MLP.
        prepend_bos: whether prompts start with the beginning-of-sequence token.
    """

    name: str
    origin: str | Asset
    revision: str
    layers: int
    d_model: int
    d_mlp: int
    prepend_bos: bool

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        if isinstance(self.origin, str):
            return f"hub {self.origin}"
        content = Path(self.origin.name).stem.replace(".", ", ")
        return f"pypi {self.origin.requirement} ({content})"

    @property
    def terms(self) -> str:
        """Terms of use that are told before it is downloaded; a hub tells its own."""
        return "" if isinstance(self.origin, str) else self.origin.terms


@dataclass(frozen=True)
class Found:
    """A model on this disk: its folder, what to write into its Origin, and the BOS policy.

    ``prepend_bos`` is None where the model's own files decide it; ``gguf`` a file that was named.
    """

    folder: Path
    name: str
    source: str
    revision: str
    prepend_bos: bool | None = None
    gguf: Path | None = None


CATALOGUE = (
    Entry("smollm2-135m", pinned.MODEL, pinned.MODEL.sha256, 30, 576, 1536, False),
    Entry("gemma-3-270m", pinned.GEMMA, pinned.GEMMA.sha256, 18, 640, 2048, True),
    Entry(
        "gpt2", "openai-community/gpt2",
        "607a30d783dfa663caf39e06633721c8d4cfcd7e", 12, 768, 3072, True,
    ),
    Entry(
        "gpt2-medium", "openai-community/gpt2-medium",
        "6dcaa7a952f72f9298047fd5137cd6e4f05f41da", 24, 1024, 4096, True,
    ),
    Entry(
        "gpt2-large", "openai-community/gpt2-large",
        "32b71b12589c2f8d625668d2335a01cac3249519", 36, 1280, 5120, True,
    ),
    Entry(
        "gpt2-xl", "openai-community/gpt2-xl",
        "15ea56dee5df4983c59b2538573817e1667135e2", 48, 1600, 6400, True,
    ),
    Entry(
        "distilgpt2", "distilbert/distilgpt2",
        "2290a62682d06624634c1f46a6ad5be0f47f38aa", 6, 768, 3072, True,
    ),
    Entry(
        "pythia-160m", "EleutherAI/pythia-160m",
        "50f5173d932e8e61f858120bcb800b97af589f46", 12, 768, 3072, True,
    ),
    Entry(
        "pythia-410m", "EleutherAI/pythia-410m",
        "9879c9b5f8bea9051dcb0e68dff21493d67e9d4f", 24, 1024, 4096, True,
    ),
    Entry(
        "smollm2-135m-base", "HuggingFaceTB/SmolLM2-135M",
        "93efa2f097d58c2a74874c7e644dbc9b0cee75a2", 30, 576, 1536, False,
    ),
    Entry(
        "smollm2-360m-base", "HuggingFaceTB/SmolLM2-360M",
        "f8027fd0eaeea54caa13c31d31b9fdc459c38b49", 32, 960, 2560, False,
    ),
    Entry(
        "qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B",
        "060db6499f32faf8b98477b0a26969ef7d8b9987", 24, 896, 4864, False,
    ),
    Entry(
        "llama-3.2-1b", "meta-llama/Llama-3.2-1B",
        "4e20de362430cd3b72f300e6b0f18e50e7166e08", 16, 2048, 8192, True,
    ),
)  # fmt: skip


def load(name: str, device: str = "cpu", dtype: str = "float32") -> "Subject":
    """Load a model ready for study.

    Args:
        name: a catalogue name or its hub repository (in any case), any other repository of the
            hub, with ``@revision`` if need be, a folder, or a .gguf file.
        device: where the weights go, as torch names it.
        dtype: one of ``placement.DTYPES``.

    Raises:
        UserError: nothing of that name, not to be had from here, damaged, not supported, or not
            computed rightly by hooks and engine.
    """
    where, precision = placement(device, dtype)
    found = find(name)
    from analysis.loading.families import assembled
    from analysis.subject import Origin

    model, tokenizer = checkpoint.read(found.folder, precision)
    origin = Origin(found.name, found.source, found.revision, found.gguf)
    begins = _begins_with_bos(model, tokenizer, found.prepend_bos)
    subject = assembled(model.to(where), tokenizer, origin, begins)
    check_once(subject)
    return subject


def wrap(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    name: str = "",
    prepend_bos: bool | None = None,
) -> "Subject":
    """Study a transformers model in memory, which from then on evaluates and takes no gradients.

    Args:
        model: a causal language model of a supported architecture, on any device.
        tokenizer: its tokenizer.
        name: what it is called in results; by default that of its configuration.
        prepend_bos: whether prompts start with the beginning-of-sequence token; by default as its
            tokenizer does, or its family was trained.

    Raises:
        UserError: the architecture is not supported, a weight is NaN or infinite, or hooks and
            engine do not compute the model rightly.
    """
    from analysis.loading.families import assembled
    from analysis.subject import Origin

    kind = type(model).__name__
    checkpoint.check_kind({**model.config.to_dict(), "architectures": [kind]}, kind)
    checkpoint.check_tokenizer(tokenizer, model, kind)
    checkpoint.check_finite(model.named_parameters(), kind)
    origin = Origin(
        name or Path(str(model.config.name_or_path)).name or kind,
        f"{kind} in memory",
        checkpoint.memory_sha256(model, tokenizer),
    )
    begins = _begins_with_bos(model, tokenizer, prepend_bos)
    subject = assembled(model.eval().requires_grad_(False), tokenizer, origin, begins)
    check_once(subject)
    return subject


def _begins_with_bos(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", said: bool | None
) -> bool:
    """Whether prompts start with BOS: as is said, else as its tokenizer does or its family expects.

    A text that is not empty tells BOS in front from an EOS at the end, which may be the same token.
    """
    if said is not None or tokenizer.bos_token_id is None:
        return bool(said) and tokenizer.bos_token_id is not None
    with_special = tokenizer("a").input_ids
    without = tokenizer("a", add_special_tokens=False).input_ids
    adds_bos = with_special[:1] == [tokenizer.bos_token_id] and with_special[:1] != without[:1]
    return adds_bos or model.config.model_type in ("gpt2", "gpt_neox")


def find(name: str) -> Found:
    """Bring a model onto this disk, as a folder of safetensors.

    Raises:
        UserError: nothing of that name, or not to be had from here.
    """
    entry = entry_of(name)
    if entry is not None:
        return _find_entry(entry)
    path = _as_path(name)
    if path.is_dir():
        checkpoint.check(path)
        checksum = checkpoint.folder_sha256(path)
        return Found(path, path.resolve().name, f"folder {path.resolve().name}", checksum)
    if path.is_file() and path.suffix.lower() == ".gguf":
        checksum = assets.sha256(path)
        folder = gguf.convert(path, checksum)
        return Found(folder, path.stem, f"gguf {path.name}", checksum, gguf=path)
    if HUB_NAME.fullmatch(name) and path.suffix.lower() != ".gguf":
        return _find_on_hub(name)
    raise UserError(_unknown(name, path))


def _as_path(name: str) -> Path:
    """The name as a path that can be looked at.

    Raises:
        UserError: no file can have that name.
    """
    try:
        path = Path(name).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"No model can be called {name[:40]!r}: `models` lists names; a path works too."
        ) from error
    return path


def entry_of(name: str) -> Entry | None:
    """The catalogue's entry of that name or hub repository, in any case."""
    wanted = name.lower()
    for entry in CATALOGUE:
        if wanted == entry.name or wanted == str(entry.origin).lower():
            return entry
    return None


def gguf_of(origin: "Origin") -> Path | None:
    """The GGUF file that a model was converted from; None for one that comes from no such file.

    Raises:
        UserError: it is a file of the catalogue that cannot be had from here.
    """
    for entry in CATALOGUE:
        if isinstance(entry.origin, Asset) and entry.revision == origin.revision:
            return assets.fetch(entry.origin)
    return origin.gguf


def available(entry: Entry) -> bool:
    """Whether the model can be loaded right now without a network."""
    if isinstance(entry.origin, Asset):
        folder = gguf.converted_folder(entry.revision)
        return (folder / gguf.MANIFEST).is_file() or assets.on_hand(entry.origin)
    return hub.cached(entry.origin, entry.revision) is not None


def describe() -> list[dict[str, Any]]:
    """The catalogue as plain values, one row a model."""
    return [
        {
            "name": entry.name,
            "source": entry.source,
            "layers": entry.layers,
            "d_model": entry.d_model,
            "d_mlp": entry.d_mlp,
            "available": available(entry),
            "terms": entry.terms,
        }
        for entry in CATALOGUE
    ]


def fetch_embedded() -> None:
    """Bring the embedded model and corpus into the cache, ready for work without a network.

    Raises:
        UserError: they cannot be had from here.
    """
    find(CATALOGUE[0].name)
    assets.fetch(pinned.CORPUS)


def _find_entry(entry: Entry) -> Found:
    if isinstance(entry.origin, Asset):
        folder = gguf.converted_folder(entry.revision)
        if not gguf.intact(folder):
            folder = gguf.convert(assets.fetch(entry.origin), entry.revision)
        return Found(folder, entry.name, entry.source, entry.revision, entry.prepend_bos)
    folder = hub.fetch(entry.origin, entry.revision)
    return Found(folder, entry.name, entry.source, folder.name, entry.prepend_bos)


def _find_on_hub(name: str) -> Found:
    """A model of the hub that is not in the catalogue; it is known by the hash of its commit."""
    repository, _, revision = name.partition("@")
    folder = hub.fetch(repository, revision or "main")
    short = name.partition("/")[2].replace("/", "-")
    return Found(folder, short, f"hub {repository}", folder.name)


def _unknown(name: str, path: Path) -> str:
    """One sentence about a name that is neither in the catalogue nor a usable path."""
    if path.is_file():
        return f"{path} is not a .gguf file: give a .gguf file or the folder that holds the model."
    if path.suffix.lower() == ".gguf" or name.startswith((".", "/", "~")):
        return f"There is no file or folder {path}."
    names = [entry.name for entry in CATALOGUE]
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(names)}."
    return (
        f"Unknown model {name!r}: {hint} A repository of the hub (owner/name), a folder or a .gguf"
        " file works too."
    )
