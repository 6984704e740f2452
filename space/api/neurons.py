"""Endpoints that ask about one neuron."""

from analysis.question import CLEAN, CORRUPTED, FOIL, TARGET
from space.api.tell import tell
from space.settings import WRITTEN


def activations(
    text: str = CLEAN,
    neuron: str = "",
    target: str = TARGET,
    foil: str = FOIL,
    model: str = "",
) -> str:
    """How active is a neuron on each token of a text, and how likely is the target there?

    Args:
        text: any text.
        neuron: such as L25N1527; empty for the model's own.
        target: the token whose probability is wanted, with its leading space.
        foil: another token, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: tokens, activations, and the probability of the target after each token.
    """
    return tell("activations", {}, text=text, neuron=neuron, target=target, foil=foil, model=model)


def direct_effect(neuron: str = "", target: str = TARGET, foil: str = FOIL, model: str = "") -> str:
    """Which tokens does a neuron write, whatever the prompt?

    Args:
        neuron: such as L25N1527; empty for the model's own.
        target: the token whose rank is wanted, with its leading space.
        foil: another token, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: the tokens raised and lowered most, rank and standard score of the target.
    """
    return tell("direct_effect", {}, neuron=neuron, target=target, foil=foil, model=model)


def upstream(
    neuron: str = "",
    clean: str = CLEAN,
    corrupted: str = CORRUPTED,
    target: str = TARGET,
    foil: str = FOIL,
    model: str = "",
) -> str:
    """Where does a neuron's pre-activation come from?

    Args:
        neuron: such as L25N1527; empty for the model's own.
        clean: the prompt that calls for the target.
        corrupted: a prompt of the same number of tokens that calls for the foil.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: parts that sum to the pre-activation, heads by source token, one step further back.
    """
    pair = {"clean": clean, "corrupted": corrupted, "target": target, "foil": foil}
    return tell("upstream", {}, neuron=neuron, model=model, **pair)


def composition(
    neuron: str = "",
    clean: str = CLEAN,
    corrupted: str = CORRUPTED,
    target: str = TARGET,
    foil: str = FOIL,
    model: str = "",
) -> str:
    """How much of a neuron's effect is direct, and what do later components add or cancel?

    Args:
        neuron: such as L25N1527; empty for the model's own.
        clean: the prompt that calls for the target.
        corrupted: a prompt of the same number of tokens that calls for the foil.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: total, direct and indirect effect, and the later components' parts.
    """
    pair = {"clean": clean, "corrupted": corrupted, "target": target, "foil": foil}
    return tell("composition", {}, neuron=neuron, model=model, **pair)


def intervene(
    neuron: str = "",
    clean: str = CLEAN,
    target: str = TARGET,
    foil: str = FOIL,
    factor: float = 2.0,
    length: int = WRITTEN,
    model: str = "",
) -> str:
    """What is answered, and written on, with a neuron's activation exchanged in one prompt?

    Args:
        neuron: such as L25N1527; empty for the model's own.
        clean: the prompt.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        factor: what the last setting multiplies the activation by.
        length: tokens to write on.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: zero, mean, resample, negate and factor: probabilities, KL and the text that follows.
    """
    options = {"factor": factor, "length": length}
    return tell(
        "intervene", options, neuron=neuron, clean=clean, target=target, foil=foil, model=model
    )


def scan(
    neuron: str = "",
    target: str = TARGET,
    foil: str = FOIL,
    articles: int = 2,
    seed: int = 0,
    model: str = "",
) -> str:
    """Where on news is a neuron highest and lowest, and does it tell where the target comes?

    Args:
        neuron: such as L25N1527; empty for the model's own.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        articles: how many articles are read.
        seed: which articles are drawn.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: examples by activation, the curve, precision, recall and AUC.
    """
    options = {"articles": articles, "seed": seed}
    return tell("scan", options, neuron=neuron, target=target, foil=foil, model=model)


def find_writers(token: str = "", target: str = TARGET, foil: str = FOIL, model: str = "") -> str:
    """Which neurons write a token most, by their output weights alone?

    Args:
        token: any token, with its leading space; empty for the target rather than the foil.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: neurons, the direction in which each writes it, and how strongly.
    """
    return tell("writers", {"token": token}, target=target, foil=foil, model=model)
