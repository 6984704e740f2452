import dataclasses
from contextlib import ExitStack

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from analysis import questions
from analysis.claims import Claims
from analysis.contrast import Contrast
from analysis.engines.patcher import NeuronPatcher
from analysis.errors import UserError
from analysis.experiments.direct_effect.compute import direct_effect
from analysis.experiments.neuron_sweep.compute import neuron_sweep, summary
from analysis.experiments.neuron_sweep.measured import ranked
from analysis.experiments.patching.compute import patching
from analysis.neuron import Neuron
from analysis.prompts import PromptPair, make_pair
from tests.plant import plant
from tests.questions import CLEAN, CORRUPTED, TREES, default_pair, make_tiny_pair
from tests.reference import patched_recoveries
from tests.subjects import make_subject
from tests.synthetic import Plan, changed, evidence


def all_neurons(subject):
    return [Neuron(i, n) for i in range(subject.n_layers) for n in range(subject.d_mlp)]


@pytest.mark.slow
@pytest.mark.parametrize("positions", ["last", "all"])
def test_every_neuron_of_the_sweep_equals_a_hooked_forward_pass(subject, pair, positions):
    sweep = neuron_sweep(subject, pair, positions=positions)
    neurons = all_neurons(subject)[::3]
    slow = patched_recoveries(subject, pair, neurons, positions)
    fast = [sweep.recovery[neuron] for neuron in neurons]
    gap = abs(sweep.clean_diff - sweep.corrupted_diff)
    np.testing.assert_allclose(np.array(fast) * gap, np.array(slow) * gap, atol=1e-4)
    assert sweep.exact.all()


@pytest.mark.slow
@settings(max_examples=12)
@given(architecture=st.sampled_from(["gpt2", "llama"]), data=st.data())
def test_a_planted_neuron_comes_first_in_the_sweep_and_in_the_direct_effect(architecture, data):
    subject = make_subject(architecture, seed=data.draw(st.integers(0, 3)))
    pair = make_tiny_pair(subject)
    neuron = Neuron(
        data.draw(st.integers(0, subject.n_layers - 1)),
        data.draw(st.integers(0, subject.d_mlp - 1)),
    )
    ids = data.draw(
        st.lists(st.integers(2, subject.d_vocab - 1), min_size=2, max_size=2, unique=True)
    )
    contrast = Contrast(*map(subject.string, ids), *((i,) for i in ids))
    plant(subject, pair, neuron, contrast)
    sweep = neuron_sweep(subject, PromptPair(pair.clean, pair.corrupted, contrast))
    assert sweep.best == neuron
    assert sweep.candidates[0] == str(neuron)
    assert direct_effect(subject, neuron, contrast).rank_by_difference == 1


def test_neurons_come_out_the_same_however_few_may_stand_ready(subject, pair, monkeypatch):
    chosen = torch.zeros(subject.n_layers, subject.d_mlp, dtype=torch.bool)
    chosen[:, ::2] = True
    patcher = NeuronPatcher(subject, pair, "all")
    at_once = patcher.effects(chosen)
    monkeypatch.setattr("analysis.engines.patcher.ENTRY_TOKENS", 30)
    torch.testing.assert_close(patcher.effects(chosen), at_once, atol=1e-4, rtol=1e-4)


def test_prompts_that_call_for_the_same_word_are_refused(subject, pair):
    """Two tokens with the same unembedding row have the same logit after any prompt."""
    rows = subject.model.get_output_embeddings().weight.data
    rows[pair.contrast.foil_id] = rows[pair.contrast.target_id]
    for experiment in (neuron_sweep, patching):
        with pytest.raises(UserError, match="choose prompts that call for different words"):
            experiment(subject, pair)


def test_patching_nothing_recovers_nothing(subject, pair):
    nothing = NeuronPatcher(subject, pair).null_recoveries()
    assert nothing.abs().max() < 1e-4


