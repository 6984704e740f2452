"""One question, several models: a row is what the single experiments say, and none is skipped."""

import dataclasses
import gc
import json
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import EMBEDDED, corpus, results
from analysis.claims import Claims
from analysis.evidence import load_evidence
from analysis.experiments.comparison import EXPERIMENT
from analysis.experiments.comparison.compute import (
    AT_THE_HUB,
    CHARACTERS,
    COMPARED,
    HUB,
    NOT_IN_STUDY,
    SHOWN,
    beginnings,
    comparison,
    joined,
    run,
    summary,
    together,
)
from analysis.experiments.comparison.facts import facts
from analysis.experiments.comparison.figures import comparison as figure_of
from analysis.experiments.comparison.figures import comparison_depth
from analysis.experiments.comparison.measured import Comparison
from analysis.experiments.direct_effect.compute import direct_effect
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.loading import models
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.discrimination import best_threshold
from analysis.numbers.estimates import share_of_tokens
from analysis.prompts import make_pair
from analysis.running import inputs
from analysis.scanning.detector import FEWEST, Detector, halfway
from analysis.subject import Origin
from tests.plant import plant
from tests.prose import Prose
from tests.questions import CLEAN, CORRUPTED, PAIR, default_pair, held_out_pairs
from tests.subjects import make_subject
from tests.synthetic import Plan, changed, evidence, save

TEXT = (
    "I saw an apple and an egg. She ate an orange and a pear. He picked an onion from the tree. "
    "It was an old house under the trees. We found a fruit and a leaf and an owl."
)
TEXTS_READ = tuple((number, TEXT) for number in range(4))


@pytest.fixture
def other(subject):
    texts = CLEAN.replace("apple", "orange"), CORRUPTED.replace("lemon", "pear")
    return make_pair(subject, *texts, PAIR.target, PAIR.foil)


def test_a_row_says_what_the_sweep_and_the_direct_effect_say(subject, pair, other):
    row = comparison(subject, pair, [other], TEXTS_READ, screen=0)
    sweep = neuron_sweep(subject, pair, [other])
    assert row.neurons[0] == sweep.candidates[:SHOWN]
    best = sweep.best
    assert row.recovery[0, 0] == pytest.approx(sweep.recovery[best], abs=1e-6)
    expected = sweep.held_out_effect[0, :SHOWN] / sweep.held_out_gap[0]
    np.testing.assert_allclose(row.held_out[0], expected, rtol=1e-5)
    np.testing.assert_allclose(row.logit_diff[0], [sweep.clean_diff, sweep.corrupted_diff])
    assert row.measured[0] == row.n_neurons[0] == sweep.recovery.size
    effect = direct_effect(subject, best, pair.contrast)
    place, sign = effect.target_rank, row.sign[0]
    assert row.target_rank[0] == (place if sign > 0 else subject.d_vocab + 1 - place)
    assert (row.rank_by_target[0], row.rank_by_difference[0]) == effect.ranks(int(sign))


def test_activation_and_probability_are_those_at_the_ends_of_the_prompts(subject, pair):
    row = comparison(subject, pair, [], TEXTS_READ, screen=20)
    neuron = parse_neuron(row.neurons[0][0], subject.n_layers, subject.d_mlp)
    for side, prompt in enumerate((pair.clean, pair.corrupted)):
        post = subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"]
        assert row.activation[0, side] == pytest.approx(
            float(post[neuron.layer, -1, neuron.number]), abs=1e-5
        )
        own = subject.logits(prompt.tokens)[-1].softmax(-1)[pair.contrast.target_id]
        assert row.p_target[0, side] == pytest.approx(float(own), abs=1e-5)
    assert row.sign[0] == np.sign(row.activation[0, 0] - row.activation[0, 1])


