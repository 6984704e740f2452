"""Steps that ask about a neuron in texts: the corpus, other words, other sentences."""

from analysis import corpus
from analysis.engines import elsewhere
from analysis.experiments.ablation import Ablation, ablation
from analysis.experiments.activations import Activations, activations
from analysis.experiments.corpus_scan import CorpusScan, corpus_scan
from analysis.experiments.generality import Generality, generality
from analysis.experiments.intervention import Intervention, intervention
from analysis.experiments.weight_modulation import (
    TEXT_TOKENS,
    TEXTS,
    WeightModulation,
    weight_modulation,
)
from analysis.progress import Progress
from analysis.prompt_set import word_set
from analysis.question import excerpt, make_prompt
from analysis.sentences import SENTENCES, tree_words
from analysis.steps.inputs import Inputs, Step, drawn, neuron
from analysis.subject import Subject

READS = ("analysis.corpus",)

RANDOM_TEXTS, RANDOM_TOKENS = 100, 128
SCAN_DOCUMENTS = 32
ABLATION_TEXTS = 400


def _activations(subject: Subject, inputs: Inputs, progress: Progress) -> Activations:
    pair = inputs.pair
    texts = (pair.clean, pair.corrupted)
    drawn = corpus.sample(RANDOM_TEXTS, inputs.seed)
    unrelated = [make_prompt(subject, excerpt(subject, text, RANDOM_TOKENS)) for _, text in drawn]
    return activations(subject, inputs.neuron, pair.contrast, texts, unrelated, progress)


def _corpus_scan(subject: Subject, inputs: Inputs, progress: Progress) -> CorpusScan:
    texts = corpus.sample(SCAN_DOCUMENTS, inputs.seed)
    contrast = inputs.pair.contrast
    return corpus_scan(subject, inputs.best, contrast, texts, inputs.seed, progress=progress)


def _ablation(subject: Subject, inputs: Inputs, progress: Progress) -> Ablation:
    pair, seed = inputs.pair, inputs.seed
    others = word_set(subject, pair.contrast, (pair.clean, pair.corrupted))
    texts = corpus.sample(ABLATION_TEXTS, seed)
    return ablation(
        subject, inputs.neuron, pair.contrast, pair.clean, others, texts, seed, progress=progress
    )


def _intervention(subject: Subject, inputs: Inputs, progress: Progress) -> Intervention:
    pair, asked = inputs.pair, inputs.neuron
    texts = corpus.sample(elsewhere.TEXTS, inputs.seed)
    others = elsewhere.neuron_elsewhere(subject, asked, texts)
    return intervention(
        subject, asked, pair.contrast, pair.clean, others, seed=inputs.seed, progress=progress
    )


def _weight_modulation(subject: Subject, inputs: Inputs, progress: Progress) -> WeightModulation:
    prompts, contrast = (inputs.pair.clean, inputs.pair.corrupted), inputs.pair.contrast
    drawn = corpus.sample(TEXTS, inputs.seed)
    texts = [make_prompt(subject, excerpt(subject, text, TEXT_TOKENS)) for _, text in drawn]
    asked = contrast, prompts, texts, inputs.seed
    return weight_modulation(subject, inputs.neuron, *asked, progress=progress)


def _generality(subject: Subject, inputs: Inputs, progress: Progress) -> Generality:
    asked = inputs.pair.contrast, SENTENCES, tree_words()
    return generality(subject, inputs.neuron, *asked, inputs.seed, progress)


ACTIVATIONS = Step(
    "activations",
    Activations,
    _activations,
    {"neuron": neuron, "random_texts": drawn(f"{RANDOM_TEXTS} of {RANDOM_TOKENS} tokens")},
    READS,
)
CORPUS_SCAN = Step(
    "corpus_scan",
    CorpusScan,
    _corpus_scan,
    {
        "neuron": neuron,
        "rivals": lambda inputs: tuple(map(str, inputs.best[1:])),
        "documents": drawn(f"{SCAN_DOCUMENTS} whole"),
    },
    READS,
)
ABLATION = Step(
    "ablation",
    Ablation,
    _ablation,
    {"neuron": neuron, "ablation_texts": drawn(f"windows from {ABLATION_TEXTS}")},
    READS,
)
INTERVENTION = Step(
    "intervention",
    Intervention,
    _intervention,
    {
        "neuron": neuron,
        "elsewhere": drawn(f"{elsewhere.TEXTS} of {elsewhere.TEXT_TOKENS} tokens"),
    },
    (*READS, "analysis.engines.elsewhere"),
)
WEIGHT_MODULATION = Step(
    "weight_modulation",
    WeightModulation,
    _weight_modulation,
    {"neuron": neuron, "loss_texts": drawn(f"{TEXTS} of {TEXT_TOKENS} tokens")},
    READS,
)
GENERALITY = Step(
    "generality",
    Generality,
    _generality,
    {"neuron": neuron, "sentences": lambda _: SENTENCES, "words": lambda _: tree_words()},
)