def test_in_a_linear_readout_the_last_layers_neurons_add_up_to_its_whole_mlp():
    """Without a final norm the readout is linear, so parts must sum to the whole."""
    subject = make_subject("llama")
    pair = make_tiny_pair(subject)
    assert subject.bridge is not None  # made before the norm goes, since it would miss it
    subject.model.model.norm = nn.Identity()
    chosen = torch.zeros(subject.n_layers, subject.d_mlp, dtype=torch.bool)
    chosen[-1] = True
    patcher = NeuronPatcher(subject, pair)
    weights = (
        subject.unembedding[pair.contrast.target_id] - subject.unembedding[pair.contrast.foil_id]
    )
    clean, corrupted = (
        subject.cache(p.tokens, "hook_mlp_out")["hook_mlp_out"][-1, -1] @ weights
        for p in (pair.clean, pair.corrupted)
    )
    torch.testing.assert_close(
        patcher.effects(chosen).sum(), clean - corrupted, atol=1e-3, rtol=1e-4
    )


def test_patching_all_positions_of_the_last_layer_is_patching_the_last_one(subject, pair):
    """No later layer carries earlier positions to the answer."""
    last, everywhere = (neuron_sweep(subject, pair, positions=p).recovery for p in ("last", "all"))
    np.testing.assert_allclose(last[-1], everywhere[-1], atol=1e-4)


def test_a_screen_measures_its_best_and_agrees_there_with_the_full_sweep(subject, pair):
    full = neuron_sweep(subject, pair)
    screened = neuron_sweep(subject, pair, screen=40)
    assert screened.exact.sum() == 40
    np.testing.assert_allclose(
        screened.recovery[screened.exact], full.recovery[screened.exact], atol=1e-4
    )
    np.testing.assert_array_equal(
        screened.recovery[~screened.exact], screened.attribution[~screened.exact]
    )
    places = [Neuron(*split_name(name)) for name in screened.outside]
    assert len(places) == min(256, int((~screened.exact).sum()))
    assert not any(screened.exact[place] for place in places)
    measured = [full.recovery[place] for place in places]
    np.testing.assert_allclose(screened.outside_recovery, measured, atol=1e-4)
    document = summary(screened, 3)["attribution"]
    errors = [abs(full.attribution[place] - full.recovery[place]) for place in places]
    assert document["outside_largest_error"] == pytest.approx(max(errors), abs=1e-4)
    errors = np.abs(full.attribution - full.recovery)[screened.exact]
    assert document["largest_error"] == pytest.approx(errors.max(), abs=1e-4)


def test_attribution_is_exact_for_a_change_so_small_that_the_model_is_linear(subject, pair):
    from analysis.engines.attribution import attribute_neurons

    patcher = NeuronPatcher(subject, pair)
    patcher.delta = patcher.delta * 1e-2
    chosen = torch.ones(subject.n_layers, subject.d_mlp, dtype=torch.bool)
    exact = patcher.effects(chosen).reshape(chosen.shape)
    estimate = attribute_neurons(subject, pair, patcher.delta, patcher.start)
    torch.testing.assert_close(
        estimate, exact, atol=1e-3 * float(exact.abs().max()) + 1e-4, rtol=0.1
    )


def _kin(subject, pair):
    """Another pair that the model tells apart in the same direction."""
    texts = CLEAN.replace("apple", "orange"), CORRUPTED.replace("lemon", "pear")
    other = make_pair(subject, *texts, " an", " a")
    same = NeuronPatcher(subject, other).gap * NeuronPatcher(subject, pair).gap > 0
    return other if same else other.swapped


def test_several_pairs_choose_by_the_sum_of_what_each_neuron_does_over_the_sum_of_the_gaps(
    subject, pair
):
    other = _kin(subject, pair)
    sweeps = [neuron_sweep(subject, each) for each in (pair, other)]
    together = neuron_sweep(subject, pair, also=[other, other.swapped])
    gaps = [each.clean_diff - each.corrupted_diff for each in sweeps]
    for name in ("recovery", "attribution"):
        effects = [getattr(e, name) * gap for e, gap in zip(sweeps, gaps, strict=True)]
        np.testing.assert_allclose(getattr(together, name), sum(effects) / sum(gaps), atol=1e-4)
    np.testing.assert_allclose(together.selection_gap, gaps, rtol=1e-5)  # not of the one swapped
    changes = [each.activation_change for each in sweeps]
    np.testing.assert_allclose(together.activation_change, np.mean(changes, 0), atol=1e-5)
    np.testing.assert_allclose(
        [each.mean for each in together.selection_recovery],
        [together.recovery[Neuron(*split_name(name))] for name in together.candidates],
        atol=1e-4,
    )
    assert summary(together)["pairs"][1]["pair"] == f"{other.clean.text} / {other.corrupted.text}"


