"""Intervention: one neuron's activation exchanged at the end of one prompt, and in what follows."""

import dataclasses
import json
from functools import partial
from operator import attrgetter

import numpy as np
import pytest
import torch

from analysis import corpus
from analysis.claims import Claims
from analysis.engines.continuation import exchanged
from analysis.engines.reading import windows
from analysis.engines.reference_activations import beginnings, reference_activations
from analysis.errors import UserError
from analysis.experiments.intervention.compute import (
    LIKELIEST,
    MEASURES,
    RESAMPLE,
    SETTINGS,
    Intervention,
    intervention,
    summary,
)
from analysis.experiments.intervention.facts import facts
from analysis.experiments.intervention.figures import SHOWN
from analysis.experiments.intervention.figures import intervention as draw
from analysis.neuron import Neuron
from tests import tiny
from tests.plant import plant
from tests.prose import Prose, check_opposites, render
from tests.questions import CLEAN, CORRUPTED, default_pair
from tests.synthetic import HOSTILE, Plan, changed, evidence, hostile_plan

NEURON = Neuron(1, 7)
AT = {name: place for place, name in enumerate(SETTINGS)}
OTHERS = np.linspace(-1.0, 2.0, 40).astype(np.float32)
TEXTS = ((0, "I saw a big red bird under the tree."), (1, "She found it"), (2, "It"))


def run(subject, pair, others=OTHERS, **given) -> Intervention:
    given = {"neuron": NEURON, "prompt": pair.clean, "length": 4, "draws": 6, **given}
    return intervention(subject, contrast=pair.contrast, reference=others, **given)


def hooked(subject, tokens, change, positions=1):
    """Log-probabilities after a text, the slow way: ``change`` is made at its last positions."""

    def hook(post, hook):
        post[0, -positions:, NEURON.number] = change(post[0, -positions:, NEURON.number])
        return post

    with torch.no_grad():
        logits = subject.bridge.run_with_hooks(
            subject.batch(tokens),
            fwd_hooks=[(f"blocks.{NEURON.layer}.mlp.hook_post", hook)],
            prepend_bos=False,
        )
    return logits[0, -1].double().log_softmax(-1)


def measured(logs, before, contrast):
    target, foil = logs[contrast.target_id], logs[contrast.foil_id]
    kl = (before.exp() * (before - logs)).sum()
    return [float(v) for v in (target - foil, target.exp(), foil.exp(), kl)]


