from functools import partial

import numpy as np
import pytest
import torch

from analysis.contrast import Contrast
from analysis.engines.pushes import PUSHES, answers, pushes
from analysis.engines.splitting import norm_scale, side, split
from analysis.errors import UserError
from analysis.experiments.composition.compute import composition, held_out_shares, summary
from analysis.experiments.direct_effect.compute import direct_effect
from analysis.experiments.upstream.compute import upstream
from analysis.neuron import Neuron
from analysis.prompts import PromptPair, make_pair
from tests.plant import plant
from tests.questions import CLEAN, CORRUPTED, default_pair, held_out_pairs
from tests.reference import diff_with_hooks, outputs, patched_recoveries


@pytest.fixture
def neuron(subject, pair):
    """The neuron that writes most differently on the two prompts, in the first layer.

    Two layers stand behind it, so that some paths have two steps. Where attention and MLP read the
    same residual, the first layer's MLP has seen no other token yet: there the second layer's.
    """
    layer = int(subject.family.parallel)
    clean, corrupted = (
        subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"][layer, -1]
        for prompt in (pair.clean, pair.corrupted)
    )
    loud = (clean - corrupted).abs() * subject.W_out(layer).norm(dim=-1)
    return Neuron(layer, int(loud.argmax()))


@pytest.fixture
def composed(subject, pair, neuron):
    return composition(subject, neuron, pair, controls=4)


def runs(pair):
    """(unpatched prompt, the prompt activations come from, sign of the effect) of both ways."""
    clean, corrupted = pair.clean.tokens, pair.corrupted.tokens
    return (corrupted, clean, 1), (clean, corrupted, -1)


def write_of(subject, base, source, neuron):
    post = [subject.cache(t, "mlp.hook_post")["mlp.hook_post"] for t in (source, base)]
    return (post[0] - post[1])[neuron.layer, -1, neuron.number] * subject.write(neuron)


def add_last(change):
    def hook(resid, hook):
        resid = resid.clone()
        resid[0, -1] += change
        return resid

    return hook


def read_frozen(subject, pair, tokens, write):
    """Change of the logit difference when a write joins the final residual, scale frozen."""
    last = f"blocks.{subject.n_layers - 1}.hook_resid_post"
    resid = outputs(subject, tokens, [last])[last]
    layer_norm = isinstance(subject.final_norm, torch.nn.LayerNorm)
    centred, added = (v - v.mean() if layer_norm else v for v in (resid, write))
    gained = subject.final_norm.weight * added / centred.pow(2).mean().sqrt()
    logits = subject.unembedding @ gained
    return float(logits[pair.contrast.target_id] - logits[pair.contrast.foil_id])


def test_the_total_is_what_patching_the_neuron_with_hooks_changes(subject, pair, composed, neuron):
    gap = composed.clean_diff - composed.corrupted_diff
    (recovery,) = patched_recoveries(subject, pair, [neuron], "last")
    assert composed.total[0] == pytest.approx(recovery * gap, abs=1e-4)


def test_with_every_later_component_frozen_the_total_is_the_direct_effect(
    subject, pair, composed, neuron
):
    for way, (base, source, sign) in enumerate(runs(pair)):
        later = range(neuron.layer + 1, subject.n_layers)
        names = [f"blocks.{i}.hook_{kind}_out" for i in later for kind in ("attn", "mlp")]
        kept = outputs(subject, base, names)

        def put_back(value, hook, kept=None):
            value = value.clone()
            value[0, -1] = kept
            return value

        hooks = [(name, partial(put_back, kept=value)) for name, value in kept.items()]
        hooks.append(
            (
                f"blocks.{neuron.layer}.hook_resid_post",
                add_last(write_of(subject, base, source, neuron)),
            )
        )
        change = diff_with_hooks(subject, pair, base, hooks) - diff_with_hooks(
            subject, pair, base, []
        )
        assert composed.direct_unfrozen[way] == pytest.approx(sign * change, abs=1e-4)