def test_a_sweep_over_several_pairs_costs_no_more_than_one_for_each_of_them(subject, pair):
    """Counted in tokens that pass an MLP; what pairs begin with alike is next to nothing of it."""
    other = _kin(subject, pair)

    def tokens(*pairs):
        passed = [0]

        def count(entering):
            passed[0] += entering.shape[:-1].numel()

        with ExitStack() as watched:
            for block in (*subject.blocks, *subject.sharing_blocks):
                watched.enter_context(subject.family.activations(block, count))
            first, *also = pairs
            neuron_sweep(subject, first, also=also)
        return passed[0]

    alone = [tokens(each) for each in (pair, other)]
    assert min(alone) > subject.n_layers * subject.d_mlp / 2
    assert tokens(pair, other) <= 1.05 * sum(alone)  # its candidates may lie in earlier layers


def test_pairs_that_choose_do_not_confirm_and_too_few_are_refused(subject):
    pairs = TREES.selection_pairs(subject, 3)
    others = TREES.held_out_pairs(subject, choosing=3)
    assert pairs[0] == TREES.pair(subject)
    assert not {*pairs} & {*others}
    assert (*pairs[1:], *others) == TREES.other_pairs(subject)[: len(pairs) - 1 + len(others)]
    with pytest.raises(UserError, match=r"99 pairs are to choose, but .* has"):
        TREES.selection_pairs(subject, 99)


def test_the_page_says_how_many_pairs_chose_and_with_what_interval():
    study = evidence(Plan())
    sweep = study.results["neuron_sweep"]
    wide = sweep.selection_effect * np.array([[0.5], [1.5]], dtype="f")
    two = {
        "selection": ("a / b", "c / d"),
        "selection_gap": np.full(2, 5, dtype="f"),
        "selection_effect": wide,
    }
    claims = Claims(changed(study, "neuron_sweep", **two)).neuron_sweep
    assert "at the last position of 2 pairs of prompts" in claims.how
    assert "over the 2 pairs that chose it (95" in claims.standing
    assert "pairs" not in Claims(study).neuron_sweep.how


def test_candidates_are_confirmed_on_pairs_that_did_not_choose_them(subject, pair):
    texts = CLEAN.replace("apple", "orange"), CORRUPTED.replace("lemon", "pear")
    other = make_pair(subject, *texts, " an", " a")
    sweep = neuron_sweep(subject, pair, held_out=[other])
    confirmed = patched_recoveries(
        subject, other, [Neuron(*parts) for parts in map(split_name, sweep.candidates)], "last"
    )
    np.testing.assert_allclose(
        sweep.held_out_effect[0] / sweep.held_out_gap[0], confirmed, atol=1e-3
    )
    rows = summary(sweep, 3)["held_out"]
    assert rows[0]["recovery"] == pytest.approx(confirmed[0], abs=1e-3)
    assert np.isnan(rows[0]["recovery_interval"]).all()
    twice = summary(neuron_sweep(subject, pair, held_out=[other, other]), 3)["held_out"][0]
    assert twice["recovery_interval"] == pytest.approx([twice["recovery"]] * 2, abs=1e-6)


def hooked_diff(subject, pair, prompt, values):
    """Logit difference with some neurons' activations at the last position set by a plain hook."""

    def hook(layer):
        def put(post, hook):
            post = post.clone()
            for neuron, value in values.items():
                if neuron.layer == layer:
                    post[:, -1, neuron.number] = value
            return post

        return f"blocks.{layer}.mlp.hook_post", put

    with torch.no_grad():
        logits = subject.bridge.run_with_hooks(
            subject.batch(prompt.tokens),
            fwd_hooks=[hook(layer) for layer in {neuron.layer for neuron in values}],
            prepend_bos=False,
        )[0, -1]
    return float(logits[pair.contrast.target_id] - logits[pair.contrast.foil_id])


