"""What does the model say next?"""

from analysis.declaration import Experiment, Figure

EXPERIMENT = Experiment(
    name="next_token",
    title="The prompt",
    asks="What does the model say next, after each of two prompts?",
    returns="JSON: tokens, likeliest next tokens, probabilities and ranks of target and foil; how "
    "often ordinary prose gets the target.",
    needs=("prompts", "natural"),
    long=True,
    brief=(("natural_caption",),),
    figures=(
        Figure("next_token", "next_caption", key=True),
        Figure("natural_prompts", "natural_caption", needs=("natural",), live=False),
    ),
    also="prompt",
    app={},
    tab="patching",
    quick=True,
    seconds=5,
)