def test_the_direct_effect_is_the_neurons_weights_times_its_change_over_the_norms_scale(
    subject, pair, composed, neuron
):
    per_unit = direct_effect(subject, neuron, pair.contrast)
    resid = subject.cache(pair.corrupted.tokens, "hook_resid_post")["hook_resid_post"][-1, -1]
    expected = (
        composed.delta[0]
        * (per_unit.target_logit - per_unit.foil_logit)
        / float(norm_scale(subject, resid))
    )
    assert composed.direct[0] == pytest.approx(expected, abs=1e-4)
    write = write_of(subject, pair.corrupted.tokens, pair.clean.tokens, neuron)
    frozen = read_frozen(subject, pair, pair.corrupted.tokens, write)
    assert composed.direct[0] == pytest.approx(frozen, abs=1e-3)


def test_direct_later_and_norm_sum_to_the_total_exactly(composed):
    later = composed.heads_full.sum((1, 2)) + composed.neurons_full.sum((1, 2))
    np.testing.assert_allclose(composed.direct + later + composed.norm, composed.total, atol=1e-4)
    assert np.abs(later).min() > 5e-3  # or the sum would say nothing


def test_single_paths_and_the_remainder_sum_to_the_total(subject, composed):
    for way, document in enumerate((summary(composed), summary(composed)["noising"])):
        assert document["direct"] + document["indirect"] == pytest.approx(
            document["total"], abs=1e-5
        )
        paths = composed.alone(way).components.sum()
        whole = document["direct"] + paths + document["remainder"]
        assert whole == pytest.approx(document["total"], abs=1e-5)
        assert document["longer"] + document["norm"] == pytest.approx(
            document["remainder"], abs=1e-5
        )
        if subject.family.parallel:  # one layer behind it, whose parts do not read each other
            assert document["longer"] == pytest.approx(0.0, abs=1e-5)
        else:
            assert abs(document["longer"]) > 1e-3


@pytest.mark.parametrize("way", [0, 1])
@pytest.mark.parametrize("layer", [1, 2])
def test_a_single_path_is_path_patching_of_that_component_alone(
    subject, pair, composed, way, layer, neuron
):
    """The slow way: one component's input gets the write, its answer goes to the end alone."""
    if layer <= neuron.layer:
        pytest.skip("this layer is not behind the neuron's")
    base, source, sign = runs(pair)[way]
    write = write_of(subject, base, source, neuron)
    z, post = f"blocks.{layer}.attn.hook_z", f"blocks.{layer}.mlp.hook_post"
    before = outputs(subject, base, [z, post])
    entry = f"blocks.{layer}.hook_resid_pre"
    heads = outputs(subject, base, [z], [(entry, add_last(write))])[z] - before[z]
    entry = entry if subject.family.parallel else f"blocks.{layer}.hook_resid_mid"
    neurons = outputs(subject, base, [post], [(entry, add_last(write))])[post] - before[post]
    place, alone = layer - neuron.layer - 1, composed.alone(way)
    for head in range(heads.shape[0]):
        written = heads[head] @ subject.bridge.blocks[layer].attn.W_O[head]
        expected = sign * read_frozen(subject, pair, base, written)
        assert alone[f"L{layer}H{head}"] == pytest.approx(expected, abs=1e-3)
    expected = sign * read_frozen(subject, pair, base, neurons @ subject.W_out(layer))
    names = alone.component_names
    mlp = alone.components[names.index(f"MLP {layer}")]
    assert mlp == pytest.approx(expected, abs=1e-3)
    assert abs(mlp) > 1e-3
    for number in (0, 5, 11):
        written = neurons[number] * subject.W_out(layer)[number]
        expected = sign * read_frozen(subject, pair, base, written)
        assert alone.neurons[place, number] == pytest.approx(expected, abs=1e-3)


def test_in_the_full_run_a_heads_part_is_its_changed_output_in_the_patched_run(
    subject, pair, composed, neuron
):
    base, source, _ = runs(pair)[0]
    write = write_of(subject, base, source, neuron)
    patch = (f"blocks.{neuron.layer}.hook_resid_post", add_last(write))
    z, post = "blocks.2.attn.hook_z", "blocks.2.mlp.hook_post"
    before, after = outputs(subject, base, [z, post]), outputs(subject, base, [z, post], [patch])
    for head in range(4):
        written = (after[z] - before[z])[head] @ subject.bridge.blocks[2].attn.W_O[head]
        expected = read_frozen(subject, pair, base, written)
        assert composed.full()[f"L2H{head}"] == pytest.approx(expected, abs=1e-3)
    written = (after[post] - before[post])[3] * subject.W_out(2)[3]
    expected = read_frozen(subject, pair, base, written)
    assert composed.full()["L2N3"] == pytest.approx(expected, abs=1e-3)


