"""The sweep as tables: its best neurons, and their confirmation."""

from analysis.experiments.neuron_sweep.compute import summary
from analysis.experiments.neuron_sweep.measured import NeuronSweep
from analysis.tables import NEURON, RECOVERY, Column, Listing, Rows, Table, part

PRINTED, SHOWN = 100, 10


def _both_ends(result: NeuronSweep) -> Rows:
    answer = summary(result, SHOWN)
    return [
        {**row, "direction": "rises" if row["activation_change"] > 0 else "falls"}
        for row in [*answer["neurons"], *answer["lowest"][::-1]]
    ]


TABLES = (
    Table(
        "sweep",
        "Neurons by the share of the logit difference that patching each alone recovers.",
        part(summary, "neurons", PRINTED),
        (NEURON, RECOVERY, Column("activation_change", "Change of activation")),
    ),
    Table(
        "confirmation",
        "Recovery of the best neurons on pairs of prompts that took no part in their choice, with "
        "bootstrap intervals.",
        part(summary, "held_out"),
        (
            NEURON,
            Column("recovery", "Recovery, held out", span="recovery_interval"),
            Column("noising", "Lost by noising", span="noising_interval"),
            Column("beside_best", "Beside the best", span="beside_best_interval"),
        ),
    ),
)
LISTING = Listing("The best and the lowest neurons", _both_ends)
