"""The original's published numbers computed anew, and whether they agree."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from analysis.inputs import Inputs
from analysis.original import published
from analysis.original.circuit import circuit, recoveries
from analysis.original.published import Document
from analysis.original.reproduction import LEFT_OUT, original_pair, reproduced
from analysis.progress import Progress, silent
from analysis.result import Result
from analysis.subject import Subject

TOLERANCES = {
    "weight": 0.005,
    "score": 0.02,
    "recovery": 0.01,
    "logit": 0.01,
    "probability": 0.005,
}
"""What a number may deviate by, by its kind. A score is a product of two differences of weights."""


@dataclass(frozen=True)
class Verification(Result):
    """Published numbers beside the same computed here, one entry a number.

    Attributes:
        model: name of the model.
        groups: which of the original's tables or figures each number is from.
        names: what each number is.
        kinds: what kind of number it is, a key of ``TOLERANCES``.
        published: the value as published.
        here: the value computed here, NaN where the thing does not exist here.
        tolerance: largest deviation that still agrees.
        left_out: published numbers that were not computed.
        reasons: why not, a sentence each.
        circuit: heads and neurons that a later study named around the neuron, alone and together,
            with a plus between those that are patched at once. No numbers of them are published.
        circuit_roles: what that study took them for.
        circuit_recovery: what they recover here, patched at all positions; NaN where the thing does
            not exist here.
    """

    model: str
    groups: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    published: Float[np.ndarray, " number"]
    here: Float[np.ndarray, " number"]
    tolerance: Float[np.ndarray, " number"]
    left_out: tuple[str, ...]
    reasons: tuple[str, ...]
    circuit: tuple[str, ...]
    circuit_roles: tuple[str, ...]
    circuit_recovery: Float[np.ndarray, " members"]

    @property
    def agrees(self) -> Bool[np.ndarray, " number"]:
        """Which numbers lie within their tolerance; one that does not exist here does not."""
        return np.abs(self.here - self.published) <= self.tolerance


def verification(subject: Subject, original: Document, progress: Progress = silent) -> Verification:
    """Compute all that the document lists, by the original's conventions, and compare.

    Raises:
        UserError: the model does not know the prompts or tokens.
    """
    numbers, members = reproduced(subject, original, progress), circuit(original)
    left_out = [
        name
        for name in (*(entry["id"] for entry in original["scalars"]), *original)
        if name in LEFT_OUT
    ]
    return Verification(
        model=subject.origin.name,
        groups=tuple(number.group for number in numbers),
        names=tuple(number.name for number in numbers),
        kinds=tuple(number.kind for number in numbers),
        published=np.array([number.published for number in numbers]),
        here=np.array([number.here for number in numbers]),
        tolerance=np.array([TOLERANCES[number.kind] for number in numbers]),
        left_out=tuple(left_out),
        reasons=tuple(LEFT_OUT[name] for name in left_out),
        circuit=tuple(" + ".join(each.names) for each in members),
        circuit_roles=tuple(each.role for each in members),
        circuit_recovery=np.array(recoveries(subject, original_pair(subject, original), members)),
    )


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Verification:
    """All published numbers, computed anew."""
    return verification(subject, published.document(), progress)


def applies(subject: Subject, inputs: Inputs) -> bool:
    """Whether the published numbers are about this model and question."""
    original, question = published.document(), inputs.question
    words = (question.clean, question.corrupted, question.target, question.foil)
    return published.about(original, subject) and published.same_pair(original, *words)


def summary(result: Verification) -> dict[str, Any]:
    """The verdict as a whole, by group, and number by number."""
    agrees = result.agrees
    rows = zip(
        result.groups, result.names, result.kinds, result.published, result.here,
        result.tolerance, agrees, strict=True,
    )  # fmt: skip
    return {
        "model": result.model,
        "published": True,
        "agree": bool(agrees.all()),
        "groups": [_group(result, name) for name in dict.fromkeys(result.groups)],
        "numbers": [
            {
                "group": group,
                "name": name,
                "kind": kind,
                "published": float(published),
                "here": float(here),
                "tolerance": float(tolerance),
                "verdict": "agrees" if fine else "deviates",
            }
            for group, name, kind, published, here, tolerance, fine in rows
        ],
        "circuit": [
            {"members": members, "role": role, "recovery": float(recovery)}
            for members, role, recovery in zip(
                result.circuit, result.circuit_roles, result.circuit_recovery, strict=True
            )
        ],
        "left_out": [
            {"name": name, "reason": reason}
            for name, reason in zip(result.left_out, result.reasons, strict=True)
        ],
    }


def _group(result: Verification, name: str) -> dict[str, Any]:
    """How many numbers of a group agree, and the one furthest off by its own tolerance."""
    where = np.array([group == name for group in result.groups])
    off = np.abs(result.here - result.published)
    share = np.nan_to_num(off / result.tolerance, nan=np.inf)
    worst = int(np.where(where, share, -1.0).argmax())
    return {
        "group": name,
        "numbers": int(where.sum()),
        "agree": int(result.agrees[where].sum()),
        "furthest_off": result.names[worst],
        "by": float(off[worst]),
        "tolerance": float(result.tolerance[worst]),
    }