def test_patching_nothing_changes_nothing_anywhere(subject, pair, neuron):
    same = side(subject, pair.corrupted, neuron.layer)
    found = split(subject, same, same, [neuron, Neuron(neuron.layer, 3)], pair.contrast)
    for name in ("total", "direct", "direct_unfrozen", "norm"):
        assert getattr(found, name).abs().max() < 1e-5
    for name in ("heads_alone", "heads_full", "neurons_alone", "neurons_full"):
        assert getattr(found, name).abs().max() < 1e-5


def test_behind_the_last_layer_nothing_is_left_but_the_direct_effect(subject, pair):
    neuron = Neuron(subject.n_layers - 1, 3)
    result = composition(subject, neuron, pair, controls=2)
    np.testing.assert_allclose(result.total, result.direct_unfrozen, atol=1e-5)
    np.testing.assert_allclose(result.indirect, result.norm, atol=1e-4)
    assert result.heads_full.shape[1] == result.neurons_full.shape[1] == 0
    document = summary(result)
    assert document["by_component"] == document["neurons"] == []
    assert result.components == ()


def test_exchanging_the_prompts_exchanges_denoising_and_noising(subject, pair, composed, neuron):
    swapped = make_pair(subject, CORRUPTED, CLEAN, " an", " a")
    back = composition(subject, neuron, swapped, controls=0)
    for name in ("total", "direct", "direct_unfrozen", "norm", "heads_full", "neurons_alone"):
        there = getattr(composed, name)[::-1]
        np.testing.assert_allclose(getattr(back, name), -there, atol=1e-4)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_later_neuron_that_copies_or_cancels_the_effect_is_found(
    subject, pair, sign, neuron
):
    contrast, later = pair.contrast, Neuron(2, 9)
    plant(subject, pair, neuron, contrast)
    before = composition(subject, neuron, pair, controls=0)
    _listen(subject, pair, neuron, later, sign)
    after = composition(subject, neuron, pair, controls=0)
    assert after.components[0] == str(later)
    assert sign * after.full()[str(later)] > 1.0
    assert sign * after.alone()[str(later)] > 0.0
    assert summary(after)["neurons"][0]["name"] == str(later)
    at_one_scale = [(x.total - x.norm)[0] for x in (after, before)]
    assert sign * (at_one_scale[0] - at_one_scale[1]) > 1.0


def _listen(subject, pair, neuron, later, sign, changes=None):
    """Make a later neuron fire at the first change, and at no other, and write for or against.

    By default the change is the planted neuron's write.
    """
    base, source = pair.corrupted.tokens, pair.clean.tokens
    name = f"blocks.{later.layer}.mlp.hook_in"
    changes = changes or [write_of(subject, base, source, neuron)]
    entry = f"blocks.{neuron.layer}.hook_resid_post"
    runs = [*([(entry, add_last(change))] for change in changes), []]
    inputs = torch.stack([outputs(subject, base, [name], hooks)[name] for hooks in runs])
    mlp = subject.bridge.blocks[later.layer].mlp
    with torch.no_grad():
        once = torch.eye(len(inputs))[0]
        wanted = 4 * once
        if hasattr(mlp, "gate"):
            mlp.W_gate[:, later.number] = torch.linalg.pinv(inputs) @ wanted
            mlp.W_in[:, later.number] = torch.linalg.pinv(inputs) @ once
        else:
            wanted = wanted - mlp.b_in[later.number]
            mlp.W_in[:, later.number] = torch.linalg.pinv(inputs) @ wanted
        direction = subject.direction(pair.contrast.target_id, pair.contrast.foil_id)
        scale = norm_scale(
            subject, subject.cache(base, "hook_resid_post")["hook_resid_post"][-1, -1]
        )
        mlp.W_out[later.number] = sign * 4 * scale * direction / direction.norm() ** 2


