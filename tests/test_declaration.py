"""What an experiment declares is checked, is there, and is what Python offers."""

import dataclasses
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, GPT2ForSequenceClassification

import analysis as an
from analysis import results, running
from analysis.declaration import Experiment, Live, Option
from analysis.errors import UserError
from analysis.experiments import EXPERIMENTS, NAMES, named
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.running import record
from tests import tiny
from tests.questions import CLEAN, CORRUPTED, PAIR, TREES
from tests.subjects import make_subject

SIZE = Option("size", int, 4, "How many.", low=1, high=50, live=Live(low=2, high=20))
LEAST = Option("least", float, 0.5, "At least.", low=0.0)
WHICH = Option("which", str, "last", "Where.", choices=("last", "all"))
TEXT = Option("text", str, None, "Any text.", high=5)
LOUD = Option("loud", bool, True, "Whether.")
SCREEN = Option(
    "screen", int, 0, "0 is all.", low=0, live=Live(low=16, high=99, choices=(("All", 0),))
)
TOY = Experiment("toy", "Toy", "Does it?", options=(SIZE, LEAST, WHICH, TEXT, LOUD, SCREEN))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("size", 0, "The size has to be a whole number from 1 to 50."),
        ("size", 51, "The size has to be a whole number from 1 to 50."),
        ("size", 2.5, "The size has to be a whole number from 1 to 50."),
        ("size", "3", "The size has to be a whole number from 1 to 50."),
        ("size", True, "The size has to be a whole number from 1 to 50."),
        ("size", None, "The size has to be a whole number from 1 to 50."),
        ("size", float("nan"), "The size has to be a whole number from 1 to 50."),
        ("least", -1, "The least has to be a number of at least 0.0."),
        ("least", float("inf"), "The least has to be a number."),
        ("which", "first", "The which has to be one of last, all."),
        ("which", 3, "The which has to be a text."),
        ("text", "longer", "The text has 6 characters: the longest allowed is 5."),
        ("loud", 1, "The loud has to be true or false."),
        (
            *("colour", "red"),
            "toy has no option 'colour'; its options are: size, least, which, text, loud, screen.",
        ),
    ],
)
def test_an_option_that_is_not_allowed_is_told_in_one_sentence(name, value, says):
    with pytest.raises(UserError) as caught:
        TOY.check({name: value})
    assert str(caught.value) == says


def test_what_is_not_given_is_as_usual_and_what_is_given_has_its_kind():
    found = TOY.check({"size": 3.0, "least": 1})
    usual = {option.name: option.default for option in TOY.options}
    assert found == {**usual, "size": 3, "least": 1.0}
    assert [type(found[name]) for name in ("size", "least")] == [int, float]
    assert TOY.check({"text": None}) == TOY.check({}) == usual


@pytest.mark.parametrize(("value", "fine"), [(1, False), (2, True), (20, True), (21, False)])
def test_a_visitor_has_tighter_bounds(value, fine):
    assert TOY.check({"size": value})["size"] == value
    if fine:
        assert TOY.check({"size": value}, live=True)["size"] == value
    else:
        with pytest.raises(UserError, match="a whole number from 2 to 20"):
            TOY.check({"size": value}, live=True)


def test_a_visitor_may_choose_what_is_offered_though_it_lies_outside_his_bounds():
    assert TOY.check({"screen": 0}, live=True)["screen"] == 0
    with pytest.raises(UserError, match="from 16 to 99"):
        TOY.check({"screen": 1}, live=True)


@pytest.fixture(params=EXPERIMENTS, ids=lambda each: each.name)
def experiment(request):
    return request.param


def test_what_it_declares_is_there(experiment):
    folder = Path(inspect.getfile(experiment.module("compute"))).parent
    assert (experiment.name, experiment.home) == (
        folder.name,
        f"analysis.experiments.{folder.name}",
    )
    assert dataclasses.is_dataclass(experiment.kind)
    assert experiment.kind.experiment() is experiment
    for figure in experiment.figures:
        draw = getattr(experiment.module(figure.module), figure.name)
        taken, *sign = inspect.signature(draw).parameters
        assert taken.lstrip("_") == "result", figure.name
        assert sign == ["sign"] * figure.signed
    assert experiment.has("claims") or experiment.has("facts") or experiment.name == "verification"
    assert experiment.has("tables") or experiment.figures


