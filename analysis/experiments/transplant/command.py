"""The verb that copies a neuron: its model is called the donor."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis import EMBEDDED, console
from analysis.calls import Call
from analysis.errors import UserError

if TYPE_CHECKING:
    from analysis.experiments.transplant.found import Transplant
    from analysis.inputs import Inputs
    from analysis.subject import Subject


def answer(
    call: Call,
    model: Annotated[
        str, typer.Option("--donor", "--model", help="The model that has the neuron.")
    ] = EMBEDDED,
    save: Annotated[
        str, typer.Option(help="Write the graft into this file, which --graft loads.")
    ] = "",
    export: Annotated[
        str, typer.Option(help="Write the recipient with the graft into this folder.")
    ] = "",
    keep: Annotated[
        Path | None,
        typer.Option(help="Folder of results: keep it there, for the page of the donor's study."),
    ] = None,
) -> dict[str, Any]:
    """The layer, the fit, what was gained, what it costs, and the verdict."""
    if export and not save:
        raise UserError("To export the recipient the graft needs a file: name one with --save.")
    _check_places(save, export)
    call = replace(call, model=model)
    if call.options["recipient"]:
        _check_known(call.options["recipient"])
    if save:
        _check_can_widen(call)
    result = call.compute(call.load()) if keep is None else _kept(call, keep)
    if save:
        _save(result, Path(save))
    if export:
        _export(call, result, Path(save), Path(export))
    return call.summary(result)


def _check_places(save: str, export: str) -> None:
    """Refuse before the work what could not be written behind it."""
    from analysis import results
    from analysis.loading.grafts import check_empty

    if save:
        if Path(save).is_dir():
            raise UserError(f"{save} is a folder: name a file with --save.")
        results.writable(Path(save).resolve().parent)
    if export:
        check_empty(Path(export))


def _check_known(recipient: str) -> None:
    """Refuse before the work a recipient that there is not."""
    from analysis.loading.models import find

    find(recipient)


def _kept(call: Call, root: Path) -> "Transplant":
    """The result in the folder of the donor's study, made again only where the code is another.

    Raises:
        UserError: one that was asked something else is kept there under the same name.
    """
    from analysis import results, study
    from analysis.experiments.transplant.compute import kept_as
    from analysis.experiments.transplant.found import Transplant

    donor = call.load()
    given = call.inputs(donor)
    folder, name = (
        study.folder_of(results.writable(root), donor, given.question),
        kept_as(donor, given),
    )
    if results.exists(folder, name):
        _check_same_inputs(call, given, folder / f"{name}.json")
    study.bring_up_to_date(donor, call.experiment, given, folder, console.watched, name)
    return results.load(folder, name, Transplant)


def _check_same_inputs(call: Call, given: "Inputs", path: Path) -> None:
    """Refuse to write over a transplant that took another neuron or other options.

    Raises:
        UserError: that is what is kept.
    """
    from analysis import results
    from analysis.running import record

    inputs, kept = record(call.experiment, given), results.provenance(path.parent, path.stem).inputs
    for name in ("neuron", *(option.name for option in call.experiment.options)):
        if kept.get(name, inputs[name]) != inputs[name]:
            raise UserError(
                f"{path} is a transplant with another {name} ({kept[name] or 'none'}): move it "
                "away to keep this one there, or name another folder with --keep."
            )


def _save(result: "Transplant", path: Path) -> None:
    import torch

    from analysis.engines.grafting import Graft
    from analysis.experiments.transplant.facts import verdicts
    from analysis.loading.grafts import save_graft

    names = ("donor", "neuron", "recipient", "recipient_revision", "cut", "target", "foil")
    about = {name: getattr(result, name) for name in names} | verdicts(result)
    reads, writes = torch.from_numpy(result.reads), torch.from_numpy(result.writes)
    save_graft(path, Graft(result.layer, reads, writes), about)


def _export(call: Call, result: "Transplant", graft: Path, folder: Path) -> None:
    from analysis.loading.grafts import export, with_grafts

    recipient = _recipient(call)
    said = card(result, f"L{result.layer}N{recipient.d_mlp}")
    export(with_grafts(recipient, [str(graft)]), folder, said)


def card(result: "Transplant", name: str) -> str:
    """The model card of a recipient with the graft, as Markdown.

    Args:
        result: what was found of it.
        name: of the graft among the recipient's neurons.
    """
    from analysis.experiments.transplant import EXPERIMENT, tables
    from analysis.sentences import alone, document

    seen = {"said": alone(EXPERIMENT, result), "rows": tables.variants(result), "name": name}
    return document(EXPERIMENT, "card.md", result=result, **seen)


def _recipient(call: Call) -> "Subject":
    """The recipient as it is loaded, by itself the donor."""
    from analysis.loading.models import load

    return load(call.options["recipient"] or call.model, call.device, call.dtype)


def _check_can_widen(call: Call) -> None:
    """Refuse before the work a recipient whose MLPs cannot be given one more neuron for good."""
    from analysis.engines.grafting import check_graftable, size_name

    recipient = _recipient(call)
    check_graftable(recipient)
    size_name(recipient)
