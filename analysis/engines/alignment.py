"""Where in another model's tokens the same text has been read: alignment by characters."""

from bisect import bisect_left

from analysis.vocabulary import Vocabulary


def aligned(donor: Vocabulary, recipient: Vocabulary, text: str) -> list[tuple[int, int]]:
    """Positions of two models that have read the same of a text, BOS counted.

    A donor's token goes to the first position of the recipient that has seen all of it. Where
    several do (the recipient's token is the longer one), the last stands for all: it has seen the
    most. A first token is like no other, as many models park attention there: it is left out.

    Returns:
        (donor's position, recipient's position), in order.
    """
    seen = _seen(recipient, text)
    found: dict[int, int] = {}
    for place, end in enumerate(_ends(donor, text)):
        other = bisect_left(seen, end)
        if other < len(seen):
            found[other + recipient.prepend_bos] = place + donor.prepend_bos
    return [(ours, theirs) for theirs, ours in found.items() if ours and theirs]


def _ends(model: Vocabulary, text: str) -> list[int]:
    return [end for _, end in model.spans(text)[1]]


def _seen(model: Vocabulary, text: str) -> list[int]:
    """How many characters have been read in full after each token: one can hold part of one."""
    spans = model.spans(text)[1]
    starts = [start for start, _ in spans[1:]] + [len(text)]
    return [min(end, start) for (_, end), start in zip(spans, starts, strict=True)]
