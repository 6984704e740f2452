"""A model as large as the machine holds: random weights in shards, asked as whole processes.

``python -m bench.large`` writes a Llama of the 7B shape in bfloat16, layer by layer, 14 GB in a
folder that it deletes, and asks it what a user would. Memory is read from Linux: all that is
resident, and what of that is the process's own and not mapped from the weights' files.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from analysis.loading.models import find
from bench.timing import RESULTS, keep, memory

WHOLE = {
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "intermediate_size": 11008,
}
SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 128,
}
VERBS = {
    "next-token": (),
    "sweep": ("--screen", "64"),
    "direct-effect": ("--neuron", "L1N0"),
}
PARTS = {"resident_gib": "VmRSS", "own_gib": "RssAnon"}
"""Of a process's memory: all that is resident, and what of that is its own."""

SPREAD = 0.02
GIB = 2**30


def write(folder: Path, shape: dict[str, int]) -> int:
    """A random model in shards of a layer each, and the usual tokenizer; its bytes of weights.

    No more than a layer is ever in memory.
    """
    subject_folder = find("smollm2-135m").folder
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((subject_folder / name).read_bytes())
    vocabulary = json.loads((subject_folder / "config.json").read_text())["vocab_size"]
    config = LlamaConfig(**shape, vocab_size=vocabulary, dtype="bfloat16")
    config.architectures = ["LlamaForCausalLM"]
    config.save_pretrained(folder)
    with torch.device("meta"):
        shapes = LlamaForCausalLM(config).state_dict()
    generator, weight_map, total = torch.Generator().manual_seed(0), {}, 0
    shards: dict[str, list[str]] = {}
    for name in shapes:
        own = ".".join(name.split(".")[:3]) if ".layers." in name else name
        shards.setdefault(own, []).append(name)
    for number, names in enumerate(shards.values(), start=1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        tensors = {name: _random(name, shapes[name].shape, generator) for name in names}
        save_file(tensors, folder / file, {"format": "pt"})
        weight_map |= dict.fromkeys(names, file)
        total += sum(each.nbytes for each in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return total


def _random(name: str, shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    values = torch.empty(shape, dtype=torch.bfloat16)
    return values.fill_(1.0) if "norm" in name else values.normal_(0, SPREAD, generator=generator)


def ask(folder: Path, verb: str, options: tuple[str, ...]) -> dict[str, float]:
    """One verb as a process of its own: seconds, and its memory at the most, in GiB.

    Raises:
        RuntimeError: it failed.
    """
    start, peak = time.perf_counter(), dict.fromkeys(PARTS, 0.0)
    command = (sys.executable, "-m", "analysis", verb, *options, "--json")
    with (
        tempfile.TemporaryFile("w+") as told,
        subprocess.Popen(
            [*command, "--model", str(folder), "--dtype", "bfloat16"], stdout=told, stderr=told
        ) as child,
    ):
        while child.poll() is None:
            now = memory(child.pid)
            peak = {name: max(most, now.get(PARTS[name], 0.0)) for name, most in peak.items()}
            time.sleep(0.05)
        told.seek(0)
        if child.returncode:
            raise RuntimeError(f"{verb} failed: {told.read()[-500:]}")
    return {"seconds": time.perf_counter() - start, **peak}


def section(shape: dict[str, int]) -> dict[str, Any]:
    """Writes the model and asks each verb of it."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        weights = write(Path(folder), shape)
        verbs = {verb: ask(Path(folder), verb, options) for verb, options in VERBS.items()}
    neurons = shape["num_hidden_layers"] * shape["intermediate_size"]
    return {"weights_gib": weights / GIB, "neurons": neurons, "verbs": verbs}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask a model as large as the machine holds.")
    parser.add_argument("--small", action="store_true", help="a tiny one, to see that it works")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    keep(given.out, "large", lambda: section(SMALL if given.small else WHOLE), given.small)
