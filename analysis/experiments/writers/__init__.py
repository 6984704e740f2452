"""Which neurons write a token most, by their output weights alone?"""

from analysis.declaration import Experiment, Live, Option

EXPERIMENT = Experiment(
    name="writers",
    title="Neurons that write a token",
    asks="Which neurons write a token most, by their output weights alone?",
    returns="JSON: neurons, with what each writes for a unit of activation above zero.",
    long=True,  # beside a token of its own; by themselves such words have no weights
    options=(
        Option(
            "token",
            str,
            None,
            "Any token with its space, against all others; else target against foil.",
            high=80,
            live=Live(label="Any token, with its space; empty for target against foil"),
        ),
        Option("top", int, 20, "How many neurons.", low=1, live=Live(high=100)),
    ),
    study=None,
    app={},
    tab="direct_effect",
    button="Search its neurons",
    intro="And which neurons write a token?",
    seconds=5,
)
