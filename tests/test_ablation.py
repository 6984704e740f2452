"""Ablation: a neuron's activation replaced, in prompts and in windows of text."""

import dataclasses
import json
from operator import attrgetter

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from analysis.claims import Claims
from analysis.contrast import make_contrast
from analysis.engines import ablator as engine
from analysis.engines.ablations import CONTROL_METHOD, IN_TEMPLATE
from analysis.engines.ablator import Predictions, PromptAblator, WindowAblator
from analysis.engines.controls import matched_neurons
from analysis.engines.evaluation_positions import evaluation_positions
from analysis.engines.replacement import METHODS, Pool
from analysis.errors import UserError
from analysis.experiments.ablation.both_kinds import both_kinds
from analysis.experiments.ablation.compute import Sizes, ablation, summary
from analysis.experiments.ablation.facts import facts
from analysis.experiments.ablation.figures import ablation as draw_ablation
from analysis.experiments.ablation.figures import ablation_by_activation, collateral
from analysis.experiments.ablation.measured import (
    MEAN,
    UNTOUCHED,
    answers,
    by_activation,
    in_set,
    matched_preferred,
    over_positions,
    over_prompts,
    possible,
    preferred,
    separation,
    separation_change,
)
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.association import slope_and_correlation
from analysis.numbers.estimates import Estimate
from analysis.prompts import PromptSet, make_prompt
from analysis.questions import Question, default
from tests.plant import plant
from tests.prose import Prose, render
from tests.questions import CLEAN, CORRUPTED, PAIR, TREES, default_pair
from tests.subjects import make_subject
from tests.synthetic import Plan, changed, evidence, toy_plan


@pytest.fixture
def ablate(analysis, llama_folder):
    """Run the verb; returns exit code, standard output and standard error."""

    def run(*arguments):
        prompts = ("--clean", CLEAN, "--corrupted", CORRUPTED)
        return analysis("ablation", "--model", llama_folder, *prompts, *arguments)

    return run


NEURON = Neuron(1, 4)
SMALL = Sizes(draws=6, matched=5, matched_draws=3, windows=4, matched_windows=2)
WORDS = ("apple", "lemon", "orange", "egg", "owl", "onion", "pear", "tree", "leaf", "bird")


def articles(count=14):
    """Texts of about 60 tokens in which the target stands now and then."""
    rng = np.random.default_rng(0)
    for number in range(count):
        pairs = zip(rng.choice(WORDS, 30), ["the", "an", "my"] * 10, strict=True)
        words = [f" {word} {next_word}" for word, next_word in pairs]
        yield number, "She saw" + "".join(words)


def prompts(subject):
    texts = ("I saw the apple and ate", "We ate an egg under the tree and saw", "He saw a dog and")
    return PromptSet(
        tuple(make_prompt(subject, text) for text in texts), (True, True, False), (False,) * 3
    )


def run(subject, pair, neuron=NEURON, **more):
    given = {"sizes": SMALL, **more}
    others, texts = given.pop("others", prompts(subject)), list(articles())
    return ablation(subject, neuron, pair.contrast, pair.clean, others, texts, **given)


def hooked(subject, tokens, neuron, values, where):
    """Logits of the whole text with the neuron's activations overwritten."""

    def overwrite(post, hook):
        post[0, where, neuron.number] = torch.as_tensor(values)
        return post

    hooks = [(f"blocks.{neuron.layer}.mlp.hook_post", overwrite)]
    with torch.no_grad():
        return subject.bridge.run_with_hooks(
            subject.batch(tokens), fwd_hooks=hooks, prepend_bos=False
        )[0]


def measures(subject, tokens, contrast, logits):
    """Logit difference, p(target) and KL, spelled out."""
    before, after = subject.logits(tokens)[-1].log_softmax(-1), logits[-1].log_softmax(-1)
    kl = (before.exp() * (before - after)).sum()
    target, foil = after[contrast.target_id], after[contrast.foil_id]
    return [float(target - foil), float(target.exp()), float(kl)]


