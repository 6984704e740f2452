"""Whole sets of neurons patched at once: the engine against hooks."""

import numpy as np
import pytest
import torch

from analysis.engines import patcher as engine
from analysis.engines import tail
from analysis.engines.patcher import NeuronPatcher
from analysis.neuron import Neuron
from tests.families import shared_subject
from tests.questions import make_tiny_pair
from tests.reference import diff_with_held, diff_with_hooks

DRAWS = np.random.default_rng(0)


def posts(subject, prompt):
    return subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"]


def drawn(patcher, *shape):
    """Six sets: one neuron, few, many, those of one layer, all, and none."""
    layers, d_mlp = patcher.subject.n_layers, patcher.subject.d_mlp
    sets = torch.zeros(6, layers, *shape, d_mlp, dtype=torch.bool)
    for row, share in zip(sets[:3], (0, 0.05, 0.6), strict=True):
        row[torch.from_numpy(DRAWS.random(row.shape) < share)] = True
    sets[0, 1, ..., 7] = True
    sets[3, -1] = sets[4] = True
    return sets


def held(patcher, chosen):
    """A set at every position of the prompt, for hooks."""
    length = len(patcher.pair.clean.tokens)
    everywhere = torch.zeros(len(chosen), length, chosen.shape[-1], dtype=torch.bool)
    everywhere[:, patcher.start :] = chosen if chosen.ndim == 3 else chosen[:, None]
    return everywhere


def hooked(patcher, sets, values=None, frozen=None):
    """Effects of sets, a hooked pass each; what is frozen keeps the corrupted run's activation."""
    subject, pair = patcher.subject, patcher.pair
    values = posts(subject, pair.clean) if values is None else values
    own = posts(subject, pair.corrupted)
    before = diff_with_hooks(subject, pair, pair.corrupted.tokens, [])
    found = []
    for i, chosen in enumerate(sets):
        put = held(patcher, chosen)
        kept = put if frozen is None else put | held(patcher, frozen[i])
        mixed = torch.where(put, values, own)
        found.append(diff_with_held(subject, pair, pair.corrupted.tokens, kept, mixed) - before)
    return torch.tensor(found)


def close(found, expected):
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("positions", ["last", "all"])
def test_every_set_equals_a_hooked_forward_pass(subject, pair, positions):
    patcher = NeuronPatcher(subject, pair, positions)
    sets = drawn(patcher)
    found = patcher.set_effects(sets)
    close(found, hooked(patcher, sets))
    assert found[-1] == 0
    assert found[1:5].abs().min() > 1e-2


def test_a_set_may_hold_each_neuron_at_positions_of_its_own(subject, pair):
    patcher = NeuronPatcher(subject, pair, "all")
    sets = drawn(patcher, patcher.delta.shape[1])
    close(patcher.set_effects(sets), hooked(patcher, sets))


def test_a_set_of_one_is_what_the_sweep_finds(subject, pair):
    patcher = NeuronPatcher(subject, pair)
    every = torch.ones(subject.n_layers, subject.d_mlp, dtype=torch.bool)
    ones = torch.eye(every.numel(), dtype=torch.bool).view(-1, *every.shape)
    torch.testing.assert_close(patcher.set_effects(ones), patcher.effects(every), atol=1e-4, rtol=0)


def test_all_neurons_everywhere_are_every_mlps_output(subject, pair):
    patcher = NeuronPatcher(subject, pair, "all")
    every = torch.ones(1, subject.n_layers, subject.d_mlp, dtype=torch.bool)
    outputs = subject.cache(pair.clean.tokens, "hook_mlp_out")["hook_mlp_out"]

    def put(out, hook):
        return outputs[int(hook.name.split(".")[1])][None].view(out.shape)

    hooks = [(f"blocks.{layer}.hook_mlp_out", put) for layer in range(subject.n_layers)]
    patched = diff_with_hooks(subject, pair, pair.corrupted.tokens, hooks)
    unpatched = diff_with_hooks(subject, pair, pair.corrupted.tokens, [])
    assert float(patcher.set_effects(every)) == pytest.approx(patched - unpatched, abs=1e-3)


def test_frozen_neurons_stay_as_they_were_and_patched_ones_are_not_frozen(subject, pair):
    patcher = NeuronPatcher(subject, pair)
    sets, frozen = drawn(patcher), drawn(patcher).flip(0)
    close(patcher.set_effects(sets, frozen), hooked(patcher, sets, frozen=frozen))
    assert not torch.allclose(patcher.set_effects(sets, frozen), patcher.set_effects(sets))


def test_corrupted_activations_in_the_clean_run_are_the_pair_turned_round(subject, pair):
    patcher = NeuronPatcher(subject, pair)
    sets, back = drawn(patcher), patcher.swapped()
    close(back.set_effects(sets), hooked(NeuronPatcher(subject, pair.swapped), sets))
    assert back.gap == -patcher.gap
    assert back.corrupted_diff == patcher.clean_diff


def test_any_values_can_be_put_in_place_of_the_clean_ones(subject, pair):
    """A mean over other prompts, and values drawn from them."""
    length = len(pair.clean.tokens)
    others = [
        subject.cache(tuple(DRAWS.integers(2, 60, length).tolist()), "mlp.hook_post")
        for _ in range(3)
    ]
    values = torch.stack([each["mlp.hook_post"] for each in others])
    patcher = NeuronPatcher(subject, pair).swapped()
    sets = drawn(patcher)
    for put in (values.mean(0), values[1]):
        found = patcher.putting(put[:, patcher.start :]).set_effects(sets)
        close(found, hooked(patcher, sets, values=put))


def test_sets_come_out_the_same_however_few_go_at_once(subject, pair, monkeypatch):
    patcher = NeuronPatcher(subject, pair, "all")
    sets = torch.cat([drawn(patcher) for _ in range(4)])
    at_once = patcher.set_effects(sets)
    monkeypatch.setattr(engine, "SET_TOKENS", 12)
    for chunk in (1, 7):
        monkeypatch.setattr(tail, "CHUNK_TOKENS", chunk)
        torch.testing.assert_close(patcher.set_effects(sets), at_once, atol=2e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bloom", "gptj", "gemma2", "granite", "opt"])
def test_sets_equal_hooks_where_sequences_go_whole_and_norms_stand_behind_mlps(name):
    subject = shared_subject(name)
    patcher = NeuronPatcher(subject, make_tiny_pair(subject), "all")
    sets = drawn(patcher)
    close(patcher.set_effects(sets), hooked(patcher, sets))


def test_sets_are_told_by_their_neurons(subject, pair):
    patcher = NeuronPatcher(subject, pair)
    sets = patcher.sets([[Neuron(0, 3), Neuron(2, 5)], []])
    assert sets.nonzero().tolist() == [[0, 0, 3], [0, 2, 5]]
