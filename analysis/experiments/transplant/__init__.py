"""Can the neuron be copied into another model?"""

from analysis.declaration import SEED, Experiment, Figure, Live, Option

EXPERIMENT = Experiment(
    name="transplant",
    title="The neuron in another model",
    asks="Can a neuron be copied into another model, and does that gain what it does?",
    returns="JSON: the layer and the fit, the margin on held-out words, sentences and articles "
    "before and after, with controls, what it costs, and the verdict.",
    needs=("words", "neuron", "corpus"),
    single="what is built in writes one token less the other",
    options=(
        Option(
            "recipient",
            str,
            "",
            "The model that gets the neuron; by itself the donor, with the neuron cut out.",
        ),
        Option("layer", str, "auto", "Where in the recipient: a number, or auto for the best fit."),
        Option("cut", str, "", "A neuron of the recipient to cut out first, such as L25N1527."),
        Option(
            "contexts",
            int,
            60,
            "Places in articles to learn from, before target and foil each.",
            low=8,
            high=1000,
            live=Live(low=8, high=16, step=1, label="Places in articles to learn from"),
        ),
        SEED,
    ),
    figures=(Figure("transplant"), Figure("transplant_layers", "layers_caption")),
    study=None,
    apart=True,
    beside=("recipient", "cut", "seed"),
    app={"contexts": 8},
    group="Test it",
    button="Cut it out and put it back",
    intro="A neuron of one model, fitted to read in another what it reads in its own. Live, the "
    "model itself, with the neuron cut out, gets it back; another model takes the command line.",
    seconds=60,
    patience=3,
)