def test_what_a_model_answers_is_counted_over_all_pairs(subject, pair, other):
    row = comparison(subject, pair, [other], TEXTS_READ, screen=20)
    target, foil = pair.contrast.target_id, pair.contrast.foil_id
    values = []
    for each in (pair, other):
        for prompt in (each.clean, each.corrupted):
            logits = subject.model(subject.batch(prompt.tokens)).logits[0, -1]
            values.append((float(logits[target] - logits[foil]), float(logits.softmax(-1)[target])))
    (differences, shares) = np.array(values).reshape(2, 2, 2).transpose(2, 0, 1)
    assert row.pairs[0] == 2
    np.testing.assert_allclose(row.pair_logit_diff[0], differences.mean(0), atol=1e-4)
    np.testing.assert_allclose(row.pair_p_target[0], shares.mean(0), atol=1e-5)
    assert row.preferred[0].tolist() == (differences > 0).sum(0).tolist()
    assert row.heard[0] == (differences[:, 0] > differences[:, 1]).sum()


def test_depth_is_the_share_of_blocks_that_have_run_when_a_neuron_has_written():
    row = evidence(Plan()).comparison
    row = dataclasses.replace(row, neurons=(("L0N3", "L2N1"),), layers=np.array([4]))
    assert row.depth[0, :2].tolist() == [1 / 4, 3 / 4]
    assert np.isnan(row.depth[0, 2:]).all()


def test_rows_of_other_studies_join_in_the_order_of_the_list_and_wait_no_longer():
    own = evidence(Plan()).comparison
    others = [dataclasses.replace(own, models=(name,)) for name in ("gpt2-xl", "mine", "gpt2")]
    both = joined(own, others)
    assert both.models == (own.models[0], "gpt2", "gpt2-xl", "mine")
    assert not {"gpt2", "gpt2-xl"} & {*both.missing}
    assert dict(zip(both.missing, both.reasons, strict=True))["gpt2-medium"] == AT_THE_HUB
    assert dict(zip(both.missing, both.reasons, strict=True))["gemma-3-270m"] == NOT_IN_STUDY


def test_a_study_shows_rows_of_other_models_that_the_same_code_made_of_the_same_question(tmp_path):
    own, other = Plan(), dataclasses.replace(Plan(), model="another")
    folder = save(own, tmp_path)
    beside = save(other, tmp_path)
    assert load_evidence(folder).comparison.models == (own.model, "another")
    assert load_evidence(beside).comparison.models == ("another", own.model)
    saved = json.loads((beside / "comparison.json").read_text())
    for key, value in (("code", "other"), ("inputs", {**saved["provenance"]["inputs"], "seed": 9})):
        made = {**saved, "provenance": {**saved["provenance"], key: value}}
        (beside / "comparison.json").write_text(json.dumps(made))
        assert load_evidence(folder).comparison.models == (own.model,)


def test_without_held_out_pairs_there_is_no_number_in_their_place(subject, pair):
    row = comparison(subject, pair, [], TEXTS_READ, screen=20)
    assert row.held_out_pairs[0] == 0
    assert np.isnan(row.held_out).all()
    assert json.dumps(summary(row)["models"][0]["held_out_pairs"]) == "0"


def test_a_planted_neuron_is_the_rows_and_works_with_either_sign(subject, pair):
    neuron = Neuron(1, 6)
    plant(subject, pair, neuron, pair.contrast)
    row = comparison(subject, pair, [], TEXTS_READ, screen=30)
    assert row.neurons[0][0] == str(neuron)
    assert (row.sign[0], row.rank_by_difference[0]) == (1, 1)


def test_a_gated_neuron_that_works_with_negative_activation_has_its_ranks_turned():
    subject = make_subject("llama")
    pair = PAIR.pair(subject)
    neuron = Neuron(1, 6)
    plant(subject, pair, neuron, pair.contrast)
    mlp = subject.model.model.layers[1].mlp
    mlp.up_proj.weight.data[6] *= -1
    mlp.down_proj.weight.data[:, 6] *= -1
    row = comparison(subject, pair, [], TEXTS_READ, screen=30)
    assert row.neurons[0][0] == str(neuron)
    assert (row.sign[0], row.rank_by_difference[0]) == (-1, 1)
    assert direct_effect(subject, neuron, pair.contrast).ranks(1)[1] > 1


