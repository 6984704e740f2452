"""Numbers and verdicts that compare several experiments of a study, or are about it as a whole.

Facts of one experiment are read off its own Result alone; these stand above them.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from analysis.criteria import NOTABLE, SMALL, STRONG
from analysis.declaration import Experiment
from analysis.evidence import Evidence
from analysis.experiments import named
from analysis.experiments.activations.facts import sign_of
from analysis.experiments.neuron_sweep.measured import ranked
from analysis.neuron import parse_neuron
from analysis.original.published import NAMES as ORIGINAL


def facts_of(experiment: Experiment, result: Any, sign: int | None = None) -> Any:
    """Numbers and verdicts of one Result.

    Args:
        experiment: whose Result.
        result: the Result.
        sign: of the activation with which the neuron is used, where it is known from elsewhere;
            an experiment that is about a neuron reads it off its own Result otherwise.
    """
    facts = experiment.module("facts").facts
    return facts(result, sign) if experiment.asks_about_a_neuron else facts(result)


class Others:
    """Facts of the experiments of a study, by name: ``study.of.neuron_sweep``."""

    def __init__(self, evidence: Evidence, sign: int) -> None:
        self._evidence, self._sign = evidence, sign

    def __getattr__(self, name: str) -> Any:
        """Facts of one experiment.

        Raises:
            AttributeError: the study has no result of it.
        """
        facts = facts_of(named(name), getattr(self._evidence, name), self._sign)
        self.__dict__[name] = facts  # read off once, then there as any attribute
        return facts


@dataclass(frozen=True)
class LowestNeuron:
    """The neuron that the sweep found most opposed to the answer."""

    name: str  # of it
    effect: float  # of patching it by itself, in logits
    later: bool  # whether it stands behind the chosen neuron
    written: float  # what it writes differently where that one alone is patched, in logits
    answers: bool  # whether this is half of its effect or more


@dataclass(frozen=True)
class LensComponent:
    """The component to which the lens points, and what patching makes of it."""

    name: str  # of it
    rank: int  # among all components at the last position by their recovery, 1 for the best
    recovery: float  # of it alone


@dataclass(frozen=True)
class StudyFacts:
    """What the study as a whole knows."""

    evidence: Evidence

    @cached_property
    def sign(self) -> int:
        """Of the activation with which the neuron is used: 1 up, -1 down.

        Where target or foil is several tokens long, activations are not asked: the sweep knows.
        """
        if self.evidence.has("activations"):
            return sign_of(self.evidence.activations)
        sweep = self.evidence.neuron_sweep
        change = sweep.activation_change[parse_neuron(self.neuron, *sweep.recovery.shape)]
        return -1 if change < 0 else 1

    @cached_property
    def of(self) -> Others:
        """Facts of each experiment, by its name."""
        return Others(self.evidence, self.sign)

    @cached_property
    def choosing_words(self) -> tuple[str, ...]:
        """Words of the question's groups that stand in the pair that chose the neuron."""
        result, sweep = self.evidence.generality, self.evidence.neuron_sweep
        chose = f"{sweep.clean} {sweep.corrupted}".split()
        words = (*result.target_words, *result.foil_words)
        return tuple(word for word in words if word in chose)

    @cached_property
    def lowest_neuron(self) -> LowestNeuron | None:
        """The neuron most opposed to the answer.

        None where no layer stands behind the chosen, or what later ones write was not asked.
        """
        if not self.evidence.has("composition"):
            return None
        sweep, result = self.evidence.neuron_sweep, self.evidence.composition
        lowest = ranked(sweep)[-1]
        if len(ranked(sweep)) < 2 or not result.heads_full.shape[1]:
            return None
        effect = float(sweep.recovery[lowest]) * (sweep.clean_diff - sweep.corrupted_diff)
        later = lowest.layer >= result.first_later
        written = result.full()[str(lowest)] if later else 0.0
        answers = written * effect > 0 and abs(written) >= abs(effect) / 2
        return LowestNeuron(str(lowest), effect, later, written, answers)

    @cached_property
    def lens_component(self) -> LensComponent | None:
        """Where the lens points, as patching ranks it; None where one of the two was not asked."""
        if not self.evidence.has("logit_lens", "patching"):
            return None
        name, components = self.of.logit_lens.at.component, self.of.patching.components
        rank, found = next((i, c) for i, c in enumerate(components, 1) if c.name == name)
        return LensComponent(name, rank, found.restored)

    @property
    def neuron(self) -> str:
        """The neuron that the sweep of all neurons found."""
        return self.evidence.neuron

    @cached_property
    def compared_model(self) -> Any:
        """The row of the study's own model among those compared, the first if it has none."""
        models, name = self.of.comparison.models, self.evidence.origin.model
        return next((model for model in models if model.name == name), models[0])

    @cached_property
    def model(self) -> str:
        """The model's full name where its source tells it, else the catalogue's."""
        match = re.search(r"\(([^,()]+), Q\d", self.evidence.origin.source)
        return match[1] if match else self.evidence.origin.model

    @property
    def of_words(self) -> bool:
        """Whether its other prompts are the pair's own sentence with other words in it."""
        question = self.evidence.question
        before, slot, behind = question.template.partition("{}")
        own = question.clean.startswith(before) and question.clean.endswith(behind)
        return bool(question.has_words and slot and own)

    @property
    def of_one_sentence(self) -> bool:
        """Whether all pairs are that sentence, and none is written out."""
        return self.of_words and not self.evidence.question.pairs

    @property
    def asks_originals_model(self) -> bool:
        """Whether the model is that of the original study."""
        return self.evidence.origin.model in ORIGINAL

    @property
    def small(self) -> bool:
        """Whether the model has few neurons."""
        return bool(self.of.neuron_sweep.neurons < SMALL)

    @cached_property
    def quantised(self) -> str:
        """The name of the format in which its weights were quantised, where its source tells it."""
        match = re.search(r"\bI?Q\d_\w+", self.evidence.origin.source)
        return match[0] if match else ""

    @property
    def tuned(self) -> bool:
        """Whether it was tuned on instructions, as far as its source tells."""
        return "instruct" in self.evidence.origin.source.lower()

    @property
    def carries(self) -> bool:
        """Whether one neuron, ahead of the others, carries a good part of the difference."""
        sweep = self.of.neuron_sweep
        return bool(sweep.recovery[0] >= STRONG and sweep.leads)

    @property
    def dispensable(self) -> bool:
        """Whether the neuron brings the answer, and hardly any of it is lost without it."""
        needed = self.decides or self.raises
        return self.carries and not needed and self.of.neuron_sweep.noising < NOTABLE

    @property
    def missed(self) -> bool:
        """Whether taking the neuron away was tried on news, and the model needs it there."""
        news = self.of.ablation.before_target if self.evidence.has("ablation") else None
        return news is not None and news.needed

    @property
    def of_news_too(self) -> bool:
        """Whether the corpus was read, and the activation tells there where the word comes."""
        return self.evidence.has("corpus_scan") and self.of.corpus_scan.next.serves

    @property
    def fails_in_no_sentence(self) -> bool:
        """Whether other sentences were asked of it, and none shows that it fails."""
        held = self.of.generality.held_out if self.evidence.has("generality") else None
        return held is not None and (held.separates == held.sentences or not held.enough)

    @property
    def suppressed(self) -> bool:
        """Whether activations were asked, and the neuron is silenced where the word comes."""
        return self.evidence.has("activations") and self.of.activations.pair.suppressed

    @property
    def decides(self) -> bool:
        """Whether taking the neuron away was asked, and turns the answer."""
        return self.evidence.has("ablation") and self.of.ablation.decides

    @property
    def raises(self) -> bool:
        """Whether that was asked, and makes the answer less likely."""
        return self.evidence.has("ablation") and self.of.ablation.raises

    @property
    def confirmed(self) -> bool:
        """Whether pairs that did not choose the neuron put it first, too."""
        held_out = self.of.neuron_sweep.held_out
        return held_out is not None and held_out.holds
