import copy
import dataclasses
import json
from functools import partial
from itertools import product
from operator import attrgetter

import numpy as np
import pytest
import torch

from analysis import corpus
from analysis.claims import Claims
from analysis.engines.continuation import continuations, scaled, written
from analysis.engines.modulation import Modulator, Setting
from analysis.experiments.weight_modulation import compute as experiment
from analysis.experiments.weight_modulation.compute import summary
from analysis.experiments.weight_modulation.facts import facts
from analysis.experiments.weight_modulation.next_words import FACTORS, WRITTEN_FACTORS
from analysis.neuron import Neuron
from analysis.prompts import make_prompt
from analysis.subject import Subject
from analysis.wording import written as as_text
from tests.committed import committed
from tests.plant import plant
from tests.prose import check_opposites, render
from tests.synthetic import HOSTILE, Plan, changed, evidence, hostile_plan, toy_plan

NEURON = Neuron(1, 7)
TEXTS = ("I saw a big red bird under the tree.", "The old house was green, and she found it.")
INPUTS = {
    "gpt2": ("mlp.c_fc",),
    "llama": ("mlp.gate_proj", "mlp.up_proj"),
    "gpt_neox": ("mlp.dense_h_to_4h",),
}


def edited(subject: Subject, neuron: Neuron, weights: str, factor: float) -> Subject:
    """A copy of the model with the neuron's weights really multiplied."""
    model = copy.deepcopy(subject.model)
    family = subject.family
    block = list(model.get_submodule(family.blocks).children())[neuron.layer]
    kind = subject.config.model_type
    paths = (family.mlp_out,) if weights == "out" else INPUTS[kind]
    for path in paths:
        weight = block.get_submodule(path).weight
        neurons_last = (kind == "gpt2") != (weights == "out")
        column = weight[:, neuron.number] if neurons_last else weight[neuron.number]
        with torch.no_grad():
            column *= factor
    return dataclasses.replace(subject, model=model)


@pytest.fixture
def result(subject, pair):
    return run(subject, pair)


def run(subject, pair, neuron=NEURON, seed=0):
    prompts, texts = (pair.clean, pair.corrupted), [make_prompt(subject, t) for t in TEXTS]
    return experiment.weight_modulation(subject, neuron, pair.contrast, prompts, texts, seed)


def _answer(subject, pair, prompt):
    last = subject.logits(prompt.tokens)[-1]
    diff = last[pair.contrast.target_id] - last[pair.contrast.foil_id]
    return float(diff), float(last.softmax(-1)[pair.contrast.target_id])


def test_scaling_equals_really_editing_the_weights_of_a_copy(subject, pair, result):
    for weights, factor in product(("out", "in"), (-2.0, 0.0, 0.5, 3.0)):
        copied = edited(subject, NEURON, weights, factor)
        place = result.weights.index(weights), FACTORS.index(factor)
        for number, prompt in enumerate((pair.clean, pair.corrupted)):
            diff, chance = _answer(copied, pair, prompt)
            assert result.logit_diff[(*place, number)] == pytest.approx(diff, abs=1e-3)
            assert result.p_target[(*place, number)] == pytest.approx(chance, abs=1e-4)
        loss = result.loss + result.loss_change[place]
        assert loss == pytest.approx(_loss(copied), abs=1e-4), (weights, factor)


def _loss(subject):
    total = size = 0
    for text in TEXTS:
        tokens = make_prompt(subject, text).tokens
        logs = subject.logits(tokens).log_softmax(-1)
        total -= sum(float(logs[i, token]) for i, token in enumerate(tokens[1:]))
        size += len(tokens) - 1
    return total / size


def test_factor_1_changes_nothing(subject, pair, result):
    one = FACTORS.index(1.0)
    for number, prompt in enumerate((pair.clean, pair.corrupted)):
        diff, chance = _answer(subject, pair, prompt)
        np.testing.assert_allclose(result.logit_diff[:, one, number], diff, atol=1e-4)
        np.testing.assert_allclose(result.control_diff[:, :, one, number], diff, atol=1e-4)
        np.testing.assert_allclose(result.p_target[:, one, number], chance, atol=1e-5)
    assert result.loss == pytest.approx(_loss(subject), abs=1e-4)
    assert np.abs(result.loss_change[:, one]).max() == 0


def test_the_weights_themselves_are_never_touched(subject, pair):
    before = copy.deepcopy(subject.model.state_dict())
    run(subject, pair)
    assert all((before[k] == v).all() for k, v in subject.model.state_dict().items())
    hooks = [m for m in subject.model.modules() if m._forward_pre_hooks or m._forward_hooks]
    assert not hooks


