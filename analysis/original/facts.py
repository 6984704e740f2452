"""What a study found beside what the original published, as far as both asked the same."""

from dataclasses import dataclass

import numpy as np

from analysis.evidence import Evidence
from analysis.experiments.logit_lens.facts import largest_jump
from analysis.experiments.verification.compute import TOLERANCES, Verification, summary
from analysis.original.published import Document, at_the_end, document, lens_curve, same_pair, words
from analysis.questions import Question
from analysis.study_facts import StudyFacts

KEYS = ("groups", "numbers", "circuit", "left_out")
"""Parts of what a verification says that are laid beside."""

SHORT = 60
"""Groups of so many numbers at most are shown number by number."""


@dataclass(frozen=True)
class Layer:
    """The layer of a component that recovers most at the last position, and how deep it lies."""

    name: str
    recovery: float
    depth: float


@dataclass(frozen=True)
class Answers:
    """What one study answered."""

    neurons: int  # of the model
    p_target: float  # after the clean prompt
    logit_diff: float
    jump: str  # the component at which the lens jumps
    attention: Layer  # the best layer of each
    mlp: Layer
    neuron: str  # the best neuron
    recovery: float

    @property
    def attention_first(self) -> bool:
        """Whether the best attention layer comes before the best MLP."""
        return self.attention.depth < self.mlp.depth


@dataclass(frozen=True)
class Group:
    """Published numbers of one table or figure, computed anew."""

    group: str
    numbers: int
    agree: int
    furthest_off: str
    by: float
    tolerance: float


@dataclass(frozen=True)
class Number:
    """A published number, computed anew."""

    group: str
    name: str
    kind: str
    published: float
    here: float
    tolerance: float
    verdict: str


@dataclass(frozen=True)
class Verified:
    """How many of the published numbers come out, and how many do not."""

    numbers: int
    agree: int
    deviate: int


@dataclass(frozen=True)
class Members:
    """Heads and neurons of the circuit that a later study named, patched here at once."""

    members: str
    role: str
    recovery: float


@dataclass(frozen=True)
class Facts:
    """This study beside the original."""

    here: Answers  # what this one answered
    published: Answers | None  # what the original answered; None where it asked about other prompts
    verified: Verified | None  # where the model is the original's, how its numbers come out
    groups: tuple[Group, ...]  # of them
    numbers: tuple[Number, ...]  # those of short groups, and every one that deviates
    circuit: tuple[Members, ...]  # of the neuron, alone and together
    left_out: tuple[tuple[str, str], ...]  # published numbers that were not computed, and why not
    tolerances: tuple[tuple[str, float], ...] = tuple(TOLERANCES.items())  # by kind of number


def same_words(question: Question) -> bool:
    """Whether a study asks for the words that the original asked for."""
    return (question.target, question.foil) == words(document())


def comparable(evidence: Evidence) -> bool:
    """Whether a study asks for those words, and has all that is laid beside the original."""
    laid_beside = evidence.has("next_token", "logit_lens", "patching", "neuron_sweep")
    return same_words(evidence.question) and laid_beside


def facts(study: StudyFacts) -> Facts:
    """Lay a study beside the original."""
    evidence, theirs = study.evidence, document()
    pair = evidence.patching
    same = same_pair(theirs, pair.clean, pair.corrupted, pair.target, pair.foil)
    checked = evidence.verification if evidence.has("verification") else None
    rows = summary(checked) if checked else dict.fromkeys(KEYS, ())
    groups = tuple(Group(**row) for row in rows["groups"])
    short = {group.group for group in groups if group.numbers <= SHORT}
    numbers = (Number(**row) for row in rows["numbers"])
    return Facts(
        here=_here(study),
        published=_published(theirs) if same else None,
        verified=_verified(checked) if checked else None,
        groups=groups,
        numbers=tuple(n for n in numbers if n.verdict == "deviates" or n.group in short),
        circuit=tuple(Members(**row) for row in rows["circuit"]),
        left_out=tuple((row["name"], row["reason"]) for row in rows["left_out"]),
    )


def _here(study: StudyFacts) -> Answers:
    sweep, result = study.of.neuron_sweep, study.evidence.patching
    ends = dict(zip(result.components, result.restored[:, :, -1], strict=True))
    return Answers(
        neurons=sweep.neurons,
        p_target=study.of.next_token.clean.p_target,
        logit_diff=result.clean_diff,
        jump=study.of.logit_lens.jump.component,
        attention=_best("attention", ends["attn_out"]),
        mlp=_best("MLP", ends["mlp_out"]),
        neuron=study.neuron,
        recovery=sweep.recovery[0],
    )


def _published(theirs: Document) -> Answers:
    known = {entry["id"]: entry["value"] for entry in theirs["scalars"]}
    shape, ends = theirs["model"], at_the_end(theirs)
    return Answers(
        neurons=shape["layers"] * shape["d_mlp"],
        p_target=known["clean_p_an"],
        logit_diff=known["clean_logit_diff"],
        jump=largest_jump(np.array(lens_curve(theirs))).component,
        attention=_best("attention", np.array(ends["attn_out"])),
        mlp=_best("MLP", np.array(ends["mlp_out"])),
        neuron=shape["neuron"],
        recovery=known["recovery_" + shape["neuron"]],
    )


def _best(name: str, curve: np.ndarray) -> Layer:
    layer = int(curve.argmax())
    return Layer(f"{name} {layer}", float(curve[layer]), (layer + 1) / len(curve))


def _verified(checked: Verification) -> Verified:
    agree = int(checked.agrees.sum())
    return Verified(len(checked.names), agree, len(checked.names) - agree)