CHANGES = {
    "untouched": lambda own: own,
    "zero": lambda own: 0 * own,
    "mean": lambda own: 0 * own + float(OTHERS.mean()),
    "negate": lambda own: -own,
    "factor": lambda own: 3.5 * own,
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_equals_the_slow_hooked_pass(subject, pair, name):
    result = run(subject, pair, factor=3.5)
    before, after = (hooked(subject, pair.clean.tokens, CHANGES[n]) for n in ("untouched", name))
    expected = measured(after, before, pair.contrast)
    np.testing.assert_allclose(result.measures[AT[name]], expected, atol=1e-4, rtol=1e-4)
    ids = [subject.tokenizer.convert_tokens_to_ids(token) for token in result.tokens]
    np.testing.assert_allclose(
        result.probabilities[AT[name]], after.exp()[ids].float(), atol=1e-5, rtol=1e-4
    )


def test_every_draw_equals_the_slow_hooked_pass_with_its_value(subject, pair):
    result = run(subject, pair)
    before = hooked(subject, pair.clean.tokens, CHANGES["untouched"])
    for value, row in zip(result.drawn, result.drawn_measures, strict=True):
        after = hooked(subject, pair.clean.tokens, lambda own, value=value: 0 * own + float(value))
        expected = measured(after, before, pair.contrast)
        np.testing.assert_allclose(row, expected, atol=1e-4, rtol=1e-4)
    for mine, drawn in (
        (result.measures, result.drawn_measures),
        (result.probabilities, result.drawn_probabilities),
    ):
        np.testing.assert_allclose(mine[RESAMPLE], drawn.mean(0), atol=1e-5, rtol=1e-5)


def test_the_activation_told_is_the_neurons_own_at_the_last_position(subject, pair):
    result = run(subject, pair, factor=-2.0)
    post = subject.cache(pair.clean.tokens, "mlp.hook_post")["mlp.hook_post"]
    own = float(post[NEURON.layer, -1, NEURON.number])
    assert result.activation == pytest.approx(own, abs=1e-5)
    expected = [own, 0, OTHERS.mean(), result.drawn.mean(), -own, -2 * own]
    np.testing.assert_allclose(result.set_to, expected, atol=1e-5)


def same(result, one, other, **tolerance):
    tolerance = tolerance or {"atol": 1e-5, "rtol": 1e-5}
    for values in (result.measures, result.probabilities):
        np.testing.assert_allclose(values[AT[one]], values[AT[other]], **tolerance)
    assert result.continuations[AT[one]] == result.continuations[AT[other]]


def test_factor_1_changes_nothing(subject, pair):
    result = run(subject, pair, factor=1.0)
    same(result, "untouched", "factor")
    assert result.measures[AT["untouched"], MEASURES.index("kl")] == 0
    assert result.measures[AT["factor"], MEASURES.index("kl")] < 1e-6


def test_zero_equals_factor_0_and_negate_equals_factor_minus_1(subject, pair):
    same(run(subject, pair, factor=0.0, length=8), "zero", "factor")
    same(run(subject, pair, factor=-1.0, length=8), "negate", "factor")


def test_a_resample_from_a_constant_equals_the_mean(subject, pair):
    result = run(subject, pair, others=np.full(5, 1.25, dtype=np.float32), length=8)
    same(result, "mean", "resample")
    assert np.ptp(result.drawn_measures, axis=0).max() < 1e-5


def plain_greedy(subject, tokens, steps, change=None):
    """New tokens by one whole pass a step, all new positions changed but the prompt's last too."""
    new = []
    for step in range(steps):
        text = [*tokens, *new]
        logs = (
            subject.logits(text)[-1] if change is None else hooked(subject, text, change, step + 1)
        )
        new.append(int(logs.argmax()))
    return "".join(map(subject.string, new))


def test_untouched_it_writes_what_plain_greedy_generation_writes(subject, pair):
    result = run(subject, pair, length=10)
    assert result.continuations[0] == plain_greedy(subject, pair.clean.tokens, 10)


@pytest.mark.parametrize("name", ["zero", "mean", "negate", "factor"])
def test_written_on_the_same_change_holds_at_every_new_position(subject, pair, name):
    result = run(subject, pair, factor=3.5, length=8)
    expected = plain_greedy(subject, pair.clean.tokens, 8, CHANGES[name])
    assert result.continuations[AT[name]] == expected


def test_written_on_under_resample_every_step_takes_a_fresh_draw(subject, pair):
    """Two values that make the model write two different words: a single draw would write one."""
    plant(subject, pair, NEURON, pair.contrast)
    result = run(subject, pair, others=np.array([-30, 30], dtype=np.float32), length=12)
    first, *others = result.continuations[AT["resample"]].split()
    assert {pair.contrast.target.strip(), pair.contrast.foil.strip()} <= {first, *others}
    assert first == (pair.contrast.target if result.drawn[0] > 0 else pair.contrast.foil).strip()


def test_probabilities_sum_to_at_most_1_and_hold_every_settings_likeliest(subject, pair):
    result = run(subject, pair, factor=50.0)
    assert (result.probabilities.sum(1) <= 1 + 1e-6).all()
    assert {pair.contrast.target, pair.contrast.foil} <= set(result.tokens)
    assert len(set(result.tokens)) == len(result.tokens) <= LIKELIEST * len(SETTINGS) + 2
    assert (np.diff(result.probabilities[0]) <= 0).all()
    for place, name in enumerate(SETTINGS):
        likeliest = result.tokens[int(result.probabilities[place].argmax())]
        if name != "resample" and likeliest != tiny.BOS:
            assert result.continuations[place].startswith(likeliest)
    columns = [result.tokens.index(t) for t in (pair.contrast.target, pair.contrast.foil)]
    np.testing.assert_allclose(result.measures[:, 1:3], result.probabilities[:, columns])


def bytes_of(result):
    fields = dataclasses.asdict(result)
    return {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in fields.items()}


def test_two_calls_give_the_same_bytes_and_another_seed_other_draws(subject, pair):
    assert bytes_of(run(subject, pair)) == bytes_of(run(subject, pair))
    assert (run(subject, pair).drawn != run(subject, pair, seed=1).drawn).any()


def test_nothing_leaks_into_later_passes_even_after_an_error(subject, pair):
    tokens = pair.clean.tokens
    before = subject.logits(tokens)
    run(subject, pair)
    list(beginnings(subject, TEXTS, 4))
    reference_activations(subject, 1, windows(subject, TEXTS, 4))
    assert (subject.logits(tokens) == before).all()
    one = torch.ones(1)
    with pytest.raises(IndexError), exchanged(subject, NEURON, 2 * one, one):
        subject.model(subject.batch([10**6]))
    with pytest.raises(IndexError):
        run(subject, pair, neuron=Neuron(1, 10**6))
    assert (subject.logits(tokens) == before).all()
    assert not [m for m in subject.model.modules() if m._forward_pre_hooks or m._forward_hooks]


def test_elsewhere_is_every_token_of_other_texts_but_the_first(subject):
    pieces = list(windows(subject, TEXTS, 4))
    found = reference_activations(subject, NEURON.layer, pieces)
    expected = [
        subject.cache(w.tokens, "mlp.hook_post")["mlp.hook_post"][NEURON.layer, 1:] for w in pieces
    ]
    torch.testing.assert_close(found, torch.cat(expected), atol=1e-5, rtol=1e-4)
    assert reference_activations(subject, 0, []).shape == (0, subject.d_mlp)


def test_elsewhere_reads_no_layer_beyond_its_own(subject):
    reached = []
    blocks = list(subject.model.get_submodule(subject.family.blocks).children())
    handles = [
        block.register_forward_pre_hook(lambda *_, layer=layer: reached.append(layer))
        for layer, block in enumerate(blocks)
    ]
    reference_activations(subject, 1, windows(subject, TEXTS, 100))
    for handle in handles:
        handle.remove()
    assert reached == [0, 1]


def test_beginnings_are_the_first_window_of_each_text(subject):
    firsts = [w for w in windows(subject, TEXTS, 4) if w.start == 0]
    assert list(beginnings(subject, TEXTS, 4)) == firsts


def test_a_prompt_of_one_token_and_one_that_fills_the_context_are_answered(subject, pair):
    for tokens in (pair.clean.tokens[:1], (pair.clean.tokens * subject.context)[: subject.context]):
        prompt = dataclasses.replace(pair.clean, tokens=tuple(tokens))
        result = run(subject, pair, prompt=prompt, factor=3.5)
        logs = hooked(subject, tokens, CHANGES["factor"])
        target, foil = pair.contrast.target_id, pair.contrast.foil_id
        diff = float(logs[target] - logs[foil])
        assert result.measures[AT["factor"], 0] == pytest.approx(diff, abs=1e-3)
        assert all(result.continuations) == (len(tokens) < subject.context)


def test_a_planted_neuron_turns_the_answer_round_where_it_is_negated(subject, pair):
    plant(subject, pair, NEURON, pair.contrast)
    diff = dict(zip(SETTINGS, run(subject, pair).measures[:, 0], strict=True))
    assert diff["negate"] < diff["zero"] < diff["untouched"] < diff["factor"]
    assert diff["negate"] < 0 < diff["untouched"]


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), -100.5, 1e9])
def test_a_factor_out_of_range_is_refused(subject, pair, factor):
    with pytest.raises(UserError, match="out of range"):
        run(subject, pair, factor=factor)


