"""Grafts as files: loaded with the model that they were made for, and refused with any other."""

import dataclasses
import json
import re

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from analysis import console
from analysis.calls import Call, Loading
from analysis.engines.grafting import native, without
from analysis.errors import UserError
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.transplant import EXPERIMENT
from analysis.experiments.transplant.command import answer, card
from analysis.experiments.transplant.facts import facts
from analysis.loading import models
from analysis.loading.grafts import export, read_graft, save_graft, with_grafts
from analysis.neuron import Neuron
from analysis.prompts import make_pair
from tests import families
from tests.synthetic import Plan
from tests.synthetic.transplant import transplant

NEURON = Neuron(1, 5)
SUBJECT = families.shared_subject("llama")
TEXT = "I climbed up the apple tree and picked"
ABOUT = {
    "donor": "tiny-llama",
    "neuron": str(NEURON),
    "recipient": "tiny-llama",
    "recipient_revision": SUBJECT.origin.revision,
    "cut": str(NEURON),
    "target": " an",
    "foil": " a",
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "graft.safetensors"
    save_graft(path, native(SUBJECT, NEURON), ABOUT)
    return path


def test_a_model_with_a_graft_of_what_was_cut_out_is_the_model(file):
    subject = with_grafts(SUBJECT, [str(file)])
    tokens = SUBJECT.tokens(TEXT)
    torch.testing.assert_close(subject.logits(tokens), SUBJECT.logits(tokens), atol=1e-4, rtol=1e-4)
    assert subject.origin.revision != SUBJECT.origin.revision
    assert "with L1N5" in subject.origin.name


def test_the_sweep_sees_the_graft_as_one_more_neuron(file):
    def recoveries(subject):
        pair = make_pair(subject, TEXT, TEXT.replace("apple", "lemon"), " an", " a")
        return neuron_sweep(subject, pair).recovery

    whole, grafted = recoveries(SUBJECT), recoveries(with_grafts(SUBJECT, [str(file)]))
    assert grafted[1, -1] == pytest.approx(whole[1, NEURON.number], abs=1e-3)
    assert grafted[1, NEURON.number] == pytest.approx(0, abs=1e-3)
    assert grafted[[0, 2], -1] == pytest.approx(0, abs=1e-3)


def test_an_exported_model_is_loaded_by_plain_transformers(file, tmp_path):
    subject = with_grafts(SUBJECT, [str(file)])
    folder = tmp_path / "exported"
    export(subject, folder, "# A graft\n")
    tokens = SUBJECT.tokens(TEXT)
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = plain(torch.tensor([tokens])).logits[0]
    torch.testing.assert_close(logits, SUBJECT.logits(tokens), atol=1e-4, rtol=1e-4)
    assert (folder / "README.md").read_text() == "# A graft\n"
    with pytest.raises(UserError, match="is not empty"):
        export(subject, folder, "")


def test_a_graft_of_another_recipient_is_refused(file):
    origin = dataclasses.replace(SUBJECT.origin, revision="another")
    other = dataclasses.replace(without(SUBJECT, NEURON), origin=origin)
    with pytest.raises(UserError, match="not for the weights"):
        with_grafts(other, [str(file)])


def test_no_answer_takes_a_graft_for_a_neuron_of_the_models_own(file, monkeypatch, capsys):
    monkeypatch.setattr(console, "GRAFTS", {})
    monkeypatch.setattr(models, "load", lambda *_: SUBJECT)
    name = str(Neuron(1, SUBJECT.d_mlp))
    subject = Loading(model="tiny-llama", graft=[str(file)]).load()
    assert subject.d_mlp == SUBJECT.d_mlp + 1
    assert f"{name} is the graft" in capsys.readouterr().err
    text = {"neurons": [name, str(NEURON)], "by_name": {"best": f"{name} leads {name}5"}}
    console.emit(text, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "neurons": [f"{name} (graft)", str(NEURON)],
        "by_name": {"best": f"{name} (graft) leads {name}5"},
    }


def test_the_card_of_an_export_tells_whose_neuron_it_is_and_what_came_of_it():
    for plan in (Plan(), Plan(holds=False)):
        result = transplant(plan)
        found = card(result, "L3N48")
        assert f"L3N48: a graft of {result.neuron} of {result.donor}" in found
        assert f"| Verdict | {facts(result).verdict} |" in found
        assert result.recipient_revision in found
        assert "licence" in found
        assert found.count("\n| ") > len(result.variants)
        assert not re.search(r"nan|None|<|&[a-z#]", found)


def test_a_recipient_that_cannot_be_given_a_neuron_for_good_is_refused_before_the_work(monkeypatch):
    call = Call(experiment=EXPERIMENT, options={"recipient": "gpt2"})
    monkeypatch.setattr(models, "find", lambda _: None)
    for family, reason in (("bloom", "follows from its width"), ("phi3", "one matrix")):
        monkeypatch.setattr(models, "load", lambda *_, f=family: families.shared_subject(f))
        with pytest.raises(UserError, match=reason):
            answer(call, save="graft.safetensors")


def test_where_a_graft_cannot_be_written_is_told_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "load", lambda *_: pytest.fail("it was loaded"))
    (tmp_path / "file").touch()
    call = Call(experiment=EXPERIMENT, options={"recipient": ""})
    for save, folder, says in (
        (tmp_path, "", "is a folder: name a file with --save"),
        (tmp_path / "file" / "g", "", "Results cannot be written to"),
        (tmp_path / "g", tmp_path / "file", "is a file: name a folder"),
        (tmp_path / "g", tmp_path, "is not empty: name another folder"),
        ("", tmp_path / "new", "name one with --save"),
    ):
        with pytest.raises(UserError, match=says):
            answer(call, save=str(save), export=str(folder))
    assert [*tmp_path.iterdir()] == [tmp_path / "file"]


def test_two_grafts_in_one_layer_are_refused(file):
    with pytest.raises(UserError, match="Two grafts"):
        with_grafts(SUBJECT, [str(file), str(file)])


def test_a_damaged_graft_is_refused(file, tmp_path):
    with safe_open(file, framework="pt") as opened:
        about = opened.metadata()
    tensors = {"reads": torch.zeros(2, 33), "writes": torch.zeros(32)}
    save_file(tensors, file, metadata=about)  # other weights than those that were told
    with pytest.raises(UserError, match="damaged"):
        read_graft(file)
    file.write_bytes(b"cut short")
    with pytest.raises(UserError, match="damaged"):
        read_graft(file)
    save_file(tensors, file, metadata={"graft": json.dumps({"layer": 1})})
    with pytest.raises(UserError, match="damaged"):
        read_graft(file)
    with pytest.raises(UserError, match="no graft"):
        read_graft(tmp_path / "nowhere")