def test_the_detector_reads_what_hooks_read_and_leaves_out_what_has_no_next_token(subject, pair):
    neuron = Neuron(2, 5)
    detector = Detector(subject, neuron, pair.contrast, -1)
    values, follows, first, _ = detector.columns(TEXTS_READ[:1], lambda _: None)
    tokens = subject.tokens(TEXT)
    post = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][2, 1:-1, 5]
    np.testing.assert_allclose(values, -post.numpy(), atol=1e-5)
    target = pair.contrast.target_id
    assert follows.tolist() == [token == target for token in tokens[2:]]
    own = subject.logits(tokens)[1:-1].argmax(-1)
    assert first.tolist() == [token == target for token in own.tolist()]
    assert follows.sum() == TEXT.count(" an ")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=1, max_size=30))
def test_the_threshold_is_the_one_of_largest_f1(rows):
    values = np.array([value for value, _ in rows], dtype=np.float32)
    followed = np.array([mark for _, mark in rows])

    def f1(threshold):
        loud = values >= threshold
        return 2 * (loud & followed).sum() / max(1, loud.sum() + followed.sum())

    if followed.any():
        assert f1(best_threshold(values, followed)) == pytest.approx(max(map(f1, values)))


def test_texts_that_choose_the_threshold_are_not_those_that_count(subject, pair):
    """Where the counting texts change, the threshold stays; it is the other texts' own best."""
    detector = Detector(subject, Neuron(0, 3), pair.contrast, 1)
    silent, much = "The dog was big and the cat was small.", f"{TEXT} {TEXT}"
    first = detector.detect([(0, much), (1, silent)], 9.0, lambda _: None)
    second = detector.detect([(0, much), (1, TEXT)], 9.0, lambda _: None)
    values, follows, *_ = detector.columns([(0, much)], lambda _: None)
    assert follows.sum() >= FEWEST
    assert first.threshold == second.threshold == best_threshold(values, follows)
    assert (first.followed, second.followed) == (0, TEXT.count(" an "))
    for rare in (silent, TEXT):  # too few occurrences to choose by
        assert detector.detect([(0, rare), (1, TEXT)], 9.0, lambda _: None).threshold == 9.0


@pytest.mark.parametrize(
    ("clean", "corrupted", "threshold"),
    [(8, 1, 4), (8, -2, 4), (-1, -7, -4), (0, -6, -3), (1, -7, -3), (3, -5, 1.5), (0, 0, 0)],
)
def test_a_threshold_that_nobody_chose_lies_between_the_two_prompts(clean, corrupted, threshold):
    """A neuron that the clean prompt quiets is not loud from half of next to nothing on."""
    assert halfway(clean, corrupted) == threshold


def test_a_row_of_a_quieted_neuron_takes_the_middle_of_both_prompts(subject, pair, monkeypatch):
    ends = (np.array([0.5, 0.1]), np.array([-1.0, -7.0]))
    monkeypatch.setattr("analysis.experiments.comparison.compute._at_the_ends", lambda *_: ends)
    row = comparison(subject, pair, [], TEXTS_READ[:1], screen=20)
    assert (row.sign[0], row.threshold[0]) == (1, -4.0)
    study = evidence(Plan())
    few = {"sign": row.sign, "activation": row.activation, "chosen_on": np.array([1])}
    claims = Claims(changed(study, "comparison", **few)).comparison.corpus
    assert "midway between its activations on the two prompts" in claims


def test_shares_are_of_tokens_and_their_intervals_over_texts(subject, pair):
    """Each judged text by itself, and then together: tokens of one text are not independent."""
    detector = Detector(subject, Neuron(0, 3), pair.contrast, 1)
    other = "The dog saw an owl and an egg. She ate an apple."
    judged = [TEXT, other, f"{other} {TEXT}", "The cat was small."]
    texts = list(enumerate(text for each in judged for text in (TEXT, each)))
    found = detector.detect(texts, 0.0, lambda _: None)
    rows = []
    for text in judged:
        values, follows, *_ = detector.columns([(0, text)], lambda _: None)
        active = values >= found.threshold
        rows.append(((active & follows).sum(), active.sum(), follows.sum()))
    hits, active, follows = np.array(rows, dtype=float).T
    np.testing.assert_allclose(found.shares[0], share_of_tokens(hits, active))
    np.testing.assert_allclose(found.shares[1], share_of_tokens(hits, follows))
    assert found.shares[1, 0] == found.active_followed / found.followed
    alone = detector.detect([(0, TEXT), (1, TEXT)], 0.0, lambda _: None).shares
    assert np.isnan(alone[:2, 1:]).all(), "one text gives no interval"


