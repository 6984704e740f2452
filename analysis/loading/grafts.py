"""Grafts on disk: small files that know whose they are, and models with them built in."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from analysis.engines.grafting import Graft
    from analysis.subject import Subject


def save_graft(path: Path, graft: "Graft", about: dict[str, Any]) -> None:
    """Write a graft, with where it came from and a checksum.

    Args:
        path: of the file.
        graft: the neuron.
        about: ``donor``, ``neuron``, ``recipient``, ``recipient_revision``, ``cut``, ``target``,
            ``foil``, and whatever else is to be known of it.

    Raises:
        UserError: it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    from analysis.results import atomic

    tensors = {"reads": graft.reads.contiguous().cpu(), "writes": graft.writes.contiguous().cpu()}
    about = {**about, "layer": graft.layer, "sha256": _checksum(tensors)}
    try:
        with atomic(path) as scratch:
            save_file(tensors, scratch, metadata={"graft": json.dumps(about, ensure_ascii=False)})
    except (SafetensorError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"The graft {path} cannot be written ({reason}).") from error


def with_grafts(subject: "Subject", paths: list[str]) -> "Subject":
    """The model with grafts built in, each the last neuron of its layer then.

    Raises:
        UserError: a file is damaged or of another recipient, or two are for one layer.
    """
    from dataclasses import replace

    from analysis.engines.grafting import check_graftable, widened, without
    from analysis.neuron import parse_neuron

    check_graftable(subject)
    revision, layers = subject.origin.revision, set[int]()
    for path in map(Path, paths):
        graft, about = read_graft(path)
        if about["recipient_revision"] != revision:
            raise UserError(
                f"The graft {path} is for {about['recipient']}, not for the weights of"
                f" {subject.origin.name}: load the model that it was made for."
            )
        if graft.layer in layers:
            raise UserError(f"Two grafts are for layer {graft.layer}: give one of them.")
        layers.add(graft.layer)
        if about["cut"]:
            subject = without(subject, parse_neuron(about["cut"], subject.n_layers, subject.d_mlp))
        grafted = widened(subject, graft)
        name = f"{subject.origin.name} with {about['neuron']} of {about['donor']}"
        made = f"{subject.origin.revision}+{about['sha256'][:16]}"
        subject = replace(grafted, origin=replace(subject.origin, name=name, revision=made))
    return subject


def read_graft(path: Path) -> tuple["Graft", dict[str, Any]]:
    """A graft, and what is known of it.

    Raises:
        UserError: there is none, or it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    from analysis.engines.grafting import Graft

    if not path.is_file():
        raise UserError(f"There is no graft {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["graft"])
            tensors = {name: file.get_tensor(name) for name in ("reads", "writes")}
        if _checksum(tensors) != about["sha256"]:
            raise ValueError("other weights")
        return Graft(about["layer"], tensors["reads"], tensors["writes"]), about
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is no graft, or a damaged one: make it again.") from error


def _checksum(tensors: "dict[str, Tensor]") -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor.float().numpy().tobytes())
    return digest.hexdigest()


def check_empty(folder: Path) -> None:
    """Refuse a folder that has something in it, or is none.

    Raises:
        UserError: it is.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: name a folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty: name another folder.")


def export(subject: "Subject", folder: Path, card: str) -> None:
    """Write a model with its grafts as a folder that plain transformers loads.

    Raises:
        UserError: the folder is not empty, or cannot be written.
    """
    check_empty(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        subject.model.save_pretrained(folder)
        subject.tokenizer.save_pretrained(folder)
        (folder / "README.md").write_text(card, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}).") from error
