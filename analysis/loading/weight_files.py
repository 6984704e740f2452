"""The files that hold a folder's weights, and what they say they hold before they are read."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError, first_line

if TYPE_CHECKING:
    from transformers import PreTrainedModel

INDEX, WEIGHTS = "model.safetensors.index.json", "model.safetensors"


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that make up the model: the only one, else those of the index.

    Where both are there, transformers reads the one.
    """
    if (folder / WEIGHTS).is_file() or not (folder / INDEX).is_file():
        return [folder / WEIGHTS]
    shards = read_json(folder / INDEX).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise UserError(f"{folder / INDEX} names no weights: get the file again.")
    return [folder / Path(str(name)).name for name in sorted(set(map(str, shards.values())))]


def check_headers(folder: Path) -> None:
    """Look at what the files of weights say they hold, before anything of it is read.

    Raises:
        UserError: two hold the same tensor, a weight is stored as whole numbers, the configuration
            makes no model, or they hold far less than it asks for, which would be made up in
            memory first.
    """
    from safetensors import safe_open

    described = _described(folder)
    weights = {name: weight.numel() for name, weight in described.named_parameters()}
    held, count = set[str](), 0
    for path in weight_files(folder):
        with safe_open(path, "pt") as file:
            names = list(file.keys())
            stored = {name: file.get_slice(name) for name in names}
        count += sum(math.prod(each.get_shape()) for each in stored.values())
        for name, each in stored.items():
            placed = name in weights or f"{described.base_model_prefix}.{name}" in weights
            if placed and "F" not in each.get_dtype():
                raise UserError(
                    f"The weights in {folder} hold {name} as whole numbers ({each.get_dtype()}),"
                    " and not what one of them is worth: give the full-precision model."
                )
        twice = sorted(held.intersection(names))
        if twice:
            raise UserError(
                f"Two of the shards in {folder} hold {twice[0]}: get the whole model again."
            )
        held.update(names)
    wanted = sum(weights.values())
    if wanted > 2 * count:
        raise UserError(
            f"{folder}/config.json describes a model of {wanted:,} weights, and the files hold"
            f" {count:,}: get weights and configuration of one model."
        )


def _described(folder: Path) -> "PreTrainedModel":
    """The model that the configuration asks for; none of its weights is made.

    Raises:
        UserError: it makes no model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = read_json(folder / "config.json")
    try:
        made = AutoConfig.for_model(config.pop("model_type"), **config)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(made)
    except MemoryError:
        raise
    except Exception as error:
        raise UserError(
            f"{folder}/config.json describes no model that can be made ({first_line(error)})."
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """What a file of settings says.

    Raises:
        UserError: it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: get the file again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} does not hold a JSON object: get the file again.")
    return content
