"""Other libraries asked the same question of the same weights, each in an environment of its own.

Their versions are pinned beside this file, one file a peer.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from analysis.prompts import PromptPair

HERE = Path(__file__).parent
PEERS = tuple(sorted(file.stem for file in HERE.glob("*.txt")))
ENVIRONMENTS = Path("build/peers")
SIZES = (16, 32, 64, 128)
"""Batch sizes that are tried."""

INSTALL_SECONDS = 420


class Peer:
    """A process that patches neurons when it is told to, and else waits.

    Args:
        name: of the library.
        model: folder of the weights.
        pair: the question.

    Raises:
        OSError: it could not be installed, or did not start.
    """

    def __init__(self, name: str, model: Path, pair: PromptPair) -> None:
        self.name, self.batch = name, SIZES[0]
        self.process = subprocess.Popen(
            [installed(name), str(HERE.parent / "worker.py"), name, str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_WAIT_POLICY": "passive"},
            text=True,
        )
        question = {
            "clean": list(pair.clean.tokens),
            "corrupted": list(pair.corrupted.tokens),
            "target": pair.contrast.target_id,
            "foil": pair.contrast.foil_id,
            "threads": torch.get_num_threads(),
        }
        self._answer(question)

    def patch(self, neurons: list[tuple[int, int]], batch: int = 0) -> dict[str, Any]:
        """Seconds, and logit(target) - logit(foil) with each (layer, number) patched alone."""
        return self._answer({"neurons": neurons, "batch": batch or self.batch})

    def settle(self, neurons: list[tuple[int, int]]) -> dict[int, float]:
        """Choose the batch size that takes least; seconds a neuron by batch size."""
        self.patch(neurons[: SIZES[0]])
        tried = {size: self.patch(neurons, size)["seconds"] / len(neurons) for size in SIZES}
        self.batch = min(tried, key=tried.__getitem__)
        return tried

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    def _answer(self, sent: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended: there is no line then
            self.process.stdin.write(json.dumps(sent) + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise OSError(f"{self.name} ended without an answer")
        return json.loads(line)


def installed(name: str) -> str:
    """The Python of a peer's environment, made if there is none of these versions.

    Raises:
        OSError: it cannot be installed.
    """
    home, wanted = ENVIRONMENTS / name, (HERE / f"{name}.txt").read_text()
    python, mark = home / "bin" / "python", home / "installed.txt"
    if not mark.is_file() or mark.read_text() != wanted:
        steps = (
            [sys.executable, "-m", "venv", str(home)],
            [str(python), "-m", "pip", "install", "--quiet", "-r", str(HERE / f"{name}.txt")],
        )
        for step in steps:
            try:
                subprocess.run(step, check=True, timeout=INSTALL_SECONDS)
            except (OSError, subprocess.SubprocessError) as error:
                raise OSError(f"{name} could not be installed") from error
        mark.write_text(wanted)
    return str(python.absolute())


def spread(layers: int, width: int, count: int) -> list[tuple[int, int]]:
    """So many neurons at equal distances over all layers."""
    return [divmod(place * layers * width // count, width) for place in range(count)]
