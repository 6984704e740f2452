"""What is said of a circuit, read off made results: also where shares are below 0 or above 1."""

import dataclasses

import numpy as np
import pytest

from analysis import sentences
from analysis.drawing import style
from analysis.experiments import named
from analysis.experiments.circuit.facts import facts
from analysis.experiments.circuit.measured import edge_rows
from tests.prose import Prose
from tests.synthetic import Plan, evidence


def changed(**values):
    return dataclasses.replace(evidence(Plan()).circuit, **values)


def sentences_of(result):
    return sentences.alone(named("circuit"), result)


def test_a_direct_edge_is_a_way_straight_to_the_answer():
    kept, edges = np.zeros((4, 4), bool), evidence(Plan()).circuit.edges.copy()
    kept[0, 3], edges[0, 3] = True, 0.4
    said = sentences_of(changed(kept=kept, edges=edges))
    assert facts(changed(kept=kept, edges=edges)).path == ()
    assert "straight from the exchanged token" in said.heading
    assert "leads straight there" in said.caption


def test_of_a_circuit_without_an_edge_it_is_said_only_that_none_is_drawn():
    weak = np.full((4, 4), 0.01, np.float32)
    said = sentences_of(changed(edges=weak, kept=np.zeros((4, 4), bool), faithful=0.0, without=1.0))
    assert said.caption == said.finding == said.way
    assert said.way.startswith("No edge is drawn")
    assert not any(
        getattr(said, name) for name in ("back", "faithful", "complete", "controls", "on_others")
    )


def test_strong_edges_that_lie_on_no_way_are_counted_and_the_strongest_is_named():
    edges, kept = (getattr(evidence(Plan()).circuit, name).copy() for name in ("edges", "kept"))
    assert not sentences_of(changed()).aside
    edges[1, 3], kept[1, 3] = -0.5, False
    said = Prose(sentences_of(changed(edges=edges, kept=kept)).finding).text
    assert "Not drawn is 1 edge that moves as much but lies on no such way, that from MLP 0" in said
    assert "to the answer (−50 %)." in said
    edges[0, 1], kept[0, 1] = 0.8, False
    said = Prose(sentences_of(changed(edges=edges, kept=kept)).finding).text
    assert "2 edges that move as much but lie on no such way" in said
    assert "the strongest from the exchanged token to L2H0 (80 %)." in said


@pytest.mark.parametrize(
    ("values", "name", "sentence"),
    [
        ({"faithful": 1.8}, "faithful", "more than all of it"),
        ({"faithful": 0.95}, "faithful", "nearly all of it"),
        ({"faithful": -0.4}, "faithful", "move the answer the other way"),
        ({"faithful": -0.04}, "faithful", "next to nothing"),
        ({"without": -0.4}, "complete", "they work against it"),
        ({"without": 0.4}, "complete", "there are ways around them"),
        ({"faithful_nodes": 0.33}, "caption", "3 of 1,200 nodes alone bring back 33"),
        (
            {"matched": np.linspace(-0.4, 0.1, 10, dtype=np.float32)},
            "controls",
            "bring back 10 % at most",
        ),
    ],
)
def test_shares_below_nothing_and_above_all_are_told_as_what_they_are(values, name, sentence):
    assert sentence in getattr(sentences_of(changed(**values)), name).replace("\u202f", " ")


def test_other_words_have_to_bring_back_half_as_much_beyond_doubt():
    pairs = np.array([4.0, 5.0] * 6, np.float32)
    assert facts(changed(held_out_gap=pairs, held_out_faithful=0.4 * pairs)).holds
    assert not facts(changed(held_out_gap=pairs, held_out_faithful=0.3 * pairs)).holds


def test_an_order_has_to_be_better_than_every_random_one():
    own = evidence(Plan()).circuit
    assert facts(own).beside_random
    lucky = own.random.copy()
    lucky[0] = np.ones_like(lucky[0])
    beaten = changed(random=lucky)
    assert beaten.cpr > beaten.random_cpr, "on average it is better"
    assert not facts(beaten).beside_random
    assert "is not shown" in sentences_of(beaten).areas


def test_controls_are_called_weak_where_they_leave_out_the_mlp_that_all_goes_through():
    assert "leave out MLP 0 at the exchanged token" in sentences_of(changed()).wrong
    little = np.array([0.1, 0.6, 0.4], np.float32)
    assert "by construction" not in sentences_of(changed(lost=little)).wrong


def test_what_drives_a_node_may_be_the_exchanged_token():
    edges, kept = evidence(Plan()).circuit.edges.copy(), evidence(Plan()).circuit.kept.copy()
    edges[2, 3], edges[0, 1], kept[0, 1], kept[2, 3] = -0.3, -0.2, True, True
    result = changed(edges=edges, kept=kept)
    assert facts(result).opposed.source == "token"
    assert "driven most by the exchanged token (20" in sentences_of(result).back


def test_an_edge_from_an_exchanged_token_comes_from_the_one_that_its_receiver_reads():
    kept, edges = evidence(Plan()).circuit.kept.copy(), evidence(Plan()).circuit.edges.copy()
    kept[0, :3], edges[0, :3] = True, 0.3
    result = changed(kept=kept, edges=edges, exchanged=(3, 4), positions=np.array([3, 4, 5]))
    read = {
        row["receiver"]: row["sender_position"]
        for row in edge_rows(result)
        if row["sender"] == "token"
    }
    assert read == {"MLP 0": 3, "L2H0": 4, "L3N5": 4}
    names = {note.text for note in result.figure().layout.annotations}
    assert {style.short(result.tokens[at]) for at in (3, 4)} <= names
    assert "on a way from the exchanged tokens to" in sentences_of(result).how