def test_it_may_be_asked_as_usual_by_a_study_and_by_a_visitor(experiment):
    usual = experiment.check({})
    assert experiment.check(usual) == usual
    experiment.check(experiment.study or {})
    experiment.check(experiment.app or {}, live=True)
    experiment.check(experiment.report)
    live = {
        o.name: o.default
        for o in experiment.options
        if o.live and o.name not in (experiment.app or {})
    }
    experiment.check(live, live=True)


def test_its_summary_takes_the_options_that_only_change_what_is_shown(experiment):
    taken = list(inspect.signature(experiment.module("compute").summary).parameters.values())[1:]
    shown = {option.name: option.default for option in experiment.options if option.shows}
    assert {p.name: p.default for p in taken} == shown
    assert {*experiment.report} <= {*shown}


def test_no_option_is_named_as_a_part_of_the_question_whose_place_it_would_take_in_the_record(
    experiment,
):
    asked = Inputs(TREES, (Neuron(1, 2), Neuron(1, 3)))
    parts = record(dataclasses.replace(experiment, options=()), asked)
    assert not {*parts} & {option.name for option in experiment.options}


def test_its_sentences_end_and_its_title_does_not(experiment):
    assert experiment.asks[-1] in "?."
    assert not experiment.title.endswith(".")
    for option in experiment.options:
        assert option.help.endswith("."), option.name


def test_every_name_is_one_experiments_alone():
    verbs = [each.verb for each in EXPERIMENTS] + [each.also for each in EXPERIMENTS if each.also]
    assert len(set(verbs)) == len(verbs)
    figures = [figure.name for each in EXPERIMENTS for figure in each.figures]
    assert len(set(figures)) == len(figures)