def test_scaling_the_output_weights_equals_scaling_the_activation_by_a_hook(subject, pair):
    hook = f"blocks.{NEURON.layer}.mlp.hook_post"

    def scale(post, hook):
        post[..., NEURON.number] *= -1.5
        return post

    with torch.no_grad():
        logits = subject.bridge.run_with_hooks(
            subject.batch(pair.clean.tokens), fwd_hooks=[(hook, scale)], prepend_bos=False
        )
    modulator = Modulator(subject, 1)
    (ours,) = modulator.run(pair.clean.tokens, [Setting(NEURON, "out", -1.5)])
    torch.testing.assert_close(modulator.logits(ours)[0], logits[0], atol=1e-3, rtol=1e-4)


def test_at_factor_0_input_weights_leave_what_the_biases_alone_excite(subject, pair):
    """Without biases nothing is left, and the neuron is gone as with its output weights at 0."""
    active = Modulator(subject, 1).activations(
        pair.clean.tokens, [Setting(NEURON, "in", 0.0), Setting(NEURON, "out", 0.0)]
    )
    biases = getattr(subject.bridge.blocks[1].mlp, "b_in", None)
    if biases is None:
        left = torch.tensor(0.0)
    elif subject.config.model_type == "gpt2":
        left = torch.nn.functional.gelu(biases[NEURON.number], approximate="tanh")
    else:
        left = torch.nn.functional.gelu(biases[NEURON.number])
    torch.testing.assert_close(active[0], left.expand(active.shape[1]), atol=1e-6, rtol=1e-5)
    assert (active[1] == 0).all()


