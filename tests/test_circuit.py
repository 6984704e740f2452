"""The circuit: planted chains of which every edge is known, and hooks."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch

from analysis.engines.nodes import Node
from analysis.experiments.circuit import compute
from analysis.experiments.circuit.compute import circuit, through
from analysis.experiments.circuit.edges import Edges, computed_at
from analysis.experiments.circuit.facts import facts
from analysis.experiments.circuit.graph import Graph
from analysis.experiments.circuit.measured import SHARES, area, edge_rows
from analysis.family import part
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.progress import silent
from analysis.prompts import make_pair
from analysis.questions.question import Question
from tests.plant import LOUD, ON, Planted
from tests.prose import check_opposites
from tests.questions import CLEAN, CORRUPTED, PAIR
from tests.reference import diff_with_hooks, patched_recoveries
from tests.subjects import make_subject
from tests.synthetic import Plan, evidence, toy_plan

FIRST, SECOND = Neuron(0, 3), Neuron(1, 7)
STAGES = {"z": "attn.hook_z", "activations": "mlp.hook_post"}


def chain(architecture):
    """The last token is exchanged; the first neuron reads it, the second reads the first alone."""
    planted = Planted(architecture)
    subject, answer = planted.subject, planted.answer
    planted.pair = make_pair(
        subject, "I climbed up the apple", "I climbed up the lemon", " an", " a"
    )
    with torch.no_grad():
        for block in subject.blocks:
            part(block, subject.family.attn_out).weight.zero_()
            part(block, subject.family.mlp_out).weight.zero_()
    clean, corrupted = planted.pair.clean, planted.pair.corrupted
    planted.plant(FIRST, [(clean, (), ON), (corrupted, (), 0)], planted.aside(0))
    cases = [(clean, (), ON), (corrupted, (), 0), (corrupted, (FIRST,), ON), (clean, (FIRST,), 0)]
    planted.plant(SECOND, cases, 10 * LOUD * answer)
    return planted


SOME = [
    "llama",
    pytest.param("gpt2", marks=pytest.mark.slow),
    pytest.param("gpt_neox", marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", SOME)
def test_a_planted_chain_is_drawn_with_its_edges_and_no_others(architecture):
    planted = chain(architecture)
    found = circuit(planted.subject, planted.pair)
    drawn = {(row["sender"], row["receiver"]) for row in edge_rows(found)}
    assert drawn == {("token", str(FIRST)), (str(FIRST), str(SECOND)), (str(SECOND), "answer")}
    assert found.faithful == pytest.approx(1, abs=0.1)
    assert found.without == pytest.approx(0, abs=0.05)
    seen = facts(found)
    assert seen.path == (str(FIRST), str(SECOND))
    assert (seen.verdict, seen.complete, seen.opposed) == ("whole", True, None)


@pytest.fixture
def graph(subject, pair):
    return Graph(subject, pair, 6)


def test_all_nodes_are_the_clean_run_and_none_the_corrupted(graph):
    every = torch.ones(1, len(graph.nodes.listed), dtype=torch.bool)
    found = graph.together(torch.cat([every, ~every]))
    np.testing.assert_allclose(found, [1, 0], atol=1e-4)


def test_every_value_of_a_run_belongs_to_one_node(graph):
    nodes = graph.nodes
    sets = torch.eye(len(nodes.listed), dtype=torch.bool)
    for layer in range(nodes.layers):
        for stage in STAGES:
            assert (nodes.members(sets, layer, stage).sum(0) == 1).all()


def test_a_neuron_alone_is_what_the_sweep_measures(subject, pair):
    neurons = [Neuron(0, 1), Neuron(2, 4)]
    last = len(pair.clean.tokens) - 1 - pair.start
    graph = Graph(subject, pair, [(neuron, last) for neuron in neurons])
    alone = graph.alone(graph.nodes.listed[-2:])
    expected = patched_recoveries(subject, pair, neurons, "last")
    np.testing.assert_allclose(alone[0], expected, atol=1e-3)


def some_nodes(graph):
    """A few nodes of every kind, some at the exchanged token and some at the end."""
    last = graph.nodes.suffix - 1
    layers = graph.nodes.layers
    chosen = [
        Node(0, "z", last, "head", 0),
        Node(0, "activations", 0, "mlp", -1),
        Node(0, "activations", last, "mlp", -1),
        Node(1, "z", last, "head", 1),
        Node(layers - 1, "activations", last, "mlp", -1),
        *graph.nodes.listed[-2:],
    ]
    return sorted(set(chosen), key=computed_at)


class Hooked:
    """The slow, obvious way: freeze everything by hooks but for what is sent, and look."""

    def __init__(self, subject, pair, graph):
        self.subject, self.pair, self.graph = subject, pair, graph
        self.clean, self.corrupted = (
            {(layer, stage): values for stage, name in STAGES.items()
             for layer, values in enumerate(subject.cache(prompt.tokens, name)[name])}
            for prompt in (pair.clean, pair.corrupted)
        )  # fmt: skip
        self.diffs = [
            diff_with_hooks(subject, pair, prompt.tokens, [])
            for prompt in (pair.clean, pair.corrupted)
        ]

    def share(self, tokens, puts, seen=None):
        """Recovery with values put in; what would have stood there is kept."""

        def put(value, hook, place):
            if seen is not None:
                seen[place] = value[0].flatten(1).clone()
            return puts[place](value[0].flatten(1).clone()).view_as(value)

        hooks = [
            (f"blocks.{layer}.{STAGES[stage]}", partial(put, place=(layer, stage)))
            for layer, stage in puts
        ]
        found = diff_with_hooks(self.subject, self.pair, tokens, hooks)
        return (found - self.diffs[1]) / (self.diffs[0] - self.diffs[1])

    def with_values(self, node, source):
        """Puts a node's values of some source into what it is given."""
        at, own = self.pair.start + node.position, self.graph.nodes.own(node)

        def put(values):
            values[at, own] = source[node.layer, node.stage][at, own]
            return values

        return put

    def edge(self, sender, receiver):
        frozen = {place: lambda _, own=own: own.clone() for place, own in self.corrupted.items()}
        tokens, seen = self.pair.corrupted.tokens, {}
        if sender is None:
            tokens = self.pair.clean.tokens
        else:
            place = (sender.layer, sender.stage)
            send, own = self.with_values(sender, self.clean), self.corrupted[place]
            frozen[place] = lambda _: send(own.clone())
        share = self.share(tokens, frozen, seen)
        if receiver is None:
            return share
        answer = {(receiver.layer, receiver.stage): self.with_values(receiver, seen)}
        return self.share(self.pair.corrupted.tokens, answer)