def test_each_candidate_is_noised_alone_and_denoised_beside_the_best(subject, pair):
    sweep = neuron_sweep(subject, pair, held_out=[pair])
    best, *others = names = [Neuron(*split_name(name)) for name in sweep.candidates]
    clean, corrupted = (
        subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"][:, -1]
        for prompt in (pair.clean, pair.corrupted)
    )
    gap = sweep.clean_diff - sweep.corrupted_diff
    for i, neuron in enumerate(names):
        noised = hooked_diff(subject, pair, pair.clean, {neuron: corrupted[neuron]})
        assert sweep.noising[i] == pytest.approx((sweep.clean_diff - noised) / gap, abs=1e-3)
    for i, neuron in enumerate(others, 1):
        values = {best: corrupted[best], neuron: clean[neuron]}
        beside = hooked_diff(subject, pair, pair.corrupted, values) - sweep.corrupted_diff
        assert sweep.beside_best[i] == pytest.approx(beside / gap, abs=1e-3)
        assert sweep.held_out_beside[0, i] == pytest.approx(beside, abs=1e-3 * abs(gap))
    assert sweep.beside_best[0] == pytest.approx(sweep.recovery[best], abs=1e-3)


def test_a_neuron_that_acts_through_the_best_is_no_rival():
    plan = evidence(Plan())
    sweep = plan.neuron_sweep
    strong = sweep.recovery.copy()
    strong[2, 1] = 0.4
    through = changed(plan, "neuron_sweep", recovery=strong, beside_best=np.array([0.6, 0.1, 0.02]))
    claims = spaced(Claims(through).neuron_sweep.standing)
    assert "recovers 40 %, but mostly through L3N5: with that one held, 10 %." in claims
    strong[2, 1] = -0.01
    against = np.array([0.6, -0.01, -0.02])
    opposed = changed(plan, "neuron_sweep", recovery=strong, beside_best=against)
    assert "mostly through" not in Claims(opposed).neuron_sweep.standing
    strong[2, 1] = 0.4
    aside = changed(plan, "neuron_sweep", recovery=strong, beside_best=np.array([0.6, 0.4, 0.02]))
    claims = Claims(aside).neuron_sweep
    assert "recovers 40 %." in spaced(claims.standing)
    assert "no other candidate recovers more than 40 % (L2N1)" in spaced(claims.beside)


def split_name(name):
    layer, number = name.removeprefix("L").split("N")
    return int(layer), int(number)


def test_ranking_is_by_measured_recovery_alone(subject, pair):
    sweep = neuron_sweep(subject, pair, screen=30)
    order = ranked(sweep)
    values = [sweep.recovery[neuron] for neuron in order]
    assert len(order) == 30
    assert values == sorted(values, reverse=True)


def test_the_embedded_model_finds_its_an_neuron(embedded):
    """The numbers that facts about this model are known by, from a screened sweep."""
    pair = default_pair(embedded)
    sweep = neuron_sweep(embedded, pair, screen=100)
    assert [str(n) for n in ranked(sweep)[:3]] == ["L25N1527", "L23N1468", "L29N1326"]
    found = [sweep.recovery[neuron] for neuron in ranked(sweep)[:3]]
    np.testing.assert_allclose(found, [0.613, 0.444, 0.127], atol=0.005)
    assert ranked(sweep)[-1] == Neuron(29, 947)
    assert sweep.clean_diff == pytest.approx(0.714, abs=1e-3)
    assert sweep.corrupted_diff == pytest.approx(-3.476, abs=1e-3)


