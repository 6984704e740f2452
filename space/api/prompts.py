"""Endpoints that ask about prompts: what is said, what carries the difference."""

from analysis.question import CLEAN, CORRUPTED, FOIL, TARGET
from space.api.tell import tell


def next_token(
    clean: str = CLEAN,
    corrupted: str = CORRUPTED,
    target: str = TARGET,
    foil: str = FOIL,
    model: str = "",
) -> str:
    """What does the model say after each of two prompts?

    Args:
        clean: the prompt that calls for the target.
        corrupted: a prompt of the same length that calls for the foil; may be empty.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: tokens, likeliest next tokens, probabilities and ranks of target and foil.
    """
    return tell(
        "next_token", {}, clean=clean, corrupted=corrupted, target=target, foil=foil, model=model
    )


def logit_lens(
    clean: str = CLEAN,
    corrupted: str = CORRUPTED,
    target: str = TARGET,
    foil: str = FOIL,
    model: str = "",
) -> str:
    """After which half layer does the answer appear in the residual stream?

    Args:
        clean: the prompt that calls for the target.
        corrupted: a prompt of the same number of tokens that calls for the foil.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: the logit difference after every half layer, for both prompts.
    """
    return tell(
        "logit_lens", {}, clean=clean, corrupted=corrupted, target=target, foil=foil, model=model
    )


def patch(
    clean: str = CLEAN,
    corrupted: str = CORRUPTED,
    target: str = TARGET,
    foil: str = FOIL,
    model: str = "",
) -> str:
    """Which MLP, at which position, carries the difference between two prompts?

    Args:
        clean: the prompt that calls for the target.
        corrupted: a prompt of the same number of tokens that calls for the foil.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: recovery by layer and position, both directions of patching.
    """
    return tell(
        "patching", {}, clean=clean, corrupted=corrupted, target=target, foil=foil, model=model
    )


def sweep(
    clean: str = CLEAN,
    corrupted: str = CORRUPTED,
    target: str = TARGET,
    foil: str = FOIL,
    screen: int = 64,
    model: str = "",
) -> str:
    """How much of the difference does each neuron alone recover?

    Args:
        clean: the prompt that calls for the target.
        corrupted: a prompt of the same number of tokens that calls for the foil.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        screen: how many neurons, best by attribution, are patched; 0 patches every one.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: the best and the lowest neurons, each with its recovery.
    """
    options = {"screen": screen}
    return tell(
        "sweep", options, clean=clean, corrupted=corrupted, target=target, foil=foil, model=model
    )


def find_neuron(
    clean: str = CLEAN,
    corrupted: str = CORRUPTED,
    target: str = TARGET,
    foil: str = FOIL,
    model: str = "",
) -> str:
    """Which neurons write the target rather than the foil, and which carry it between prompts?

    Args:
        clean: the prompt that calls for the target.
        corrupted: a prompt of the same number of tokens that calls for the foil.
        target: the token asked for, with its leading space.
        foil: the token it competes with, with its leading space.
        model: name of the model; empty for the Space's own.

    Returns:
        JSON: the best neuron, neurons by weights, neurons by patching, those on both lists.
    """
    return tell("find", {}, clean=clean, corrupted=corrupted, target=target, foil=foil, model=model)
