import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import analysis as an
from analysis import sentences
from analysis.contrast import Contrast
from analysis.errors import UserError
from analysis.experiments import named
from analysis.experiments.find.compute import Found, find, summary
from analysis.experiments.find.tables import LISTING
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.writers.compute import Writer, writers
from analysis.neuron import parse_neuron
from analysis.prompts import PromptPair
from analysis.weights.congruence import Block, scales
from analysis.weights.orders import ORDERS, orders
from tests.plant import plant
from tests.prose import Prose
from tests.questions import PAIR, TREES, make_tiny_pair
from tests.subjects import make_subject
from tests.synthetic import Plan, evidence


def test_writers_are_the_neurons_that_write_the_difference_most(subject, pair):
    """The census orders the same neurons by way of another computation."""
    order = ORDERS.index("difference")
    ordered = orders(subject, scales(subject, Block()), pair.contrast, None)
    found = writers(subject, pair.contrast, 5)
    np.testing.assert_allclose([w.logits for w in found], ordered.values[order][:5], rtol=1e-4)
    names = [w.neuron + ("\u2212" if w.direction < 0 else "") for w in found]
    assert names == list(ordered.names[order][:5])


def test_a_writer_raises_the_difference_when_it_moves_in_its_direction(subject, pair):
    asked = subject.direction(pair.contrast.target_id, pair.contrast.foil_id)
    for writer in writers(subject, pair.contrast, 5):
        place = parse_neuron(writer.neuron, subject.n_layers, subject.d_mlp)
        change = writer.direction * float(subject.write(place) @ asked)
        assert change == pytest.approx(writer.logits, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gpt_neox"])
def test_a_planted_neuron_is_found_by_what_it_writes_and_by_what_it_carries(architecture):
    subject = make_subject(architecture)
    pair = make_tiny_pair(subject)
    neuron = parse_neuron("L1N3", subject.n_layers, subject.d_mlp)
    contrast = Contrast(subject.string(20), subject.string(30), (20,), (30,))
    plant(subject, pair, neuron, contrast)
    document = summary(find(subject, PromptPair(pair.clean, pair.corrupted, contrast), screen=20))
    assert document["best"] == "L1N3"
    assert "L1N3" in document["on_both_lists"]


def test_finding_recovers_what_the_sweep_recovers(subject, pair):
    document = summary(find(subject, pair, screen=0))
    sweep = neuron_sweep(subject, pair)
    for row in document["by_weights"]:
        place = parse_neuron(row["neuron"], subject.n_layers, subject.d_mlp)
        assert row["recovery"] == pytest.approx(float(sweep.recovery[place]), abs=1e-5)
    for row in (*document["by_weights"], *document["by_patching"]):
        place = parse_neuron(row["neuron"], subject.n_layers, subject.d_mlp)
        written = subject.writes(place.layer)[place.number] @ (
            subject.W_U[:, pair.contrast.target_id] - subject.W_U[:, pair.contrast.foil_id]
        )
        assert row["logits"] == pytest.approx(float(written), rel=1e-4)
    json.dumps(document, allow_nan=False)


def found_with(lowest):
    """A search whose best neuron recovers 3 %, and another one so much."""
    sweep = evidence(Plan()).neuron_sweep
    recovery = np.full_like(sweep.recovery, 0.001)
    recovery[3, 5], recovery[1, 6] = 0.03, lowest
    logits = np.zeros_like(recovery)
    logits[3, 5], logits[1, 6] = 9.0, -7.0
    both = (Writer("L3N5", 1, 9.0), Writer("L1N6", -1, 7.0))
    return Found(both, replace(sweep, recovery=recovery), logits)


@pytest.mark.parametrize(("lowest", "opposes"), [(-0.71, True), (0.002, False)])
def test_what_works_against_the_answer_stands_in_sentence_table_and_json(lowest, opposes):
    experiment, result = named("find"), found_with(lowest)
    against = experiment.summary(result)["against"]
    said = Prose(sentences.finding(experiment, result)).text
    rows = LISTING.rows(result)
    assert ("1 neuron works against the answer by 5 % or more, L1N6 with −71 %." in said) == opposes
    assert ("against the answer" in said) == opposes
    assert [row["neuron"] for row in against] == (["L1N6"] if opposes else [])
    recovered = {row["neuron"]: row["recovery"] for row in rows}
    assert recovered["L1N6"] == pytest.approx(lowest)
    assert len(recovered) == len(rows)


def test_the_table_has_a_neuron_that_only_works_against_the_answer():
    found = found_with(-0.71)
    rows = LISTING.rows(replace(found, writers=found.writers[:1]))
    assert rows[0]["neuron"] == "L3N5"
    assert rows[-1] == {
        "neuron": "L1N6",
        "recovery": pytest.approx(-0.71),
        "how": "patched",
        "writes, logits per unit": -7.0,
    }


def test_the_best_neuron_is_told_where_its_weights_do_not_write_the_word():
    search = found_with(lowest=0.02)
    for names, both, said in (
        (("L3N5", "L1N6"), "L3N5, L1N6.", False),
        (
            ("L1N6",),
            "L1N6. L3N5 is not: it carries the difference, and is none of the 1 whose",
            True,
        ),
    ):
        found = replace(search, writers=tuple(Writer(name, 1, 9.0) for name in names))
        text = Prose(sentences.finding(named("find"), found)).text
        assert f"On both lists: {both}" in text
        assert ("L3N5 is not" in text) == said


@pytest.mark.parametrize("words", [(" an", " a"), (" old tree", " red apple"), (" dog| cat", " a")])
def test_who_writes_a_token_is_told_whatever_the_question_asks(words):
    subject = make_subject("llama")
    (token,) = subject.pieces(" a")
    found = an.writers(
        subject, PAIR.model_copy(update={"target": words[0], "foil": words[1]}), token=" a"
    )
    direction = subject.W_U[:, token] - subject.W_U.mean(1)
    written = torch.stack([subject.writes(i) @ direction for i in range(subject.n_layers)])
    best = parse_neuron(found.writers[0].neuron, *written.shape)
    assert float(written[best].abs()) == pytest.approx(float(written.abs().max()))
    assert found.writers[0].logits == pytest.approx(float(written[best].abs()), rel=1e-4)


def test_what_a_search_finds_is_not_saved_and_that_is_said(tmp_path):
    for search in (an.find, an.writers):
        with pytest.raises(UserError, match="is not saved: "):
            search(make_subject("llama"), TREES).save(tmp_path)
    assert not any(tmp_path.iterdir())