def test_beginnings_end_at_a_word_and_short_texts_stay_whole():
    cut, whole = (text for _, text in beginnings([(1, "word " * 1000), (2, "two words")]))
    assert len(cut) <= CHARACTERS
    assert cut.endswith("word")
    assert whole == "two words"


def test_rows_under_each_other_are_kept_apart_and_survive_the_disk(subject, pair, tmp_path):
    rows = [comparison(subject, pair, [], TEXTS_READ, screen=20) for _ in range(2)]
    both = together(rows, {"gpt2": "Not here."})
    name = subject.origin.name
    assert both.models == (f"{name} (#1)", f"{name} (#2)")
    np.testing.assert_array_equal(both.recovery[0], both.recovery[1])
    assert (both.missing, both.reasons) == (("gpt2",), ("Not here.",))
    made = results.Provenance(*["x"] * 4, {}, {}, "cpu", "float32", "c", "when", 1.0)
    results.save(tmp_path, "comparison", both, made)
    back = results.load(tmp_path, "comparison", Comparison)
    for field in dataclasses.fields(Comparison):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(both, field.name))


@pytest.fixture
def compare(analysis, monkeypatch):
    """Run the verb; its corpus is a handful of short texts."""
    monkeypatch.setattr(corpus, "sample", lambda _n, _seed: list(TEXTS_READ))

    def run(*arguments):
        return analysis("comparison", *arguments, "--clean", CLEAN, "--corrupted", CORRUPTED)

    return run


@pytest.fixture
def paths(folders):
    return list(folders.values())


