"""Subjects: tiny random models of every architecture, and how tests share them."""

import dataclasses
import functools
import zlib

from analysis.loading.families import assembled
from analysis.subject import Origin, Subject
from tests import tiny

MAKERS = {"gpt2": tiny.tiny_gpt2, "llama": tiny.tiny_llama, "gpt_neox": tiny.tiny_neox}


def make_subject(architecture: str, seed: int = 0) -> Subject:
    model, tokenizer = MAKERS[architecture](seed)
    origin = Origin(f"tiny-{architecture}", "random weights", f"seed {seed}")
    return assembled(model, tokenizer, origin, prepend_bos=architecture == "gpt2")


class Kept:
    """A model that tests share, as to make its hooks takes longer than most of them."""

    def __init__(self, architecture: str) -> None:
        self._first = make_subject(architecture)
        self._weights = self.weights()

    def weights(self) -> int:
        """A checksum of the plain model's weights and of those that its hooks hold."""
        owners = (self._first.model, self._first.bridge)
        weights = [w.detach().contiguous() for owner in owners for w in owner.parameters()]
        return functools.reduce(lambda message, w: zlib.crc32(w.numpy(), message), weights, 0)

    def changed(self) -> bool:
        return self.weights() != self._weights

    def subject(self) -> Subject:
        """One that has computed nothing yet."""
        fresh = dataclasses.replace(self._first)
        vars(fresh)["bridge"] = self._first.bridge
        return fresh


kept = functools.cache(Kept)
