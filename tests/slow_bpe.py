"""Byte-level BPE the slow, obvious way, from llama.cpp's published rules for cutting text."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import regex

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CUTS = {"gpt-2": (GPT2,), "smollm": (r"\p{N}", GPT2), "llama-bpe": (LLAMA3,)}
"""Each cuts what the one before left; what lies between matches is a piece too."""


def alphabet() -> dict[int, str]:
    """GPT-2's letter for every byte: printable ones stand for themselves."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + n) for n, b in enumerate(others)}


class SlowBpe:
    """Args: the tokens in order, the merges best first, and the name of the rule that cuts."""

    def __init__(self, pieces: Sequence[str], merges: Sequence[str], rule: str) -> None:
        self.numbers = {piece: number for number, piece in enumerate(pieces)}
        self.ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(merges)}
        self.rule, self.letters = rule, alphabet()
        self._word = cache(self.word)

    def encode(self, text: str) -> list[int]:
        words = [text]
        for expression in CUTS[self.rule]:
            words = [piece for word in words for piece in cut(expression, word)]
        return [number for word in words for number in self._word(word)]

    def word(self, word: str) -> list[int]:
        parts = [self.letters[byte] for byte in word.encode()]
        if self.rule == "llama-bpe" and "".join(parts) in self.numbers:
            return [self.numbers["".join(parts)]]
        while len(parts) > 1:
            pairs = list(pairwise(parts))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if best not in self.ranks:
                break
            place = pairs.index(best)
            parts[place : place + 2] = ["".join(best)]
        return [self.numbers[part] for part in parts]


def cut(expression: str, text: str) -> list[str]:
    pieces, end = [], 0
    for found in regex.finditer(expression, text):
        pieces += [text[end : found.start()], found.group()]
        end = found.end()
    return [piece for piece in (*pieces, text[end:]) if piece]