def test_python_offers_every_experiment_and_nothing_that_is_not_there():
    assert {*NAMES, "Question", "load", "wrap"} <= {*dir(an)}
    for name in dir(an):
        assert getattr(an, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'sing'"):
        an.sing  # noqa: B018


def test_a_function_of_python_is_documented_as_it_is_declared(experiment):
    function = getattr(an, experiment.name)
    options = [option for option in experiment.options if not option.shows]
    parameters = inspect.signature(function).parameters
    assert function.__name__ == experiment.name
    assert ("neuron" in parameters) == experiment.asks_about_a_neuron
    assert ("rivals" in parameters) == ("rivals" in experiment.needs)
    for option in options:
        assert parameters[option.name].default == option.default
        assert f"    {option.name}: {option.help}" in function.__doc__


@pytest.mark.slow
def test_five_lines_of_python_say_what_the_verb_says(answer, llama_folder, tmp_path):
    model = an.load(llama_folder)
    question = an.Question(clean=CLEAN, corrupted=CORRUPTED, target=" an", foil=" a")
    sweep = an.neuron_sweep(model, question, screen=20)
    asked = ("--clean", CLEAN, "--corrupted", CORRUPTED, "--target", " an", "--foil", " a")
    found = answer("neuron-sweep", "--model", llama_folder, *asked, "--screen", 20)
    mine = sweep.summary()
    for own in (found, mine):
        own.pop(
            "held_out"
        )  # on the command line the pair goes with the words of the default question
    assert json.loads(json.dumps(mine)) == found
    assert len(sweep.summary(top=3)["neurons"]) == 3
    assert sweep.figure().data
    sweep.save(tmp_path)
    back = an.read(tmp_path / "neuron_sweep.json")
    assert back.summary() == results.load(tmp_path, "neuron_sweep", type(sweep)).summary()
    assert back.provenance == sweep.provenance
    for field in dataclasses.fields(sweep):
        both = getattr(back, field.name), getattr(sweep, field.name)
        if field.name in sweep.rounded:
            np.testing.assert_allclose(*both, rtol=5e-4)
        else:
            np.testing.assert_array_equal(*both)
    assert results.provenance(tmp_path, "neuron_sweep") == sweep.provenance
    assert sweep.provenance.inputs["screen"] == 20


@pytest.mark.slow
def test_a_result_draws_every_figure_by_its_name_and_names_those_that_there_are():
    sweep = an.neuron_sweep(make_subject("llama"), TREES, screen=20)
    for figure in named("neuron_sweep").figures:
        assert sweep.figure(figure.name).data
    with pytest.raises(UserError, match=r"no figure 'sing'; its figures are: neuron_sweep, "):
        sweep.figure("sing")
    with pytest.raises(UserError, match="no option 'loud'"):
        sweep.summary(loud=True)


def test_a_result_put_together_by_hand_is_not_saved(tmp_path):
    by_hand = dataclasses.replace(an.neuron_sweep(make_subject("llama"), PAIR, screen=20))
    with pytest.raises(UserError, match="only a computed one is saved"):
        by_hand.save(tmp_path)


def test_a_neuron_and_its_rivals_are_named_as_on_the_command_line():
    subject = make_subject("llama")
    assert an.direct_effect(subject, PAIR, neuron="L1N3").neuron == "L1N3"
    best = str(running.best_neuron(subject, PAIR))
    assert an.direct_effect(subject, PAIR).neuron == best
    with pytest.raises(UserError, match="L9N0 is outside this model"):
        an.direct_effect(subject, PAIR, neuron="L9N0")
    with pytest.raises(UserError, match="direct_effect has no option 'sreen'"):
        an.direct_effect(subject, PAIR, sreen=3)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gpt_neox"])
def test_a_model_in_memory_is_wrapped_and_answers_as_from_disk(architecture, folders):
    model, tokenizer = getattr(tiny, f"tiny_{architecture.removeprefix('gpt_')}")()
    wrapped, loaded = an.wrap(model, tokenizer), an.load(str(folders[architecture]))
    assert wrapped.prepend_bos == loaded.prepend_bos
    first, second = (an.next_token(each, PAIR) for each in (wrapped, loaded))
    np.testing.assert_allclose(first.logit_diff, second.logit_diff, atol=1e-5)
    assert first.provenance.revision != an.wrap(tiny.tiny_llama(1)[0], tokenizer).origin.revision


def test_a_model_that_cannot_be_asked_is_not_wrapped():
    config = BertConfig(vocab_size=71, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    with pytest.raises(UserError, match="BertModel, which is not a causal language model"):
        an.wrap(BertModel(config), tiny.tokenizer())
    model, tokenizer = tiny.tiny_gpt2()
    model.transformer.h[1].mlp.c_fc.weight.data[3, 5] = torch.nan
    with pytest.raises(UserError, match=r"transformer\.h\.1\.mlp\.c_fc\.weight"):
        an.wrap(model, tokenizer)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: an.load(None), "`load` takes a name, a folder or a .gguf file, `wrap` a model"),
        (lambda: an.wrap("gpt2", None), "'gpt2' is no PreTrainedModel"),
        (lambda: an.wrap(tiny.tiny_gpt2()[0], None), "None is no PreTrainedTokenizerBase"),
        (lambda: an.read("here/nothing.json"), "There is no result here/nothing.json"),
    ],
)
def test_what_is_of_another_kind_is_refused_in_a_sentence(ask, message):
    with pytest.raises(UserError, match=re.escape(message)):
        ask()


def test_a_result_of_no_experiment_is_not_read(tmp_path):
    an.neuron_sweep(make_subject("llama"), PAIR, screen=20).save(tmp_path)
    file = tmp_path / "neuron_sweep.json"
    file.write_text(file.read_text().replace('"neuron_sweep"', '"brain_sweep"'))
    with pytest.raises(UserError, match="there is no such experiment"):
        an.read(file)


def test_a_classifier_in_memory_is_not_wrapped():
    model, tokenizer = tiny.tiny_gpt2()
    with pytest.raises(UserError, match="GPT2ForSequenceClassification, which is not a causal"):
        an.wrap(GPT2ForSequenceClassification(model.config), tokenizer)


def test_what_is_no_model_no_question_and_no_neuron_is_refused_in_a_sentence():
    subject = make_subject("llama")
    for given, says in (
        (("gpt2", PAIR), "The model is 'gpt2': it has to be what `load` or `wrap` returns"),
        ((subject, "are"), "The question is 'are': it has to be a `Question`, such as"),
        ((subject, None), "The question is None"),
    ):
        with pytest.raises(UserError, match=says):
            an.neuron_sweep(*given, screen=4)
    with pytest.raises(UserError, match="The neuron is 1527: it has to be a name such as L25N1527"):
        an.direct_effect(subject, PAIR, neuron=1527)
