"""The steps that make the paper, in the order of its argument."""

from analysis.steps import breadth, original, pair, texts
from analysis.steps.inputs import Step

STEPS: tuple[Step, ...] = (
    pair.NEXT_TOKEN,
    pair.LOGIT_LENS,
    pair.PATCHING,
    pair.NEURON_SWEEP,
    pair.DIRECT_EFFECT,
    texts.ACTIVATIONS,
    texts.CORPUS_SCAN,
    pair.UPSTREAM,
    pair.COMPOSITION,
    texts.ABLATION,
    texts.INTERVENTION,
    texts.WEIGHT_MODULATION,
    texts.GENERALITY,
    breadth.CENSUS,
    breadth.COMPARISON,
)

EXTRA_STEPS: tuple[Step, ...] = (original.VERIFICATION,)
"""Steps that some studies have."""