def test_many_settings_in_chunks_equal_each_alone(subject, pair, monkeypatch):
    settings = [Setting(Neuron(1, n), w, 2.0) for n in range(5) for w in ("out", "in")]
    modulator = Modulator(subject, 1)
    monkeypatch.setattr("analysis.engines.modulation.CHUNK_TOKENS", 3 * len(pair.clean.tokens))
    chunks = list(modulator.run(pair.clean.tokens, settings))
    assert [len(chunk) for chunk in chunks] == [3, 3, 3, 1]
    alone = [next(modulator.run(pair.clean.tokens, [setting]))[0] for setting in settings]
    torch.testing.assert_close(torch.cat(chunks), torch.stack(alone), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("factor", [-1.0, 3.0])
def test_the_greedy_text_is_that_of_a_model_with_edited_weights(subject, pair, factor):
    ours = continuations(subject, pair.clean.tokens, NEURON, (1.0, factor), 6, 1, seed=0)
    copied, tokens = edited(subject, NEURON, "out", factor), list(pair.clean.tokens)
    for _ in range(6):
        tokens.append(int(copied.logits(tokens)[-1].argmax()))
    assert ours[1, 0].tolist() == tokens[-6:]


def test_the_same_seed_writes_the_same_texts_and_another_seed_others(subject, pair):
    first, again, other = (
        continuations(subject, pair.clean.tokens, NEURON, (0.0, 2.0), 8, 3, seed)
        for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first[:, 0] == other[:, 0]).all()
    assert (first[:, 1:] != other[:, 1:]).any()


def test_at_equal_factors_samples_of_one_number_are_equal_and_of_two_differ(subject, pair):
    texts = continuations(subject, pair.clean.tokens, NEURON, (1.0, 1.0), 8, 2, seed=0)
    assert (texts[0] == texts[1]).all()
    assert (texts[0, 1] != texts[0, 2]).any()


def test_samples_are_drawn_with_the_models_probabilities(subject, pair):
    draws = continuations(subject, pair.clean.tokens, NEURON, (1.0,), 1, 4000, seed=0)
    counts = draws[0, 1:, 0].bincount(minlength=subject.d_vocab) / 4000
    expected = subject.logits(pair.clean.tokens)[-1].softmax(-1)
    assert float((counts - expected).abs().max()) < 0.04


def test_texts_end_with_the_context_window_and_where_the_model_ends_them(subject, pair):
    room = subject.context - len(pair.clean.tokens)
    texts = continuations(subject, pair.clean.tokens, NEURON, (1.0,), 500, 1, seed=0)
    assert texts.shape == (1, 2, room)
    full = (pair.clean.tokens * subject.context)[: subject.context]
    assert continuations(subject, full, NEURON, (1.0, 2.0), 5, 1, seed=0).shape == (2, 2, 0)
    end = subject.tokenizer.eos_token_id
    egg = subject.tokens(" egg")[-1]
    assert written(subject, [egg, end, egg]) == " egg"


def test_the_hook_is_gone_even_after_an_error(subject):
    with pytest.raises(ValueError), scaled(subject, NEURON, torch.ones(1)):  # noqa: PT011
        raise ValueError
    assert not [m for m in subject.model.modules() if m._forward_pre_hooks]


@pytest.mark.slow
def test_a_planted_neuron_follows_its_factor_beyond_every_control(subject, pair):
    plant(subject, pair, NEURON, pair.contrast)
    found = run(subject, pair)
    curve = found.logit_diff[0, :, 0]
    assert (np.diff(curve) > 0).all()
    assert np.ptp(curve) > np.ptp(found.control_diff[:, 0, :, 0], axis=1).max()
    assert found.logit_diff[0, 4, 0] < found.logit_diff[0, 6, 0]


def test_one_prompt_alone_and_a_layer_of_one_neuron_are_answered(pair, subject):
    texts = [make_prompt(subject, t) for t in TEXTS]
    found = experiment.weight_modulation(subject, NEURON, pair.contrast, (pair.clean,), texts)
    assert found.logit_diff.shape == (2, 11, 1)
    assert {row["prompt"] for row in summary(found)["continuations"]} == {"clean"}


def test_the_embedded_neuron_says_an_where_it_is_left_or_turned_up():
    real = committed("weight_modulation")
    at = {factor: float(real.logit_diff[0, i, 0]) for i, factor in enumerate(FACTORS)}
    assert at[1.0] == pytest.approx(0.714, abs=0.005)
    assert at[0.0] == pytest.approx(-1.504, abs=0.005)
    assert at[-1.0] == pytest.approx(-4.827, abs=0.005)
    assert (np.diff(real.logit_diff[0, :, 0]) > 0).all()
    assert real.logit_diff[0, FACTORS.index(1.0), 1] == pytest.approx(-3.476, abs=0.005)
    texts = [t for p, s, t in zip(real.written_prompt, real.written_sample, real.written_first,
                                  strict=True) if (p, s) == (0, 0)]  # fmt: skip
    assert texts == [" a", " a", " an", " an", " an"]


TRUE_AND_FALSE = [
    ("more of the neuron means more of the word", "hardly moves the clean prompt’s answer"),
    ("prompt’s answer follows the factor at every step", "answer hardly moves with the factor"),
    ("We scale both", "The bias of the neuron is left as it is"),
    ("cannot tell from nothing", "and beyond doubt at"),
    ("at factor 1, 2, 3, and with something else", "with something other than ·an at any factor"),
    ("and none goes as far", "and 2 go as far"),
]


@pytest.mark.parametrize(("said", "opposite"), TRUE_AND_FALSE)
def test_data_against_a_claim_bring_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def _told(plan=None, **fields):
    return Claims(
        changed(evidence(plan or Plan()), "weight_modulation", **fields)
    ).weight_modulation


def test_a_neuron_that_holds_the_word_back_says_less_when_turned_up():
    result = evidence(Plan()).weight_modulation
    turned = 2 - result.logit_diff
    found = _told(logit_diff=turned, p_target=result.p_target[:, ::-1])
    assert found.heading == "After the clean prompt more of the neuron means less of the word"
    assert "at every step" in found.dose
    assert _told(logit_diff=turned).heading.endswith("makes the word no less likely")
    likelier = _told(p_target=result.p_target[:, ::-1]).heading
    assert likelier.endswith("over the other token, and makes it no likelier")


def test_a_neuron_that_others_move_as_far_is_not_said_to_move_nothing():
    result = evidence(Plan()).weight_modulation
    found = _told(control_diff=result.control_diff + 40 * (result.control_diff - [1.0, -3.0]))
    assert found.heading == (
        "Turning it up or down moves the clean prompt’s answer, "
        "but no further than other neurons do"
    )
    assert (
        "does not steer the clean prompt’s answer beyond what other neurons’ factors do"
        in found.dose
    )
    assert "2 go as far" in found.wrong


def test_a_trifle_is_no_answer_even_if_other_neurons_do_less():
    start = np.array([1.0, -3.0], dtype=np.float32)
    result = evidence(Plan()).weight_modulation
    found = _told(
        logit_diff=start + (result.logit_diff - start) / 1000,
        control_diff=start + (result.control_diff - start) / 1000,
    )
    assert found.heading == "Turning it up or down hardly moves the clean prompt’s answer"
    assert "other neurons" not in found.dose


def test_an_answer_that_turns_back_is_told():
    diff = evidence(Plan()).weight_modulation.logit_diff.copy()
    diff[0, 9, 0] = 0.0
    diff[1, -1, 0] = -9.0
    found = _told(logit_diff=diff)
    assert "though not at every step" in found.dose
    assert "less is left than in the unchanged model" in found.inputs
    assert "less is left than in the unchanged model" not in _told().inputs


def test_a_probability_that_falls_again_is_told_with_its_peak():
    chances = evidence(Plan()).weight_modulation.p_target.copy()
    chances[0, 8:, 0] = (0.99999, 0.5, 0.4)
    assert "at factor 2; beyond it tokens other" in _told(p_target=chances).dose
    assert "largest" not in _told().dose


def test_a_factor_that_turns_the_corrupted_answer_round_is_named():
    diff = evidence(Plan()).weight_modulation.logit_diff.copy()
    assert "keeps preferring" in _told().corrupted
    diff[0, -1, 1] = 0.5
    assert "After the corrupted prompt" in _told(logit_diff=diff).corrupted
    assert "a factor of 3 turns this answer round" in _told(logit_diff=diff).corrupted


def test_without_controls_the_page_says_so():
    assert "no other neuron to compare with" in _told(toy_plan()).wrong


@pytest.mark.slow
def test_what_a_model_writes_stays_text():
    written = evidence(hostile_plan()).weight_modulation.written_text
    assert any(HOSTILE[1] in text for text in written)
    page = render(evidence(hostile_plan()))
    assert f"{HOSTILE[1]}⏎" not in page
    assert as_text(" a\nb\x07") == "a⏎b⟨7⟩"


@pytest.mark.parametrize(
    ("verdict", "is_true"),
    [
        ("moves", True),
        ("steers", True),
        ("steady", True),
        ("target_first", True),
        ("controls.as_far", False),
        ("loss_counts", False),
    ],
)
def test_facts_of_a_study_and_of_its_opposite(verdict, is_true):
    holds, fails = (facts(evidence(Plan(holds=h)).weight_modulation) for h in (True, False))
    assert bool(attrgetter(verdict)(holds)) is is_true
    assert bool(attrgetter(verdict)(fails)) is not is_true


@pytest.fixture
def modulate(analysis, monkeypatch, llama_folder):
    monkeypatch.setattr(corpus, "sample", lambda n, seed: list(enumerate(TEXTS * n))[:n])
    return partial(analysis, "weight-modulation", "--model", llama_folder)


@pytest.mark.slow
def test_the_verb_answers_in_json(modulate):
    code, out, err = modulate("--neuron", "L1N3", "--length", "3", "--texts", "4", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["neuron"] == "L1N3"
    assert document["factors"] == list(FACTORS)
    assert len(document["logit_diff"]["in"]["corrupted"]) == len(FACTORS)
    assert document["loss"]["texts"] == 4
    assert len(document["continuations"]) == 2 * len(WRITTEN_FACTORS) * 4
    assert {"prompt", "factor", "how", "text"} == set(document["continuations"][0])


@pytest.mark.slow
def test_coarser_number_types_are_answered_too(modulate):
    code, out, err = modulate("--neuron", "L1N3", "--dtype", "bfloat16", "--texts", "2", "--json")
    assert code == 0, err
    assert json.loads(out)["continuations"]


def test_the_likely_tokens_and_greedy_texts_are_those_of_really_edited_weights(
    subject, pair, result
):
    """Of every factor: the slider of the page shows them."""
    for place, factor in enumerate(FACTORS[::5]):
        copied = edited(subject, NEURON, "out", factor)
        chances = copied.logits(pair.clean.tokens)[-1].softmax(-1)
        row = result.likely_p[5 * place]
        for token, chance in zip(result.likely, row, strict=True):
            (token_id,) = {i for i in range(len(chances)) if copied.string(i) == token}
            assert chance == pytest.approx(float(chances[token_id]), abs=1e-4)
        assert copied.string(int(chances.argmax())) == result.likely[int(row.argmax())]
        assert result.greedy[5 * place].startswith(result.likely[int(row.argmax())])
    assert len(result.greedy) == len(FACTORS)
    assert result.likely_p.sum(1).max() <= 1 + 1e-5
