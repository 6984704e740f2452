"""The circuit that a later public study named around the original's neuron, patched here.

It printed which heads and neurons belong to it, and no numbers: what they recover, alone and
together, can be computed, and only for the neuron itself laid beside something published.
"""

from dataclasses import dataclass

from analysis.engines.mediation import recovered_together
from analysis.original.published import Document
from analysis.prompts import PromptPair
from analysis.subject import Subject


@dataclass(frozen=True)
class Members:
    """Components of the circuit that are patched at once.

    Attributes:
        role: what the later study took them for.
        names: heads and neurons, as in ``L26H1`` and ``L31N892``.
    """

    role: str
    names: tuple[str, ...]


def circuit(published: Document) -> tuple[Members, ...]:
    """Each component that the document names, then some together; nothing if it names none."""
    if "circuit_identities" not in published:
        return ()
    named = published["circuit_identities"]
    head, _, moves = named["mover_head"].partition(" ")
    early, upstream = tuple(named["vowel_neurons"]), named["upstream_neuron"]
    neuron, second = published["model"]["neuron"], named["second_output_neuron"]
    before = (*early, head, upstream)
    return (
        *(Members("early neuron, active on vowels", (name,)) for name in early),
        Members(f"head that moves {moves.strip('()')}".strip(), (head,)),
        Members("neuron upstream of the neuron", (upstream,)),
        Members("the neuron", (neuron,)),
        Members("second output neuron", (second,)),
        Members("the early neurons together", early),
        Members("early neurons and head together", (*early, head)),
        Members("all before the neuron together", before),
        Members("both output neurons together", (neuron, second)),
        Members("the whole circuit together", (*before, neuron, second)),
    )


def recoveries(subject: Subject, pair: PromptPair, members: tuple[Members, ...]) -> list[float]:
    """What each recovers, patched at all positions; NaN where the model has no such component."""
    has = [all(_exists(subject, name) for name in each.names) for each in members]
    sets = [each.names for each, present in zip(members, has, strict=True) if present]
    found = iter(recovered_together(subject, pair, sets).tolist() if sets else ())
    return [next(found) if present else float("nan") for present in has]


def _exists(subject: Subject, name: str) -> bool:
    layer, number = map(int, name[1:].replace("H", "N").split("N"))
    many = subject.config.num_attention_heads if "H" in name else subject.d_mlp
    return layer < subject.n_layers and number < many
