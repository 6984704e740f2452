"""Do two neurons add up, stand in for each other, or need each other?"""

from analysis.declaration import Experiment, Figure

EXPERIMENT = Experiment(
    name="interactions",
    title="Pairs of neurons",
    asks="Do two neurons add up, stand in for each other, or need each other?",
    returns="JSON: the best neurons with what each recovers alone, and for every pair of them the "
    "excess of both together over the sum, its kind, and what runs through the later one.",
    needs=("pair",),
    brief=(("heading", "caption"),),
    figures=(Figure("interactions"),),
    app={},
    tab="sets",
    button="Patch them in pairs",
    intro="The best neurons, two at a time: do they add up?",
    seconds=20,
)