def test_of_a_write_the_unembedding_part_has_all_of_the_direct_effect(subject, pair, neuron):
    write, part, rest, *random = pushes(subject, subject.write(neuron), pair.contrast)
    along = subject.direction(pair.contrast.target_id, pair.contrast.foil_id)
    torch.testing.assert_close(part + rest, write)
    torch.testing.assert_close(part @ along, write @ along)
    torch.testing.assert_close(
        torch.stack([rest, *random]) @ along, torch.zeros(21), atol=1e-4, rtol=0
    )
    for each in random:
        assert float(each.norm()) == pytest.approx(float(write.norm()), rel=1e-5)
    assert abs(float(part @ along)) > 1e-3


def test_answers_to_a_push_are_what_hooks_see_when_it_joins_the_residual(subject, pair, neuron):
    base, source = pair.corrupted, pair.clean
    sides = (side(subject, prompt, neuron.layer) for prompt in (base, source))
    found = answers(subject, *sides, neuron, pair.contrast)
    write = write_of(subject, base.tokens, source.tokens, neuron)
    entry, watched = f"blocks.{neuron.layer}.hook_resid_post", "blocks.2.mlp.hook_post"
    before = outputs(subject, base.tokens, [watched])[watched]
    untouched = diff_with_hooks(subject, pair, base.tokens, [])
    for row, push in enumerate(pushes(subject, write, pair.contrast)[:5]):
        hook = (entry, add_last(push))
        change = diff_with_hooks(subject, pair, base.tokens, [hook]) - untouched
        assert float(found.total[row]) == pytest.approx(change, abs=1e-4)
        after = outputs(subject, base.tokens, [watched], [hook])[watched]
        written = (after - before)[3] * subject.W_out(2)[3]
        expected = read_frozen(subject, pair, base.tokens, written)
        assert float(found.neurons[row, -1, 3]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("heard", ["part", "rest"])
def test_a_planted_opponent_answers_the_push_that_it_listens_to_and_no_other(
    subject, pair, neuron, heard
):
    """One hears the unembedding part, whoever writes it; the other what else this neuron writes."""
    later = Neuron(2, 9)
    base, source = pair.corrupted.tokens, pair.clean.tokens
    write = write_of(subject, base, source, neuron)
    found = dict(zip(PUSHES, pushes(subject, write, pair.contrast), strict=False))
    other = "rest" if heard == "part" else "part"
    _listen(subject, pair, neuron, later, -1, [found[heard], found[other]])
    result = composition(subject, neuron, pair, [pair], controls=0)
    answered = result.pushed_components[0, 0, :, result.components.index(str(later))]
    seen = dict(zip(PUSHES, answered, strict=True))
    assert seen[heard] < -1.0
    assert seen[other] == pytest.approx(0.0, abs=1e-3)


def test_controls_are_split_as_if_each_were_asked_about(subject, pair, composed, neuron):
    assert len(composed.controls) == 4
    for place, name in enumerate(composed.controls):
        layer, number = map(int, name[1:].split("N"))
        assert layer == neuron.layer
        assert number != neuron.number
        alone = composition(subject, Neuron(layer, number), pair, controls=0)
        np.testing.assert_allclose(alone.total, composed.control_total[:, place], atol=1e-4)
        np.testing.assert_allclose(alone.direct, composed.control_direct[:, place], atol=1e-4)
        np.testing.assert_allclose(alone.delta, composed.control_delta[:, place], atol=1e-4)


def test_held_out_pairs_are_split_like_the_question(subject, pair, neuron):
    texts = CLEAN.replace("apple", "orange"), CORRUPTED.replace("lemon", "pear")
    other = make_pair(subject, *texts, " an", " a")
    result = composition(subject, neuron, pair, [other], controls=0)
    alone = composition(subject, neuron, other, controls=0)
    assert result.held_out == (f"{other.clean.text} / {other.corrupted.text}",)
    assert result.held_out_total[0] == pytest.approx(alone.total[0], abs=1e-5)
    assert result.held_out_direct[0] == pytest.approx(alone.direct[0], abs=1e-5)
    assert result.held_out_direct_unfrozen[0] == pytest.approx(alone.direct_unfrozen[0], abs=1e-5)
    expected = [alone.full()[part] for part in result.components]
    np.testing.assert_allclose(result.held_out_components[0], expected, atol=1e-5)
    assert result.pushed_total[0, 0, 0] == pytest.approx(alone.total[0], abs=1e-5)
    assert result.pushed_total[1, 0, 0] == pytest.approx(alone.total[1], abs=1e-5)
    share, (low, high) = held_out_shares(result)["direct"]
    assert share == pytest.approx(alone.direct[0] / alone.total[0], rel=1e-4)
    assert np.isnan([low, high]).all(), "one pair gives no interval"


def test_pairs_that_the_model_does_not_tell_apart_are_refused_or_left_out(subject, pair, neuron):
    rows = subject.model.get_output_embeddings().weight.data
    target, foil = (subject.tokens(word)[-1] for word in (" egg", " owl"))
    rows[foil] = rows[target]
    silent = PromptPair(pair.clean, pair.corrupted, Contrast(" egg", " owl", (target,), (foil,)))
    assert composition(subject, neuron, pair, [silent], controls=0).held_out == ()
    with pytest.raises(UserError, match="choose prompts that call for different words"):
        composition(subject, neuron, silent, controls=0)


def test_progress_only_grows_and_ends_at_one(subject, pair, neuron):
    seen = []
    composition(subject, neuron, pair, [pair, pair], controls=1, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_later_neuron_of_the_embedded_model_takes_back_a_third(embedded):
    pair = default_pair(embedded)
    result = composition(embedded, Neuron(25, 1527), pair, held_out_pairs(embedded, 6))
    assert result.total[0] == pytest.approx(0.6128 * 4.1898, abs=1e-3)
    assert result.direct[0] == pytest.approx(3.602, abs=2e-3)
    assert result.direct_unfrozen[0] == pytest.approx(3.601, abs=2e-3)
    assert result.components[:2] == ("L29N947", "L29N1326")
    assert result.full()["L29N947"] == pytest.approx(-1.141, abs=2e-3)
    assert result.alone()["L29N947"] == pytest.approx(-1.363, abs=2e-3)
    assert result.full()["L29N947"] / result.direct[0] == pytest.approx(-1 / 3, abs=0.02)
    later = result.full().components.sum()
    assert result.direct[0] + later + result.norm[0] == pytest.approx(result.total[0], abs=1e-4)
    assert result.total[1] == pytest.approx(1.864, abs=2e-3)
    assert result.full(1)["L29N947"] / result.direct[1] == pytest.approx(-0.235, abs=0.01)
    assert result.full(0)["L29N1326"] > 0.5  # it helps in one run and hinders in the other
    assert result.full(1)["L29N1326"] < -0.4
    assert np.abs(result.control_total).max() < 0.1
    part = result.pushed_components[0, :, :, 0].sum(0)
    assert part[1] / part[0] == pytest.approx(0.68, abs=0.1)  # any push on the two tokens
    assert np.abs(result.random_components[0, :, :, 0]).mean() < abs(part[0]) / 6 / 5
    share, (low, high) = held_out_shares(result)["direct"]
    assert 1.2 < low <= share <= high < 1.7


def test_controls_have_the_norms_of_what_hooks_read_and_the_nearest_stands_first(subject, pair):
    neuron, ends = Neuron(0, 3), []
    for prompt in (pair.clean, pair.corrupted):
        ends.append(subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"][0, -1])
    norms = torch.stack(ends).square().mean(0).sqrt()
    for found, names in (
        (composition(subject, neuron, pair, controls=5), "controls"),
        (upstream(subject, neuron, pair), "matched"),
    ):
        numbers = [neuron.number, *(int(each.split("N")[1]) for each in getattr(found, names))]
        np.testing.assert_allclose(found.norms, norms[numbers].numpy(), rtol=1e-5)
        apart = np.abs(np.log(found.norms[1:] / found.norms[0]))
        assert (np.diff(apart) >= -1e-6).all()