@pytest.mark.slow
def test_every_edge_is_what_hooks_measure(subject, pair, graph):
    nodes, hooked = some_nodes(graph), Hooked(subject, pair, graph)
    edges = Edges(graph, nodes)
    found, possible = edges.effects(), edges.possible
    assert (found.isfinite() == possible).all()
    for i, j in possible.nonzero().tolist():
        sender = nodes[i - 1] if i else None
        receiver = nodes[j] if j < len(nodes) else None
        expected = hooked.edge(sender, receiver)
        assert float(found[i, j]) == pytest.approx(expected, abs=2e-3), (sender, receiver)


def test_all_edges_among_some_nodes_are_these_nodes_alone(graph):
    nodes = some_nodes(graph)
    edges = Edges(graph, nodes)
    sets = torch.zeros(1, len(graph.nodes.listed), dtype=torch.bool)
    sets[0, [graph.nodes.number[node] for node in nodes]] = True
    by_edges = edges.faithful(torch.stack([edges.possible, torch.zeros_like(edges.possible)]))
    assert float(by_edges[0]) == pytest.approx(float(graph.together(sets)), abs=1e-3)
    assert float(by_edges[1]) == pytest.approx(0, abs=1e-5)


def test_edges_that_lead_nowhere_are_left_out():
    """From the token (row 0) by the first node to the answer; the second node leads nowhere."""
    kept = torch.tensor([[1, 0, 0], [0, 1, 1], [0, 0, 0]], dtype=torch.bool)
    expected = torch.tensor([[1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=torch.bool)
    assert (through(kept) == expected).all()


def test_areas_are_those_of_the_benchmark():
    """Of what grows with the share the area is half of a square, less that below the first."""
    shares = np.array(SHARES)
    assert area(shares) == pytest.approx((1 - shares[0] ** 2) / 2)
    assert area(np.ones_like(shares)) == pytest.approx(1 - shares[0])


@pytest.mark.slow
def test_other_pairs_are_counted_where_their_positions_match(subject, pair):
    texts = (f"I climbed up the {fruit} and picked" for fruit in ("apple", "lemon"))
    longer = make_pair(subject, *texts, " an", " a")
    found = circuit(subject, pair, [pair.swapped, longer])
    assert len(found.held_out) == 1
    assert found.held_out_gap[0] == pytest.approx(found.corrupted_diff - found.clean_diff, abs=1e-4)
    assert found.alone[-1] == pytest.approx(1, abs=1e-4)
    assert found.complement[-1] == pytest.approx(0, abs=1e-4)
    np.testing.assert_allclose(found.random[:, -1], 1, atol=1e-4)


def test_a_circuit_without_a_way_through_says_so():
    result = evidence(Plan()).circuit
    none = np.zeros_like(result.kept)
    found = facts(dataclasses.replace(result, kept=none, faithful=0.0))
    assert (found.path, found.verdict, found.opposed) == ((), "none", None)


def test_the_widest_way_and_what_takes_back_are_read_off_the_edges():
    found = facts(evidence(Plan()).circuit)
    assert found.path == ("MLP 0", "L2H0", "L3N5")
    assert found.weakest == pytest.approx(0.6)
    assert facts(evidence(toy_plan()).circuit).path[-1] == "L0N0"


@pytest.mark.slow
def test_the_verb_prints_the_keys_that_others_rely_on(answer, llama_folder):
    found = answer("circuit", "--model", llama_folder, "--clean", CLEAN, "--corrupted", CORRUPTED)
    assert {"nodes", "edges", "faithful", "without", "cpr", "cmd", "curves"} <= found.keys()
    assert [row["share"] for row in found["curves"]] == list(SHARES)
    assert found["curves"][-1]["alone"] == pytest.approx(1, abs=1e-3)


TRUE_AND_FALSE = [
    ("they carry most of it", "they begin it"),
    ("hardly anything goes around them", "there are ways around them"),
    ("bring back 10 % at most", "bring back up to 90 %"),
    ("so it serves other prompts, too", "that it serves other prompts, too, is not shown"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("said", "opposite"), TRUE_AND_FALSE)
def test_data_against_a_claim_bring_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def test_nodes_are_ranked_by_what_they_move_alone(subject, pair, monkeypatch):
    monkeypatch.setattr(compute, "SHORTLIST", 1000)
    graph = Graph(subject, pair, 6)
    ranked = compute._ranked(graph, lambda _: None)
    moved = graph.alone(list(graph.nodes.listed)).abs().amax(0)
    best = moved.argsort(descending=True)[:3].tolist()
    assert {graph.nodes.listed[i] for i in best} <= set(ranked.first)


@pytest.mark.slow
def test_pairs_that_fit_confirm_it_however_many_stand_before_them():
    """The question's first other pair differs elsewhere, and is no reason to try none."""
    subject = make_subject("llama")
    longer = {"clean": f"{CLEAN} and picked", "corrupted": f"{CORRUPTED} and picked"}
    fits = {"clean": f"So {CLEAN}", "corrupted": f"So {CORRUPTED}"}
    question = Question(**{**PAIR.model_dump(), "pairs": [longer, fits]})
    for most, tried in ((1, 1), (0, 0)):
        asked = Inputs(question, (), {"least": 0.05, "held_out": most, "seed": 0})
        found = compute.run(subject, asked, silent)
        assert len(found.held_out) == tried
        assert found.held_out[:1] == tuple([f"So {CLEAN} / So {CORRUPTED}"][:tried])