def test_without_other_texts_or_draws_it_says_what_is_missing(subject, pair):
    with pytest.raises(UserError, match="nothing to draw from"):
        run(subject, pair, others=np.zeros(0, dtype=np.float32))
    with pytest.raises(UserError, match="nothing to draw from"):
        run(subject, pair, draws=0)


def test_the_embedded_neuron_stops_saying_an_when_it_is_taken_away(embedded):
    pair = default_pair(embedded)
    others = np.array([-0.3, 0.0, 0.1, 0.2], dtype=np.float32)
    result = run(embedded, pair, others, neuron=Neuron(25, 1527), length=3)
    diff = dict(zip(SETTINGS, result.measures[:, 0].tolist(), strict=True))
    assert diff["untouched"] == pytest.approx(0.7138, abs=1e-3)
    assert diff["zero"] == pytest.approx(-1.5039, abs=1e-3)
    assert diff["negate"] == pytest.approx(-4.8269, abs=1e-3)
    assert result.continuations[0].startswith(" an apple")
    assert result.continuations[AT["zero"]].startswith(" a ")


TRUE_AND_FALSE = [
    ("three ways, and after this prompt it is ·a instead", "does not change that for this prompt"),
    ("not to third words", "the neuron moves other words as well"),
    ("Here more of the neuron makes ·an likelier", "Here more of the neuron does not favour ·an"),
    ("and ·a with zero, its mean, draws and its negative", "whatever the neuron is set to"),
    ("which value is drawn hardly matters", "hangs on the value drawn"),
    ("untouched, and", "the same with the neuron’s mean as untouched"),
]