@pytest.mark.slow
def test_compare_makes_a_row_a_model_and_names_the_missing(compare, paths, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("analysis.loading.hub.cached", lambda *_: None)
    monkeypatch.setattr("analysis.loading.hub._download", lambda *_: 1 / 0)
    code, out, _ = compare(*paths, "distilgpt2", "nowhere", "--json")
    document = json.loads(out)
    assert code == 0
    assert [row["name"] for row in document["models"]] == [
        "tiny-gpt2",
        "tiny-llama",
        "tiny-gpt_neox",
    ]
    assert [row["measured"] for row in document["models"]] == [EXPERIMENT.check({})["screen"]] * 3
    missing = {row["name"]: row["reason"] for row in document["missing"]}
    assert "distilbert/distilgpt2 is neither in the hub's cache" in missing["distilgpt2"]
    assert missing["nowhere"].startswith("Unknown model 'nowhere'")


@pytest.mark.slow
def test_without_a_screen_every_neuron_is_patched_as_the_sweep_does(compare, answer, paths):
    _, out, _ = compare(paths[1], "--screen", 0, "--json")
    (row,) = json.loads(out)["models"]
    asked = ("--clean", CLEAN, "--corrupted", CORRUPTED)
    sweep = answer("neuron-sweep", "--model", paths[1], *asked)
    assert row["measured"] == row["n_neurons"] == sweep["n_neurons"]
    best, second = sweep["neurons"][:2]
    assert (row["neuron"], row["recovery"]) == (best["neuron"], best["recovery"])
    assert row["next"][0]["neuron"] == second["neuron"]
    assert row["held_out"] == pytest.approx(sweep["held_out"][0]["recovery"], rel=1e-4)


@pytest.mark.slow
def test_a_model_named_twice_is_asked_once_and_the_user_told(compare, paths):
    twice = paths[0].parent / "." / ".." / paths[0].parent.name / paths[0].name
    code, out, err = compare(paths[0], twice, "--json")
    assert code == 0
    assert len(json.loads(out)["models"]) == 1
    assert "is named twice and asked once" in err


@pytest.mark.slow
def test_the_option_model_names_one_more_model_and_stands_alone_without_others(compare, paths):
    _, out, _ = compare("--model", paths[0], paths[1], "--json")
    assert [row["name"] for row in json.loads(out)["models"]] == ["tiny-gpt2", "tiny-llama"]
    _, out, _ = compare("--model", paths[0], "--json")
    assert [row["name"] for row in json.loads(out)["models"]] == ["tiny-gpt2"]


@pytest.mark.slow
def test_the_option_model_counts_where_it_is_given_even_if_it_names_the_default(
    compare, paths, monkeypatch
):
    loaded = models.load
    monkeypatch.setattr(
        models,
        "load",
        lambda name, *rest: loaded(str({EMBEDDED: paths[0]}.get(name, name)), *rest),
    )
    _, out, _ = compare("--model", EMBEDDED, paths[1], "--json")
    assert [row["name"] for row in json.loads(out)["models"]] == ["tiny-gpt2", "tiny-llama"]
    _, out, _ = compare(paths[1], "--json")
    assert [row["name"] for row in json.loads(out)["models"]] == ["tiny-llama"]


@pytest.mark.slow
def test_with_no_model_at_all_the_reasons_are_told_with_exit_code_2(compare, paths):
    code, out, err = compare("nowhere", "no/where.gguf")
    assert (code, out) == (2, "")
    (found,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "nowhere: Unknown model" in found
    assert "There is no file or folder" in found
    code, _, err = compare(paths[0], "--target", " an egg", "--foil", " a")
    assert code == 2
    assert "reads the next token alone, and ' an egg' is 2 tokens" in err


@pytest.mark.slow
def test_a_question_that_one_model_cannot_be_asked_is_that_models_reason(
    compare, paths, monkeypatch
):
    """A context too short for the prompt, say; the other models still answer."""
    loaded = models.load

    def load(name, *rest):
        subject = loaded(name, *rest)
        if name.endswith("gpt2"):
            subject.config.max_position_embeddings = 4
        return subject

    monkeypatch.setattr(models, "load", load)
    _, out, _ = compare(paths[0], paths[1], "--json")
    document = json.loads(out)
    assert [row["name"] for row in document["models"]] == ["tiny-llama"]
    assert "reads at most 4" in document["missing"][0]["reason"]


@pytest.mark.slow
def test_a_model_too_large_is_named_and_any_other_failure_is_not_hidden(
    compare, paths, monkeypatch
):
    loaded = models.load

    def full(name, *rest):
        if name.endswith("gpt2"):
            raise RuntimeError("DefaultCPUAllocator: not enough memory")
        return loaded(name, *rest)

    monkeypatch.setattr(models, "load", full)
    _, out, _ = compare(paths[0], paths[1], "--json")
    assert "does not fit into this machine" in json.loads(out)["missing"][0]["reason"]

    def broken(*_):
        raise RuntimeError("size mismatch")

    monkeypatch.setattr(models, "load", broken)
    with pytest.raises(RuntimeError, match="size mismatch"):
        compare(paths[0])


@pytest.mark.slow
def test_one_model_is_let_go_before_the_next_is_loaded(compare, paths, monkeypatch):
    loaded, alive = models.load, []

    def load(*arguments):
        gc.collect()
        assert [ref for ref in alive if ref() is not None] == []
        subject = loaded(*arguments)
        alive.append(weakref.ref(subject.model))
        return subject

    monkeypatch.setattr(models, "load", load)
    code, _, _ = compare(*paths)
    assert (code, len(alive)) == (0, 3)


@pytest.mark.slow
def test_a_reader_gets_tables_with_the_missing_ones_named(compare, paths):
    code, out, _ = compare(paths[1], "nowhere")
    assert code == 0
    assert "tiny-llama" in out
    assert "nowhere" in out
    assert "{" not in out


def test_a_row_alone_names_the_other_models_that_are_compared(monkeypatch):
    monkeypatch.setattr(corpus, "sample", lambda _n, _seed: list(TEXTS_READ))
    for name in (EMBEDDED, "tiny"):
        subject = make_subject("llama")
        subject = dataclasses.replace(subject, origin=Origin(name, "random weights", "seed 0"))
        found = run(subject, inputs(EXPERIMENT, subject, PAIR), lambda _: None)
        assert found.missing == tuple(each for each in COMPARED if each != name)
        hub = {m for m, why in zip(found.missing, found.reasons, strict=True) if why == AT_THE_HUB}
        assert hub == {e.name for e in models.CATALOGUE if isinstance(e.origin, str)} & {*COMPARED}
        assert hub == {*HUB}


def study_of(*held_out_of_best):
    """A page over as many models, the best neuron of each with this much on held-out pairs."""
    study = evidence(Plan())
    rows = []
    for place, value in enumerate(held_out_of_best):
        row = study.comparison
        held_out, low = row.held_out.copy(), row.held_out_low.copy()
        held_out[0, 0], low[0, 0] = value, value - 0.05
        name = f"model-{place}" if place else row.models[0]
        rows.append(dataclasses.replace(row, models=(name,), held_out=held_out, held_out_low=low))
    many = together(rows, {"gpt2": "Not here."})
    return changed(study, "comparison", **vars(many))


def test_with_many_models_the_page_counts_those_in_which_a_neuron_stands_out():
    claims = Claims(study_of(0.6, 0.6, -0.2)).comparison
    assert claims.heading == "In 2 of 3 models one neuron stands out"
    assert "In model-1 one neuron stands out" in claims.found
    assert "In model-2 no neuron stands out on both" in claims.found
    assert "In 2 of 3 models" in claims.caption
    assert "One model shows" not in claims.wrong
    assert "In 0 of 2 models" in Claims(study_of(-0.2, 0.0)).comparison.heading


def test_one_model_speaks_for_itself_alone():
    claims = Claims(evidence(Plan())).comparison
    assert claims.heading == "Other models: not part of this study"
    assert "One model shows that such a neuron can exist" in claims.wrong
    assert (
        "1 column waits for a machine that reaches the hub of Hugging Face: gpt2." in claims.absent
    )
    assert "<code>make study-hub</code>" in claims.absent
    assert "1 other model is without a row" in claims.absent
    everything = changed(evidence(Plan()), "comparison", missing=(), reasons=())
    assert Claims(everything).comparison.absent == "No model that was asked for is missing."


def test_a_model_without_the_skill_is_not_blamed_for_lacking_the_neuron():
    def skill(**counts):
        return Claims(changed(study_of(0.6, 0.0), "comparison", **counts)).comparison.answers

    def answers(preferred, heard):
        return {
            "pairs": np.array([20, 20]),
            "preferred": np.array([[18, 2], preferred]),
            "heard": np.array([20, heard]),
        }

    able = skill(**answers((17, 3), 19))
    assert able.count("has the skill") == 2
    assert "none of these models can be excused" in able
    hears = skill(**answers((1, 0), 19))
    assert "model-1 hears the difference and mostly does not act on it" in hears
    assert "after 1 of the prompts that call for it" in hears
    assert "says little" in hears
    both = changed(study_of(0.6, 0.6), "comparison", **answers((0, 0), 19))
    assert "a preference that mostly stays on one side" in Claims(both).comparison.answers
    assert "after none of the prompts that call for it" in Claims(both).comparison.answers
    assert "model-1 lacks the skill" in skill(**answers((9, 10), 11))
    always = skill(**answers((20, 19), 18))  # it says the target whatever is called for
    assert "hears the difference and mostly does not act on it" in always


def test_depths_are_called_the_same_only_where_they_are():
    study = study_of(0.6, 0.6)
    rows = study.comparison
    layers = [rows.layers[0], 10 * rows.layers[0]]
    deep = changed(study, "comparison", layers=np.array(layers))
    assert "at about the same depth" in Claims(study).comparison.depth
    assert "at different depths" in Claims(deep).comparison.depth
    assert "lie apart" in Claims(deep).comparison.depth_caption
    assert Claims(evidence(Plan())).comparison.depth == ""


def test_the_figure_of_depths_has_every_model_and_its_best_neuron():
    figure = comparison_depth(study_of(0.6, 0.0).comparison)
    assert len(figure.data[0].x) + len(figure.data[1].x) == sum(
        len(names) for names in study_of(0.6, 0.0).comparison.neurons
    )
    assert {len(trace.marker.size) for trace in figure.data} == {len(t.x) for t in figure.data}
    assert len([a for a in figure.layout.annotations if "<b>L" in a.text]) == 2


@pytest.mark.slow
def test_kept_rows_are_not_made_again_and_one_model_more_adds_its_own(compare, paths, tmp_path):
    first = compare(paths[1], "--keep", tmp_path, "--json")
    kept = sorted(tmp_path.rglob("comparison.json"))
    assert [path.parent.parent.name for path in kept] == ["tiny-llama"]
    before = kept[0].read_bytes()
    code, out, err = compare(paths[0], paths[1], "--keep", tmp_path, "--json")
    assert code == 0
    assert [row["name"] for row in json.loads(out)["models"]] == ["tiny-gpt2", "tiny-llama"]
    assert json.loads(out)["models"][1] == json.loads(first[1])["models"][0]
    assert kept[0].read_bytes() == before
    assert len(sorted(tmp_path.rglob("comparison.json"))) == 2
    assert err.count(" recovers ") == 2, "each model is told as it is finished"


def test_make_study_hub_asks_the_models_that_wait():
    (line,) = [each for each in Path("Makefile").read_text().splitlines() if "HUB :=" in each]
    assert tuple(line.partition(":=")[2].split()) == HUB


def test_facts_let_no_neuron_stand_out_that_leads_only_where_it_was_chosen():
    study = study_of(0.6)
    assert facts(study.comparison).models[0].stands_out
    held_out = study.comparison.held_out.copy()
    held_out[0, 1] = 0.7
    beaten = changed(study, "comparison", held_out=held_out)
    assert not facts(beaten.comparison).models[0].stands_out
    chosen = study.comparison.recovery.copy()
    chosen[0, 1] = 0.59
    close = changed(study, "comparison", recovery=chosen)
    assert not facts(close.comparison).standing_out


def test_few_occurrences_are_called_rough_and_many_are_not():
    def prose(**counts):
        given = {name: np.array([value]) for name, value in counts.items()}
        if "active" in counts:  # of nothing there is no share
            given["shares"] = np.full((1, 4, 3), np.nan)
        study = changed(evidence(Plan()), "comparison", **given)
        return Claims(study).comparison.corpus

    assert "rough" not in prose()
    assert "rough" in prose(followed=7, active_followed=5)
    assert "the word came only 1 time" in prose(chosen_on=1)
    assert "came only" not in prose()
    assert "precision undefined" in prose(active=0, active_followed=0)
    assert "precision 75" in prose()


def test_a_screen_that_found_another_neuron_says_so():
    claims = Claims(evidence(Plan(holds=False))).comparison.screen
    assert "finds another neuron" in claims
    assert "L3N5" in claims
    everything = changed(evidence(Plan()), "comparison", measured=np.array([32]))
    assert "nothing was screened out" in Claims(everything).comparison.screen


def test_the_figure_shows_every_model_and_names_the_missing():
    study = study_of(*[0.6] * 5)
    notes = " ".join(note.text for note in figure_of(study.comparison).layout.annotations)
    for name in ("model-1", "model-4", "not measured: gpt2"):
        assert name in notes
    assert "0.60 → 0.60" in notes


@pytest.mark.slow
def test_the_section_stands_on_the_page_with_its_table():
    from tests.prose import render

    text = Prose(render(study_of(0.6, 0.1))).text
    assert "In 1 of 2 models one neuron stands out" in text
    assert "Not here." in text


def test_the_embedded_model_has_the_row_it_is_known_by(embedded):
    """Numbers of the full sweep, from a screen; a corpus sample too small to pin."""
    pair = default_pair(embedded)
    texts = beginnings(corpus.sample(4, 0))
    row = comparison(embedded, pair, held_out_pairs(embedded, 3), texts, screen=64)
    assert row.neurons[0][:3] == ("L25N1527", "L23N1468", "L29N1326")
    np.testing.assert_allclose(row.recovery[0, :3], [0.613, 0.444, 0.127], atol=0.005)
    assert row.p_target[0, 0] == pytest.approx(0.607, abs=0.001)
    np.testing.assert_allclose(row.activation[0], [11.21, 1.36], atol=0.01)
    np.testing.assert_allclose(row.logit_diff[0], [0.714, -3.476], atol=1e-3)
    assert (row.target_rank[0], row.rank_by_target[0], row.rank_by_difference[0]) == (1, 3, 1)
    assert row.n_neurons[0] == 46_080
    assert row.held_out_low[0, 0] > 0.4
