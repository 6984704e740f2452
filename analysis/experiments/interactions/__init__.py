"""Do two neurons add up, stand in for each other, or need each other?"""

from analysis.declaration import Experiment, Figure, Option

HELD_OUT = Option("held_out", int, 10, "How many other pairs confirm it, at most.", low=0)

EXPERIMENT = Experiment(
    name="interactions",
    title="Pairs of neurons",
    asks="Do two neurons add up, stand in for each other, or need each other?",
    returns="JSON: the best neurons with what each recovers alone, and for every pair of them the "
    "excess of both together over the sum, its kind, and what runs through the later one; of the "
    "very best the excess on held-out pairs.",
    needs=("pair", "held_out"),
    options=(HELD_OUT,),
    brief=(("caption",),),
    figures=(Figure("interactions"),),
    app={"held_out": 0},
    tab="sets",
    button="Patch them in pairs",
    intro="The best neurons, two at a time: do they add up?",
    seconds=20,
)