@pytest.mark.parametrize(("said", "opposite"), TRUE_AND_FALSE)
def test_data_against_a_claim_bring_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def sentences_of(plan=None, **fields):
    return Claims(changed(evidence(plan or Plan()), "intervention", **fields)).intervention


def test_a_first_choice_that_only_some_settings_change_is_told_setting_by_setting():
    shares = evidence(Plan()).intervention.probabilities.copy()
    shares[AT["zero"], 2] = 0.95
    claims = sentences_of(probabilities=shares)
    assert "Take the neuron away, and after this prompt it is" in claims.first
    assert "·the</code> with zero" in claims.first
    shares[AT["mean"]] = shares[0]
    assert (
        "it stays with its mean and 2 times the activation"
        in sentences_of(probabilities=shares).caption
    )


def test_a_neuron_that_holds_the_word_back_is_told_so():
    measures = evidence(Plan()).intervention.measures.copy()
    measures[AT["factor"], 0] = -3.0
    assert "does not favour" in sentences_of(measures=measures).scaled
    assert "makes" in sentences_of(measures=measures, factor=0.5).scaled
    assert "more of" not in sentences_of(measures=measures, factor=1.0).scaled


@pytest.mark.parametrize(
    ("verdict", "is_true"),
    [
        ("foil_takes_over", True),
        ("traded", True),
        ("favours_target", True),
        ("moved", True),
        ("robust", False),
        ("draw_matters", False),
    ],
)
def test_facts_of_a_study_and_of_its_opposite(verdict, is_true):
    holds, fails = (facts(evidence(Plan(holds=h)).intervention) for h in (True, False))
    assert bool(attrgetter(verdict)(holds)) is is_true
    assert bool(attrgetter(verdict)(fails)) is not is_true


@pytest.mark.slow
def test_every_setting_is_a_row_and_only_draws_have_a_spread():
    page = render(changed(evidence(Plan()), "intervention", factor=-2.25))
    table = page[page.index('<table class="settings">') :].split("</table>")[0]
    _, *rows = (Prose(row).text for row in table.split("<tr>")[1:])
    names = ("untouched", "zero", "mean", "resample", "negated", "times −2.25")
    assert all(row.startswith(name) for row, name in zip(rows, names, strict=True))
    assert ["±" in row for row in rows] == [name == "resample" for name in names]


