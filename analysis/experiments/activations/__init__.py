"""On which tokens of a text is a neuron active?"""

from analysis.declaration import SEED, Experiment, Figure, Live, Option

TEXT = Option(
    "text", str, None, "Any text; else the clean prompt.", high=4_000, live=Live(label="Your text")
)
RANDOM_TEXTS = Option(
    "random_texts",
    int,
    0,
    "How many pieces of random news stand beside it in figures.",
    low=0,
    high=10_000,
)
RANDOM_TOKENS = Option("random_tokens", int, 128, "Tokens of each piece of news.", low=1, high=4096)

EXPERIMENT = Experiment(
    name="activations",
    title="Activations",
    asks="How active is a neuron on each token of a text, and how likely is the target there?",
    returns="JSON: tokens, activations, and the probability of the target after each token.",
    needs=("prompts", "neuron", "corpus"),
    options=(TEXT, RANDOM_TEXTS, RANDOM_TOKENS, SEED),
    brief=(("news",),),
    figures=(
        Figure("activations", key=True, live=False),
        Figure("random_text", "news_caption", live=False),
    ),
    study={"random_texts": 100},
    group="Where it fires",
    app={"random_texts": 1, "random_tokens": 60},
    button="Read this text",
    intro="How active is the neuron on each token, and how likely does the model hold the target "
    "as the next one? Blue is above zero, orange below. Press a token to see what the model "
    "expects after it.",
    quick=True,
    seconds=5,
)