@pytest.mark.parametrize(
    ("clean", "corrupted", "target", "foil", "positions"),
    [
        ("She ate an apple and then he ate", "She ate a lemon and then he ate", " an", " a", "all"),
        ("The keys on the table", "The key on the table", " are", " is", "last"),
    ],
)
def test_other_questions_to_the_embedded_model_agree_with_hooks_too(
    embedded, clean, corrupted, target, foil, positions
):
    pair = make_pair(embedded, clean, corrupted, target, foil)
    patcher = NeuronPatcher(embedded, pair, positions)
    draw = np.random.default_rng(0)
    neurons = sorted(Neuron(int(draw.integers(30)), int(draw.integers(1536))) for _ in range(12))
    chosen = torch.zeros(30, 1536, dtype=torch.bool)
    for neuron in neurons:
        chosen[neuron] = True
    slow = patched_recoveries(embedded, pair, neurons, positions)
    np.testing.assert_allclose(patcher.effects(chosen), np.array(slow) * patcher.gap, atol=1e-4)


def test_held_out_pairs_leave_the_default_question_out(embedded):
    default = default_pair(embedded)
    pairs = questions.default().held_out_pairs(embedded)
    texts = {pair.clean.text for pair in pairs} | {pair.corrupted.text for pair in pairs}
    assert len(pairs) >= 15
    assert len(texts) == 2 * len(pairs)
    assert default.clean.text not in texts
    assert default.corrupted.text not in texts


def test_a_pair_that_shares_a_prompt_with_the_question_confirms_nothing(embedded):
    first = questions.default().held_out_pairs(embedded)[0]
    asked = questions.default().replaced(first.clean.text, first.corrupted.text)
    assert asked.pair(embedded) == first
    assert first not in asked.held_out_pairs(embedded)
    keys = asked.replaced("The keys on the table", "The key on the table", " are", " is")
    assert keys.held_out_pairs(embedded) == ()


def test_held_out_pairs_that_the_model_does_not_tell_apart_are_left_out(subject, pair):
    other = make_pair(subject, CORRUPTED, CLEAN, " an", " a")
    rows = subject.model.get_output_embeddings().weight.data
    target, foil = (subject.tokens(word)[-1] for word in (" egg", " owl"))
    rows[foil] = rows[target]
    silent = PromptPair(pair.clean, pair.corrupted, Contrast(" egg", " owl", (target,), (foil,)))
    sweep = neuron_sweep(subject, pair, held_out=[silent, other])
    assert sweep.held_out == (f"{other.clean.text} / {other.corrupted.text}",)
    assert sweep.held_out_effect.shape == (1, 10)


@pytest.mark.parametrize(
    ("outside", "missed"), [([0.35, -0.02, 0.01], [0]), ([0.0, -0.6, 0.45], [1, 2]), ([0.01], [])]
)
def test_a_neuron_is_missed_only_where_it_is_of_the_true_top(subject, pair, outside, missed):
    """Larger than the weakest of four that were measured is not enough."""
    sweep = neuron_sweep(subject, pair, screen=4)
    recovery, others = sweep.recovery.copy(), np.zeros_like(sweep.outside_recovery)
    recovery[sweep.exact] = [0.5, -0.4, 0.3, 0.01]
    others[: len(outside)] = outside
    given = dataclasses.replace(sweep, recovery=recovery, outside_recovery=others)
    document = summary(given, 3)["attribution"]["missed"]
    assert document == [sweep.outside[place] for place in missed]


@pytest.mark.parametrize("positions", ["last", "all"])
def test_the_sweep_names_which_way_a_neurons_activation_moved(subject, pair, positions):
    """The same two prompts, read with hooks; a gated neuron may recover by falling."""
    sweep = neuron_sweep(subject, pair, positions=positions)
    clean, corrupted = (
        subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"]
        for prompt in (pair.clean, pair.corrupted)
    )
    change = (clean - corrupted).numpy()
    for place in np.ndindex(sweep.activation_change.shape):
        layer, number = place
        by_position = (
            change[layer, -1:, number] if positions == "last" else change[layer, :, number]
        )
        most = max(by_position, key=abs)
        assert sweep.activation_change[place] == pytest.approx(most, abs=1e-4)
    for row in summary(sweep, 3)["neurons"]:
        place = Neuron(*split_name(row["neuron"]))
        assert row["activation_change"] == float(sweep.activation_change[place])


def spaced(text):
    return text.replace("\u202f", " ")
