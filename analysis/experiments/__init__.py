"""The experiments, in the order of the argument. To add one: a folder, and its name here."""

from importlib import import_module

from analysis.declaration import Experiment

NAMES = (
    "next_token",
    "logit_lens",
    "patching",
    "neuron_sweep",
    "neuron_sets",
    "interactions",
    "direct_effect",
    "writers",
    "activations",
    "corpus_scan",
    "upstream",
    "composition",
    "circuit",
    "ablation",
    "intervention",
    "weight_modulation",
    "generality",
    "crossed",
    "robustness",
    "transplant",
    "census",
    "comparison",
    "library",
    "verification",
    "find",
)

EXPERIMENTS: list[Experiment] = [
    import_module(f"analysis.experiments.{name}").EXPERIMENT for name in NAMES
]


def register(experiment: Experiment) -> None:
    """Add an experiment whose folder lies elsewhere; it comes last."""
    EXPERIMENTS.append(experiment)


def named(name: str) -> Experiment:
    """The experiment of that name."""
    return next(each for each in EXPERIMENTS if each.name == name)


def steps() -> tuple[Experiment, ...]:
    """Those that a study has."""
    return tuple(each for each in EXPERIMENTS if each.study is not None)


def studied() -> tuple[Experiment, ...]:
    """Those that a study may have a result of: its steps, and what is kept there beside them."""
    return tuple(each for each in EXPERIMENTS if each.study is not None or each.apart)