def test_nothing_written_is_told_as_nothing():
    assert (
        sentences_of(length=0, continuations=("",) * len(SETTINGS)).writes
        == "Nothing was written on."
    )


def test_what_a_model_writes_stays_text():
    assert HOSTILE[0] not in str(sentences_of(hostile_plan()).writes)
    settings = sentences_of(hostile_plan()).facts.settings.values()
    assert any(HOSTILE[1] in setting.text for setting in settings)


def test_the_figure_shows_few_tokens_but_always_target_and_foil():
    result = evidence(Plan()).intervention
    names = (*(f" word{i}" for i in range(20)), " an", " a")
    shares = np.tile(np.linspace(0.09, 0.001, 22, dtype=np.float32), (6, 1))
    many = dataclasses.replace(
        result, tokens=names, probabilities=shares, drawn_probabilities=shares
    )
    labels = draw(many).layout.yaxis.ticktext
    assert len(labels) == SHOWN
    assert {"<b>·an</b>", "<b>·a</b>", "·word0"} <= set(labels)


@pytest.fixture
def intervene(analysis, monkeypatch, llama_folder):
    monkeypatch.setattr(corpus, "sample", lambda n, seed: list(TEXTS))
    asked = ("--model", llama_folder, "--clean", CLEAN, "--corrupted", CORRUPTED)
    return partial(analysis, "intervention", *asked)


def test_the_verb_answers_in_json(intervene):
    code, out, err = intervene("--neuron", "L1N3", "--factor", "-3", "--length", "2", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert {"neuron", "prompt", "target", "foil", "factor", "activation", "settings", "tokens"} <= (
        set(document)
    )
    assert (document["neuron"], document["factor"]) == ("L1N3", -3)
    assert [row["setting"] for row in document["settings"]] == list(SETTINGS)
    for row in document["settings"]:
        assert {"set_to", *MEASURES, "sd", "continuation"} <= set(row)
        assert (row["sd"] is None) == (row["setting"] != "resample")
    assert set(document["tokens"][0]) == {"token", *SETTINGS}
    last = document["settings"][-1]
    assert last["set_to"] == pytest.approx(-3 * document["activation"], abs=1e-4)


def test_the_verb_answers_a_reader_in_tables_and_finds_its_own_neuron(intervene):
    code, out, err = intervene("--length", "0")
    assert code == 0, err
    assert out.count("negate") == 3, "in the settings, in what is written, and over the tokens"
    assert "best of a sweep" in err


@pytest.mark.slow
def test_coarser_number_types_are_answered_too(intervene):
    code, out, err = intervene("--neuron", "L1N3", "--dtype", "bfloat16", "--json")
    assert code == 0, err
    assert json.loads(out)["settings"]


def test_the_summary_tells_the_spread_of_the_draws(subject, pair):
    result = run(subject, pair)
    row = summary(result)["settings"][RESAMPLE]
    assert row["sd"] == pytest.approx(float(result.drawn_measures[:, 0].std()))


def test_first_choices_that_differ_are_named_and_never_called_by_a_word_that_is_a_token_too():
    """With two other choices each stands beside its setting; “another” is nothing but a token."""
    result = evidence(Plan()).intervention
    tokens, shares = (
        (*result.tokens[:2], " another", *result.tokens[3:]),
        result.probabilities.copy(),
    )
    shares[AT["zero"], 2] = 0.95
    fields = {"tokens": tokens, "probabilities": shares}
    caption = Prose(sentences_of(**fields).caption).text
    assert "is ·an untouched, ·another with zero, ·a with its mean, ·a with draws, and" in caption
    assert caption.count("another") == caption.count("·another") == 1
    shares[[AT["mean"], AT["resample"], AT["negate"]], 2] = 0.95
    caption = Prose(sentences_of(**fields).caption).text
    assert "and ·another with zero, its mean, draws and its negative in the activation" in caption
