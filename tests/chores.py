"""What processes are sent to do in tests: light, since each imports it anew."""

import os
from collections.abc import Callable

import torch


def number() -> int:
    return 41


def answer(load: Callable[[], int], task: int) -> tuple[int, int, int]:
    return load() + task, torch.get_num_threads(), os.getpid()


def refuse(load: Callable[[], int], task: int) -> None:
    from analysis.errors import UserError

    raise UserError("A sentence")


def die(load: Callable[[], int], task: int) -> None:
    os._exit(1)