@pytest.mark.parametrize("positions", ["last", "all"])
def test_ablating_to_its_own_value_changes_nothing(subject, pair, positions):
    ablator = PromptAblator(subject, 1, pair.clean, pair.contrast, positions)
    (effect,) = ablator.effects([4], ablator.activations[:, [4]].T)
    own = [ablator.logit_diff, ablator.p_target, 0.0]
    np.testing.assert_allclose(effect, own, atol=1e-5)
    windows = window_ablator(subject, pair)
    change, kl = windows.effects(0, windows.activations[..., 0])
    np.testing.assert_allclose(change, 0, atol=1e-5)
    np.testing.assert_allclose(kl, 0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("positions", ["last", "all"])
def test_every_method_equals_a_hook_that_overwrites_the_activation(subject, pair, positions):
    result = run(subject, pair, positions=positions)
    everyone = [pair.clean, *prompts(subject).prompts]
    for row, prompt in enumerate(everyone):
        own = subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"][1, :, 4]
        where = slice(None) if positions == "all" else slice(-1, None)
        means = torch.full_like(own, result.mean_activation)
        means[0] = result.mean_first
        for method, values in (("zero", 0 * own), ("mean", means), ("negate", -own)):
            logits = hooked(subject, prompt.tokens, NEURON, values[where], where)
            expected = measures(subject, prompt.tokens, pair.contrast, logits)
            found = result.ablated[row, METHODS.index(method)]
            np.testing.assert_allclose(found, expected, atol=2e-4, err_msg=method)


def test_a_resampled_activation_is_put_where_the_draw_says(subject, pair):
    result = run(subject, pair)
    tokens = pair.clean.tokens
    for value, found in zip(result.drawn[0], result.resampled[0], strict=True):
        logits = hooked(subject, tokens, NEURON, float(value), slice(-1, None))
        expected = measures(subject, tokens, pair.contrast, logits)
        np.testing.assert_allclose(found, expected, atol=2e-4)
    average = result.ablated[:, METHODS.index("resample")]
    np.testing.assert_allclose(average, result.resampled.mean(1), atol=1e-5)


def test_matched_neurons_are_ablated_as_brute_force_does(subject, pair):
    result = run(subject, pair)
    assert len(result.matched) == SMALL.matched
    for name, effects in zip(result.matched, result.matched_ablated, strict=True):
        neuron = parse_neuron(name, subject.n_layers, subject.d_mlp)
        logits = hooked(subject, pair.clean.tokens, neuron, 0.0, slice(-1, None))
        expected = measures(subject, pair.clean.tokens, pair.contrast, logits)
        np.testing.assert_allclose(effects[0, METHODS.index("zero")], expected, atol=2e-4)


def window_ablator(subject, pair, numbers=(4,)):
    found = evaluation_positions(subject, articles(), pair.contrast.targets, 4, seed=0)
    ids = torch.tensor([place.window.tokens for place in found])
    at = torch.tensor([(i, pos) for i, place in enumerate(found) for pos in place.positions])
    following = torch.tensor([token for place in found for token in place.following])
    return WindowAblator(subject, 1, list(numbers), ids, at, following)


class Allocated(TorchDispatchMode):
    """Notes the largest tensor that is made, in bytes."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.largest = max(self.largest, made.untyped_storage().nbytes())
        return made


@pytest.mark.slow
def test_many_variants_are_never_all_in_memory_at_once(subject, pair, monkeypatch):
    ablator = PromptAblator(subject, 1, pair.clean, pair.contrast, "all")
    numbers = [n % subject.d_mlp for n in range(600)]
    values = torch.zeros(len(numbers), len(ablator.activations))
    whole = ablator.effects(numbers, values)
    monkeypatch.setattr(engine, "CHUNK_TOKENS", 16)
    monkeypatch.setattr(engine, "ROWS", 16)
    with Allocated() as memory:
        parted = ablator.effects(numbers, values)
    np.testing.assert_allclose(whole, parted, atol=1e-5)
    assert memory.largest < values.numel() * 4 * subject.d_model / 4


def test_predictions_of_many_places_are_held_for_some_at_a_time(subject, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    normed = torch.randn(11, subject.d_model, generator=generator)
    after = normed[:7] + 0.1 * torch.randn(7, subject.d_model, generator=generator)
    tokens = torch.arange(11)[:, None]
    whole = Predictions(subject, normed, tokens)
    changes, divergences = whole.moved(after)
    monkeypatch.setattr(engine, "ROWS", 3)
    parted = Predictions(subject, normed, tokens)
    held = [v for v in vars(parted).values() if isinstance(v, torch.Tensor)]
    assert max(len(v) for v in held if v.shape[-1] == len(subject.unembedding)) <= 3
    for _ in range(2):
        again, others = parted.moved(after)
        torch.testing.assert_close(again, changes, atol=1e-6, rtol=0)
        torch.testing.assert_close(others, divergences, atol=1e-6, rtol=0)
    torch.testing.assert_close(parted.logs, whole.logs)


@pytest.mark.parametrize("step", [1e-4, 1e-2, 1.0, 1e3])
def test_the_smallest_and_the_largest_change_keep_their_precision(subject, step):
    """Against double precision, from the same changed residuals."""
    generator = torch.Generator().manual_seed(0)
    normed = torch.randn(5, subject.d_model, generator=generator)
    after = normed + step * torch.randn(5, subject.d_model, generator=generator)
    followed = torch.arange(5)[:, None]
    changes, divergences = Predictions(subject, normed, followed).moved(after)
    weight = subject.read_out.weight.double()
    old, new = ((each.double() @ weight.T).log_softmax(-1) for each in (normed, after))
    kl = (old.exp() * (old - new)).sum(-1)
    torch.testing.assert_close(divergences.double(), kl, rtol=2e-3, atol=0)
    change = (new - old).gather(-1, followed)
    torch.testing.assert_close(changes.double(), change, rtol=2e-3, atol=1e-6 * step)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["zero", "mean", "negate"])
def test_corpus_loss_and_divergence_equal_a_hook_at_every_position(subject, pair, method):
    result = run(subject, pair)
    found = evaluation_positions(subject, articles(), pair.contrast.targets, SMALL.windows, seed=0)
    expected, active = [], []
    for place in found:
        tokens = place.window.tokens
        own = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][1, :, 4]
        mean = torch.full_like(own, result.mean_activation)
        mean[0] = result.mean_first
        values = {"zero": 0 * own, "mean": mean, "negate": -own}[method]
        before = subject.logits(tokens).log_softmax(-1)
        after = hooked(subject, tokens, NEURON, values, slice(None)).log_softmax(-1)
        for pos, token in zip(place.positions, place.following, strict=True):
            kl = (before[pos].exp() * (before[pos] - after[pos])).sum()
            active.append(own[pos])
            expected.append([-before[pos, token], before[pos, token] - after[pos, token], kl])
    loss, change, kl = np.array(expected).T
    row = METHODS.index(method)
    np.testing.assert_allclose(result.position_activation, np.array(active), atol=1e-4)
    np.testing.assert_allclose(result.position_loss, loss, atol=1e-4)
    np.testing.assert_allclose(result.position_change[row], change, atol=2e-4)
    np.testing.assert_allclose(result.position_kl[row], kl, atol=2e-4)


def test_on_the_corpus_matched_neurons_are_ablated_as_the_neuron_is(subject, pair):
    first = run(subject, pair)
    neuron = parse_neuron(first.matched[0], subject.n_layers, subject.d_mlp)
    swapped = run(subject, pair, neuron=neuron)
    row = METHODS.index(CONTROL_METHOD)
    theirs = swapped.position_change[row, swapped.position_compared]
    np.testing.assert_allclose(first.matched_change[0], theirs, atol=1e-5)
    assert 0 < first.position_compared.sum() < len(first.position_compared)


def test_the_effect_of_a_planted_neuron_is_gone_when_it_is_ablated(subject, pair):
    planted = Neuron(2, 7)
    plant(subject, pair, planted, pair.contrast)
    result = run(subject, pair, neuron=planted)
    without = hooked(subject, pair.clean.tokens, planted, 0.0, slice(-1, None))
    gone = measures(subject, pair.clean.tokens, pair.contrast, without)[0]
    zero, _mean, _resample, negate = result.ablated[0, :, 0]
    assert result.baseline[0, 0] > gone + 1
    assert zero == pytest.approx(gone, abs=1e-3)
    assert negate < zero < result.baseline[0, 0]
    others = np.abs(result.matched_ablated[:, 0, 0, 0] - result.baseline[0, 0])
    assert others.max() < result.baseline[0, 0] - zero


def test_the_same_seed_draws_the_same_and_another_seed_does_not(subject, pair):
    first, again, other = (run(subject, pair, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.drawn, again.drawn)
    np.testing.assert_array_equal(first.position_change, again.position_change)
    assert (first.drawn != other.drawn).any()
    document = summary(first)["methods"]["resample"]
    assert document["draws"] == SMALL.draws
    assert document["sd"] == pytest.approx(float(first.resampled[0, :, 0].std()))
    assert document["interval"][0] < document["logit_diff"] < document["interval"][1]


def test_no_text_is_resampled_from_itself_and_first_positions_only_from_first_positions():
    windows = torch.arange(5.0)
    pool = Pool(100 + windows[:, None], windows[:, None, None].expand(5, 3, 1))
    own = [2, -1, 4]
    draw = pool.draw(np.random.default_rng(0), 3, 400, own)
    values = pool.drawn(draw, 0, start=0)
    for row, window in enumerate(own):
        assert set(values[row, 1:].tolist()) == set(range(5)) - {window}
    assert (values[:, 0] >= 100).all()
    assert (pool.drawn(draw, 0, start=1) < 100).all()
    assert pool.mean(0, 0, 3).tolist() == [102.0, 2.0, 2.0]


def test_places_before_the_target_and_all_others_come_from_different_documents(subject, pair):
    target = pair.contrast.target_id
    found = evaluation_positions(subject, articles(), (target,), 4, seed=3)
    texts = dict(articles())
    assert [place.is_target for place in found] == [True, False] * 4
    assert len({place.window.document for place in found}) == len(found)
    for place in found:
        tokens = subject.tokens(texts[place.window.document])
        begin = place.window.start
        assert {token == target for token in place.following} == {place.is_target}
        for pos, token in zip(place.positions, place.following, strict=True):
            assert tokens[begin + pos + 1] == token
            assert tokens[begin + pos] == place.window.tokens[pos] or pos == 0


def test_texts_too_short_to_draw_from_are_refused_in_words(subject, pair):
    with pytest.raises(UserError, match="Too few texts"):
        evaluation_positions(
            subject, [(0, "I saw"), (1, "We ate")], pair.contrast.targets, 4, seed=0
        )


def test_intervals_of_few_stay_where_a_share_or_a_size_can_lie():
    two = Estimate(0.06, -0.4, 1.4)
    assert possible("p_target", two) == (0.06, 0.0, 1.0)
    assert possible("kl", two) == possible("size", two) == (0.06, 0.0, 1.4)
    assert possible("logit_diff", two) == two
    assert np.isnan(possible("kl", Estimate(0.1, np.nan, np.nan))[1:]).all()


def test_intervals_resample_documents_not_tokens(subject, pair):
    result = run(subject, pair)
    other = ~result.position_target
    level = np.where(other, result.position_document, 0).astype(
        float
    )  # all of it between documents
    estimate = over_positions(result, level, target=False)
    naive = 1.96 * level[other].std() / np.sqrt(other.sum())
    assert (estimate.high - estimate.low) / 2 > 1.5 * naive
    assert np.isnan(over_prompts(result, result.activation, calls_for_target=False).low)


def test_the_set_of_words_is_the_questions_own_and_a_bare_pair_has_only_its_prompts(subject, pair):
    found = default().word_prompts(subject)
    words = default().target_words, default().foil_words
    assert len(found.prompts) == len(words[0]) + len(words[1]) >= 40
    assert sum(found.calls_for_target) == len(words[0])
    assert not any(found.in_question)
    other = PAIR.word_prompts(subject)
    assert other == PromptSet((pair.clean, pair.corrupted), (True, False), (True, True))


def test_without_words_the_set_is_the_pairs_that_are_written_out(subject, pair):
    texts = [TREES.template.format(word) for word in ("orange", "peach")]
    of_others = {"clean": texts[1], "corrupted": texts[0], "target": " the", "foil": " a"}
    pairs = [{"clean": texts[0], "corrupted": texts[1]}, of_others]
    found = Question(**{**PAIR.model_dump(), "pairs": pairs}).word_prompts(subject)
    assert [each.text for each in found.prompts] == [pair.clean.text, pair.corrupted.text, *texts]
    assert found.calls_for_target == (True, False, True, False)
    assert found.in_question == (True, True, False, False)


def test_no_estimate_over_the_set_counts_a_prompt_that_was_asked_about(subject, pair):
    found = TREES.word_prompts(subject)
    asked = [p for p, asked in zip(found.prompts, found.in_question, strict=True) if asked]
    assert asked == [pair.clean, pair.corrupted]
    orange = make_prompt(subject, TREES.template.format("orange"))
    given = Sizes(draws=2, matched=2, matched_draws=1, windows=2, matched_windows=1)
    contrast, asked = pair.contrast, (pair.clean, pair.corrupted)
    both = PromptSet((*asked, orange), (True, False, True), (True, True, False))
    result = ablation(subject, NEURON, contrast, pair.clean, both, list(articles()), sizes=given)
    assert [result.prompts[i] for i in np.flatnonzero(in_set(result, True))] == [orange.text]
    assert not in_set(result, False).any()
    assert result.matched == tuple(map(str, matched_neurons(subject, NEURON, both.prompts, 2)))


@pytest.mark.slow
def test_words_without_a_set_are_told_to_have_none():
    subject = make_subject("llama")
    pair = PAIR.pair(subject)
    contrast = make_contrast(subject, " the", " a")
    nothing = PAIR.replaced(target=" the").word_prompts(subject)
    texts = list(articles())
    result = ablation(subject, NEURON, contrast, pair.clean, nothing, texts, sizes=SMALL)
    assert summary(result)["set"] == []
    study = changed(evidence(Plan()), "ablation", **dataclasses.asdict(result))
    claims = Claims(study).ablation
    assert claims.prompts.startswith("No other prompts were asked, so nobody knows how often")
    assert "nothing to compare it by" in claims.matched
    assert "but the one asked about" in claims.caption
    assert "the answer to this prompt" in claims.heading
    assert "that test is left out" in claims.in_template
    assert claims.both_kinds == ""
    assert "undefined" not in Prose(render(study)).text
    for draw in (draw_ablation, ablation_by_activation):
        assert "Nothing to draw" in draw(result).to_json()


def test_one_prompt_of_a_kind_has_no_interval_and_gets_no_verdict():
    study = evidence(Plan())
    asked = study.ablation.in_question | (np.arange(len(study.ablation.in_question)) > 1)
    claims = Claims(changed(study, "ablation", in_question=asked)).ablation.prompts
    assert "On 1 prompt that calls for" in claims
    assert "(without an interval)" in claims
    assert (
        "cannot be told"
        not in Claims(changed(study, "ablation", in_question=asked)).ablation.hidden
    )


def test_a_corpus_without_the_target_is_measured_on_other_tokens_only(subject, pair):
    texts = [(number, text.replace(" an", " a")) for number, text in articles()]
    result = ablation(
        subject, NEURON, pair.contrast, pair.clean, prompts(subject), texts, sizes=SMALL
    )
    assert not result.position_target.any()
    assert {row["next_is_target"] for row in summary(result)["corpus"]} == {False}
    assert len(collateral(result).data) > 0
    study = changed(evidence(Plan()), "ablation", **dataclasses.asdict(result))
    assert "holds no place before" in Claims(study).ablation.corpus


def test_negation_is_never_called_an_ablation_but_what_the_original_did():
    claims = Claims(evidence(Plan())).ablation
    assert "That is not an ablation" in claims.negation
    assert "exaggerates" in claims.negation
    shown = draw_ablation(evidence(Plan()).ablation).to_json()
    assert "what the" in shown
    assert "original did" in shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verdict", "is_true"),
    [
        ("flips", True),
        ("decides", True),
        ("agree", True),
        ("near_zero", True),
        ("in_template.agrees", True),
        ("foil_prompts.follows", True),
        ("both_kinds.narrows", True),
        ("before_target.change.positive", True),
        ("matched.as_large", False),
        ("before_others.positive", False),
    ],
)
def test_facts_of_a_study_and_of_its_opposite(verdict, is_true):
    holds, fails = (facts(evidence(Plan(holds=h)).ablation) for h in (True, False))
    assert bool(attrgetter(verdict)(holds)) is is_true
    assert bool(attrgetter(verdict)(fails)) is not is_true


def shifted(study, by):
    """The same neuron in a model that likes the target less, but for the prompt asked about."""
    result = study.ablation
    values, ablated = result.baseline.copy(), result.ablated.copy()
    values[1:, 0] += by
    ablated[1:, :, 0] += by
    return changed(study, "ablation", baseline=values, ablated=ablated)


def test_a_flip_of_the_prompt_that_was_asked_about_is_not_told_of_the_others():
    """There it raises the target, which never was preferred; in the other study it decides."""
    study = evidence(Plan())
    rare, found = facts(shifted(study, -3.0).ablation), Claims(shifted(study, -3.0)).ablation
    assert rare.flips
    assert (rare.decides, rare.raises, rare.lowers) == (False, True, False)
    assert found.heading == "Take the neuron away, and the word loses ground"
    assert "after none, with the neuron or without it" in Prose(found.caption).text
    often = facts(study.ablation)
    assert (often.decides, often.raises, often.lowers) == (True, False, False)
    assert (
        "after 6 with the neuron, and after none without it"
        in Prose(Claims(study).ablation.caption).text
    )


def test_a_neuron_that_holds_the_target_back_lowers_it():
    result = evidence(Plan()).ablation
    ablated = result.ablated.copy()
    ablated[..., 0] = 2 * result.baseline[:, [0]] - ablated[..., 0]
    study = changed(evidence(Plan()), "ablation", ablated=ablated)
    found = facts(study.ablation)
    assert (found.decides, found.raises, found.lowers) == (False, False, True)
    assert "the word gains ground" in Claims(study).ablation.heading


def test_a_trifling_change_raises_nothing_however_sure_it_is():
    result = evidence(Plan()).ablation
    ablated = (result.baseline[:, None] + np.zeros_like(result.ablated)).astype("f")
    ablated[..., 0] -= 0.01
    found = facts(dataclasses.replace(result, ablated=ablated))
    assert found.target_prompts.change.negative
    assert not found.raises


def test_a_mean_near_zero_hides_a_neuron_that_pushes_both_ways_and_is_told():
    """Activations of -3 to 3, each prompt changed by 0.3 for a unit: the mean is nothing at all."""
    result = evidence(Plan()).ablation
    found = facts(result).foil_prompts
    assert found.change.mean == pytest.approx(0, abs=1e-6)
    size, slope, correlation = found.by_activation
    assert size.mean == pytest.approx((0.9 + 0.3 + 0 + 0 + 0.3 + 0.9) / 6, abs=1e-5)
    assert slope.mean == pytest.approx(-0.3, abs=1e-5)
    assert correlation.mean == pytest.approx(-1, abs=1e-5)
    assert (found.pushes_for, found.pushes_against) == (2, 2)
    unclear = facts(evidence(Plan(holds=False)).ablation).foil_prompts
    assert (found.hides, unclear.hides) == ("directions", "nothing")
    text = Prose(Claims(evidence(Plan())).ablation.hidden).text
    assert "pushes towards ·an in 2 of 6 prompts, and against it in 2; 2 hardly move" in text


def test_changes_that_do_not_follow_the_activation_hide_no_second_direction():
    """As large, and of both signs, but the same whatever the neuron does."""
    result = evidence(Plan()).ablation
    ablated, foil = result.ablated.copy(), in_set(result, False)
    ablated[foil, :, 0] = result.baseline[foil, :1] + 0.9 * np.array([[1, -1, 0, 0, -1, 1]]).T
    study = changed(evidence(Plan()), "ablation", ablated=ablated.astype("f"))
    found = facts(study.ablation).foil_prompts
    assert found.hides == "nothing"
    assert not found.follows
    text = Prose(Claims(study).ablation.hidden).text
    assert "In mean size it is 0.60" in text
    assert "that it follows the activation is not shown" in text
    assert "hides" not in text


def faint(result, which, activation=0.5):
    """Some of the matched neurons hardly active, and yet changing the answer as much."""
    active, ablated = result.matched_activation.copy(), result.matched_ablated.copy()
    active[which] = activation
    ablated[which, :, :, 0] = result.baseline[:, [0]] - 5
    return {"matched_activation": active, "matched_ablated": ablated}


def test_the_neuron_is_compared_with_those_about_as_active():
    """One of two is faint, and as strong: it is no match. A loud one as strong is."""
    study = evidence(Plan())
    given = faint(study.ablation, [0])
    found = facts(changed(study, "ablation", **given).ablation).matched
    assert (found.alike, found.as_large) == (1, 0)
    assert found.preferred == (6, 6)
    loud = faint(study.ablation, [0], activation=9.0)
    found = facts(changed(study, "ablation", **loud).ablation).matched
    assert (found.alike, found.as_large, found.preferred) == (2, 1, (0, 6))
    assert (
        "nothing special: 1 of these changes"
        in Claims(changed(study, "ablation", **loud)).ablation.matched
    )


def test_where_none_is_about_as_active_there_is_no_fair_comparison():
    study = evidence(Plan())
    claims = Claims(changed(study, "ablation", **faint(study.ablation, [0, 1]))).ablation
    assert "no fair comparison" in claims.matched
    assert "about as active" not in claims.caption


def test_ways_of_ablating_that_all_put_about_zero_are_one_test():
    study = evidence(Plan())
    loud = np.full_like(study.ablation.drawn, 8.0)
    wide = changed(study, "ablation", drawn=loud)
    assert "they are one test and not three" in Claims(study).ablation.agreement
    assert "the ways of ablating agree" in Claims(wide).ablation.agreement
    assert "one test" not in Claims(wide).ablation.agreement


def test_a_preference_is_counted_where_the_target_is_the_likelier_of_the_two(subject, pair):
    result = run(subject, pair, others=foils(subject))
    for kind in (True, False):
        mine = in_set(result, kind)
        for method in (UNTOUCHED, MEAN):
            diffs = [answers(result, method)[i] for i in np.flatnonzero(mine)]
            assert preferred(result, method, kind) == sum(d > 0 for d in diffs)
        theirs = result.matched_ablated[:, mine, MEAN, 0]
        counts = [sum(d > 0 for d in row) for row in theirs]
        assert matched_preferred(result, MEAN, kind).tolist() == counts
    rows = {(r["calls_for"], r["method"]): r for r in summary(result)["set"]}
    assert rows[" a", "mean"]["target_preferred"] == preferred(result, MEAN, False)


def test_the_answers_separation_counts_pairs_of_prompts_and_its_change_keeps_them_together():
    result = evidence(Plan()).ablation
    target, foil = (answers(result, MEAN)[in_set(result, kind)] for kind in (True, False))
    pairs = [(a > b) + 0.5 * (a == b) for a in target for b in foil]
    found, untouched = separation(result, MEAN), separation(result, UNTOUCHED)
    assert found.auc.mean == pytest.approx(np.mean(pairs))
    assert found.gap.mean == pytest.approx(target.mean() - foil.mean(), abs=1e-5)
    change = separation_change(result, MEAN)
    assert change.gap.mean == pytest.approx(found.gap.mean - untouched.gap.mean, abs=1e-5)
    moved = result.ablated.copy()
    moved[..., 0] = result.baseline[:, [0]] - 1.0  # every prompt alike: nothing about the gap
    same = dataclasses.replace(result, ablated=moved)
    assert separation_change(same, MEAN).gap == pytest.approx((0, 0, 0), abs=1e-5)


def foils(subject, own=False):
    """A set with three prompts that call for the foil."""
    texts = (
        "We ate an egg and saw",
        "He saw a dog and",
        "I saw the pear and ate",
        "She ate a leaf",
    )
    made = tuple(make_prompt(subject, text) for text in texts)
    return PromptSet(made, (True, False, False, False), (own,) * len(texts))


def test_in_template_draws_are_what_the_neuron_does_at_the_end_of_other_prompts(subject, pair):
    result = run(subject, pair, others=foils(subject))
    assert result.methods == (*METHODS, IN_TEMPLATE)
    donors = [p.tokens for p in foils(subject).prompts[1:]]
    ends = [subject.cache(t, "mlp.hook_post")["mlp.hook_post"][1, -1, 4].item() for t in donors]
    tokens = [pair.clean.tokens, *(p.tokens for p in foils(subject).prompts)]
    for row, own in enumerate(tokens):
        allowed = [end for end, donor in zip(ends, donors, strict=True) if donor != own]
        for value, found in zip(
            result.template_drawn[row], result.template_resampled[row], strict=True
        ):
            assert min(abs(value - end) for end in allowed) < 1e-4
            logits = hooked(subject, own, NEURON, float(value), slice(-1, None))
            np.testing.assert_allclose(
                found, measures(subject, own, pair.contrast, logits), atol=2e-4
            )
    average = result.template_resampled.mean(1)
    np.testing.assert_allclose(result.ablated[:, len(METHODS)], average, atol=1e-5)
    document = summary(result)["methods"]
    assert set(document) == {*METHODS, IN_TEMPLATE}
    assert document[IN_TEMPLATE]["draws"] == SMALL.draws


def test_in_template_draws_leave_the_other_methods_as_they_are(subject, pair):
    plain = run(subject, pair, others=foils(subject, own=True))
    more = run(subject, pair, others=foils(subject))
    assert plain.methods == METHODS
    np.testing.assert_allclose(more.ablated[:, : len(METHODS)], plain.ablated, atol=1e-5)
    assert plain.template_drawn.shape == (5, 0)


def test_nothing_is_drawn_from_one_prompt_alone_nor_where_all_positions_change(subject, pair):
    assert run(subject, pair).methods == METHODS
    assert run(subject, pair, others=foils(subject), positions="all").methods == METHODS


def test_slope_and_correlation_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    y = 2 * x + rng.normal(size=40)
    slope, correlation = slope_and_correlation(x, y)
    assert slope.mean == pytest.approx(np.polyfit(x, y, 1)[0])
    assert correlation.mean == pytest.approx(np.corrcoef(x, y)[0, 1])
    residual = y - np.polyval(np.polyfit(x, y, 1), x)
    width = 2 * 1.96 * residual.std() / x.std() / np.sqrt(40)
    assert slope.high - slope.low == pytest.approx(width, rel=0.25)


@pytest.mark.slow
def test_a_slope_is_covered_as_often_as_its_interval_says():
    """300 samples of 25 prompts, true slope 0.5: 95 % would be 285, the bootstrap gives a little
    less of so few."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        x = rng.normal(size=25)
        slope, _ = slope_and_correlation(x, 0.5 * x + rng.normal(size=25))
        hits += slope.low <= 0.5 <= slope.high
    assert 0.9 <= hits / 300 <= 0.98


def test_what_does_not_vary_has_no_slope():
    for x, y in ((np.ones(5), np.arange(5.0)), (np.arange(5.0), np.ones(5)), (np.arange(2.0),) * 2):
        assert np.isnan(slope_and_correlation(x, y)).all()
    result = evidence(Plan()).ablation
    still = dataclasses.replace(result, activation=np.ones_like(result.activation))
    assert np.isnan(by_activation(still, MEAN, True).slope.mean)
    assert not facts(still).foil_prompts.follows
    assert len(ablation_by_activation(still).data) == 6


def test_a_layer_of_one_neuron_has_nothing_to_compare_with():
    claims = Claims(evidence(toy_plan())).ablation
    assert "no neuron to compare it with" in claims.matched
    assert "no neuron to compare with" in claims.wrong


@pytest.mark.parametrize(
    ("active", "says"),
    [(9.0, "at 20 of them."), (0.1, "at none of them, so"), (-9.0, "at none of them, so")],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_where_nothing_is_lost_the_page_tells_whether_the_neuron_was_at_work(active, says, sign):
    """A gated neuron may work with a negative activation; the opposite one is not the same."""
    study = evidence(Plan(holds=False))
    values = np.full_like(study.ablation.position_activation, sign * active)
    fields = {"position_activation": values, "activation": sign * study.ablation.activation}
    claims = Claims(changed(study, "ablation", **fields)).ablation
    assert "No harm can be shown" in claims.corpus
    assert says in claims.corpus


def test_progress_only_grows_and_ends_at_one(subject, pair):
    seen = []
    run(subject, pair, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_the_embedded_neuron_decides_on_apple_and_its_negation_is_no_ablation(embedded):
    pair = default_pair(embedded)
    alone = PromptSet((pair.clean,), (True,), (True,))
    texts = [
        (n, "The old house stood by the river and nobody had been in it. " * 4) for n in range(6)
    ]
    sizes = Sizes(draws=4, matched=2, matched_draws=2, windows=2, matched_windows=1)
    result = ablation(
        embedded, Neuron(25, 1527), pair.contrast, pair.clean, alone, texts, sizes=sizes
    )
    document = summary(result)
    assert document["activation"] == pytest.approx(11.21, abs=0.01)
    assert document["baseline"]["logit_diff"] == pytest.approx(0.714, abs=1e-3)
    assert document["methods"]["zero"]["logit_diff"] == pytest.approx(-1.504, abs=1e-3)
    assert document["methods"]["negate"]["logit_diff"] == pytest.approx(-4.827, abs=1e-3)


@pytest.mark.slow
def test_the_verb_answers_with_every_method(ablate):
    code, out, err = ablate("--neuron", "L1N3", "--windows", "2", "--matched", "3", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert set(result["methods"]) == {*METHODS, IN_TEMPLATE}
    for found in result["methods"].values():
        assert {"logit_diff", "p_target", "kl"} <= set(found)
    assert result["baseline"]["kl"] == 0
    words = default().target_words, default().foil_words
    assert {row["prompts"] for row in result["set"]} == set(map(len, words))
    for row in result["set"]:
        low, high = row["logit_diff_interval"]
        assert low <= row["logit_diff"] <= high
        assert all(0 <= end <= 1 for end in row["p_target_interval"])
    for row in result["set"] + result["corpus"]:
        assert row["kl_interval"][0] is None or row["kl_interval"][0] >= 0
    assert len(result["matched"]["neurons"]) == 3
    assert result["corpus"]


@pytest.mark.slow
def test_without_json_the_verb_prints_tables(ablate):
    given = ("--neuron", "L1N3", "--windows", "2", "--matched", "0", "--positions", "all")
    code, out, err = ablate(*given, "--dtype", "bfloat16")
    assert code == 0, err
    assert "{" not in out
    assert "untouched" in out


@pytest.mark.slow
def test_words_without_a_set_print_no_table_of_it(ablate):
    words = ("--target", " the", "--foil", " a")
    code, out, err = ablate("--neuron", "L1N3", "--windows", "2", "--matched", "2", *words)
    assert code == 0, err
    assert "calls_for" not in out


def test_a_gap_of_few_prompts_narrows_only_by_an_interval_wide_enough_for_them():
    """Percentiles of three prompts of a kind are less than half as far as they should be."""
    result = evidence(Plan()).ablation
    three = np.isin(np.arange(len(result.prompts)), [1, 2, 3, 7, 8, 9])
    change = np.zeros(len(three), "f")
    change[three] = -0.05, -0.2, -0.35, 0.05, -0.05, 0.0
    ablated = result.ablated.copy()
    ablated[..., 0] = result.baseline[:, [0]] + change[:, None]
    few = dataclasses.replace(result, in_question=~three, ablated=ablated)
    assert separation_change(few, MEAN).gap.high < 0
    found = both_kinds(few)
    assert not found.narrows
    assert not found.stays
    ablated[three, :, 0] -= 3.0 * result.calls_for_target[three, None]
    assert both_kinds(dataclasses.replace(few, ablated=ablated)).narrows
    alone = np.isin(np.arange(len(three)), [1, 7, 8])
    one = both_kinds(dataclasses.replace(result, in_question=~alone, ablated=ablated))
    assert not one.narrows
    assert not one.stays
