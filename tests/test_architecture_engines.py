"""What the other engines do on every architecture, against hooks and against their own sums."""

import pytest
import torch

from analysis import experiments
from analysis.engines.ablator import PromptAblator
from analysis.engines.decomposition import Decomposition, neuron_readers, preactivations
from analysis.engines.exchange import answers
from analysis.engines.modulation import Modulator, Setting
from analysis.engines.reading import Window, read
from analysis.engines.shared_beginning import ends
from analysis.engines.splitting import side, split
from analysis.errors import UserError
from analysis.experiments.direct_effect.compute import direct_effect
from analysis.experiments.patching.compute import patching
from analysis.experiments.writers.compute import writers
from analysis.family import part
from analysis.linearity import frozen
from analysis.neuron import Neuron
from analysis.sentences import finding
from tests import families
from tests.reference import diff_with_hooks, outputs
from tests.test_architectures import EVERY

NEURON = Neuron(1, 5)
NORMS_BEHIND = {"gemma2", "gemma3", "olmo2"}


@pytest.fixture(params=EVERY)
def name(request):
    return request.param


@pytest.fixture
def subject(name):
    return families.shared_subject(name)


def diff_with(subject, pair, prompt, change, neuron=NEURON):
    """Logit difference after a prompt whose activations of one neuron are changed by a hook."""

    def hook(post, hook):
        post[0, :, neuron.number] = change(post[0, :, neuron.number])
        return post

    hooks = [(f"blocks.{neuron.layer}.mlp.hook_post", hook)]
    return diff_with_hooks(subject, pair, prompt.tokens, hooks)


def test_an_ablated_neuron_moves_the_answer_as_hooks_say(subject, pair):
    ablator = PromptAblator(subject, NEURON.layer, pair.clean, pair.contrast, "all")
    values = torch.zeros(1, len(pair.clean.tokens))
    found = ablator.effects([NEURON.number], values)[0, 0]
    assert float(found) == pytest.approx(
        diff_with(subject, pair, pair.clean, lambda x: 0), abs=1e-4
    )


def test_an_exchanged_neuron_answers_as_hooks_say(subject, pair):
    tokens = pair.clean.tokens

    def negated(post):
        return torch.cat([post[:-1], -post[-1:]])

    logits = answers(subject, tokens, NEURON, torch.tensor([-1.0]), torch.tensor([0.0])).logits[0]
    found = logits[pair.contrast.target_id] - logits[pair.contrast.foil_id]
    expected = diff_with(subject, pair, pair.clean, negated)
    assert float(found) == pytest.approx(expected, abs=1e-4)


def test_prompts_that_begin_alike_end_as_if_each_were_read_alone(subject, pair):
    """Long enough for every window to have passed the beginning that they share."""
    beginning = list(range(2, 14))
    prompts = [[*beginning, *rest] for rest in ([20, 21], [30, 31], [20, 40])]
    found = ends(subject, prompts, NEURON, 0.5, pair.contrast)
    ids = [pair.contrast.target_id, pair.contrast.foil_id]
    for place, prompt in enumerate(prompts):
        target, foil = subject.model(torch.tensor([prompt])).logits[0, -1, ids].tolist()
        assert found.logit_diff[place] == pytest.approx(target - foil, abs=1e-4)

        def put(post, hook):
            post[0, -1, NEURON.number] = 0.5
            return post

        hooks = [(f"blocks.{NEURON.layer}.mlp.hook_post", put)]
        ablated = diff_with_hooks(subject, pair, prompt, hooks)
        assert found.ablated[place] == pytest.approx(ablated, abs=1e-4)


def test_a_batch_of_texts_is_read_as_each_alone(subject):
    windows = (Window(0, 0, tuple(range(2, 16))), Window(1, 0, tuple(range(20, 25))))
    reading = read(subject, windows)
    for place, window in enumerate(windows):
        alone = subject.model(torch.tensor([list(window.tokens)])).logits[0]
        together = reading.logits[reading.window == place]
        torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_scaled_output_weights_do_what_a_scaled_activation_does(subject, pair):
    modulator = Modulator(subject, NEURON.layer)
    (resid,) = modulator.run(pair.clean.tokens, [Setting(NEURON, "out", -2.0)])
    last = modulator.logits(resid)[0, -1]
    expected = diff_with(subject, pair, pair.clean, lambda post: -2 * post)
    found = last[pair.contrast.target_id] - last[pair.contrast.foil_id]
    assert float(found) == pytest.approx(expected, abs=1e-4)


def test_scaled_input_weights_scale_what_the_neuron_reads_but_for_its_biases(subject, pair):
    setting = Setting(NEURON, "in", 0.5)
    (found,) = Modulator(subject, NEURON.layer).activations(pair.clean.tokens, [setting])
    mlp = subject.bridge.blocks[NEURON.layer].mlp
    gated = hasattr(mlp, "gate")
    sides, number, factors = (("gate", "in") if gated else ("in",)), NEURON.number, []
    read = subject.cache(pair.clean.tokens, "mlp.hook_in")["mlp.hook_in"][NEURON.layer]
    for place, side_ in enumerate(sides):
        bias = getattr(mlp, f"b_{side_}", None)
        pre = read @ getattr(mlp, f"W_{side_}")[:, number] / 2
        pre = pre if bias is None else pre + bias[number]
        factors.append(subject.activation(pre) if place == 0 else pre)
    torch.testing.assert_close(found, torch.stack(factors).prod(0), atol=1e-4, rtol=1e-4)


def test_a_patched_attention_and_head_move_the_answer_as_hooks_say(subject, pair):
    result = patching(subject, pair)
    gap = result.clean_diff - result.corrupted_diff
    places = {"attn_out": ("hook_attn_out", slice(None)), "mlp_out": ("hook_mlp_out", slice(None))}
    found = {name: result.restored[result.components.index(name), 1, -1] for name in places}
    heads = int(subject.config.num_attention_heads)
    places["z"], found["z"] = ("attn.hook_z", slice(2, 3)), None
    for name, (hook_name, which) in places.items():
        source = subject.cache(pair.clean.tokens, hook_name)[hook_name][1]

        def put(value, hook, source=source, which=which, name=name):
            if name == "z":
                value[0, :, which] = source.view(len(source), heads, -1)[:, which]
            else:
                value[0, -1] = source[-1]
            return value

        hooks = [(f"blocks.1.{hook_name}", put)]
        moved = diff_with_hooks(subject, pair, pair.corrupted.tokens, hooks)
        effect = found[name] if name != "z" else result.heads_restored[1, 2]
        assert float(effect) * gap == pytest.approx(moved - result.corrupted_diff, abs=2e-4)


def test_the_parts_of_what_a_neuron_reads_sum_to_it_or_are_refused(subject, name, pair):
    if name == "olmo2":
        with pytest.raises(UserError, match="none before them"):
            Decomposition(subject, pair.clean)
        return
    for layer in range(subject.n_layers):
        neuron = Neuron(layer, 5)
        run = Decomposition(subject, pair.clean)
        readers = neuron_readers(subject, layer, [5])
        expected = preactivations(subject, pair.clean, neuron)[:, -1]
        last = len(pair.clean.tokens) - 1
        parts = run.split(readers, last)
        torch.testing.assert_close(parts.sum(0), expected, atol=1e-3, rtol=1e-4)
        named = dict(zip(run.components(layer, readers.norm), parts, strict=True))
        earlier = run.neurons(readers.only(0), last).sum(1)
        for number, written in enumerate(earlier):
            torch.testing.assert_close(written, named[f"MLP {number}"][0], atol=1e-3, rtol=1e-3)
        if layer:
            sources = run.sources(layer - 1, 0, readers, last).sum(0)
            torch.testing.assert_close(sources, named[f"L{layer - 1}H0"], atol=1e-3, rtol=1e-3)


def sides(subject, pair):
    """Both prompts read at a layer, and its neuron that writes most differently on the two."""
    clean, corrupted = (side(subject, p, NEURON.layer) for p in (pair.clean, pair.corrupted))
    loud = (clean.activations - corrupted.activations).abs()
    loud = loud * subject.W_out(NEURON.layer).norm(dim=-1)
    return clean, corrupted, Neuron(NEURON.layer, int(loud.argmax()))


def test_what_a_patch_does_splits_into_what_every_part_adds(subject, pair):
    clean, corrupted, neuron = sides(subject, pair)
    found = split(subject, corrupted, clean, [neuron], pair.contrast)
    parts = (found.direct, found.norm, found.post_norms, found.cap)
    whole = sum(parts) + found.heads_full.sum() + found.neurons_full.sum()
    torch.testing.assert_close(found.total, whole, atol=1e-4, rtol=1e-3)

    def put(post):
        return torch.cat([post[:-1], clean.activations[neuron.number][None]])

    before = diff_with(subject, pair, pair.corrupted, lambda post: post, neuron)
    moved = diff_with(subject, pair, pair.corrupted, put, neuron) - before
    assert float(found.total) == pytest.approx(moved, abs=1e-4)
    assert abs(moved) > 2e-3, "or the sum would say nothing"


@pytest.mark.parametrize("name", sorted(NORMS_BEHIND), indirect=True)
def test_a_later_part_comes_through_the_norm_behind_it_at_the_unpatched_scale(subject, pair):
    """By hooks on the model: what the last layer's parts hold, through its norms, one by one."""
    clean, corrupted, neuron = sides(subject, pair)
    found = split(subject, corrupted, clean, [neuron], pair.contrast)
    last, block = subject.n_layers - 1, subject.blocks[subject.n_layers - 1]
    names = [
        f"blocks.{last}.{name}" for name in ("attn.hook_z", "mlp.hook_post", "hook_resid_post")
    ]

    def put(post, hook):
        post[0, -1, neuron.number] = clean.activations[neuron.number]
        return post

    with torch.no_grad():
        tokens = pair.corrupted.tokens
        patch = (f"blocks.{neuron.layer}.mlp.hook_post", put)
        z, post, resid = outputs(subject, tokens, names).values()
        patched_z, patched_post, _ = outputs(subject, tokens, names, [patch]).values()
        along = (
            subject.unembedding[pair.contrast.target_id]
            - subject.unembedding[pair.contrast.foil_id]
        )

        def read(norm, before, writes):
            """Through the norm behind and the final one, both at the unpatched run's scale."""
            written, scale = through(norm, before, writes)
            final, final_scale = through(subject.final_norm, resid, written / scale)
            return float(final / final_scale @ along)

        attention, mlp = (
            part(block, path) for path in (subject.family.attn_out, subject.family.mlp_out)
        )
        per_z = subject.bridge.blocks[last].attn.W_O
        for head in (0, 1):
            expected = read(
                part(block, subject.family.attn_written),
                attention(z.flatten()),
                (patched_z - z)[head] @ per_z[head],
            )
            assert float(found.heads_full[0, -1, head]) == pytest.approx(expected, abs=1e-5)
        number = int((patched_post - post).abs().argmax())
        expected = read(
            part(block, subject.family.mlp_post),
            mlp(post),
            (patched_post - post)[number] * subject.W_out(last)[number],
        )
        assert float(found.neurons_full[0, -1, number]) == pytest.approx(expected, abs=1e-5)
    assert float(found.post_norms.abs()) > 1e-5


def through(norm, x, write):
    """What a small write adds to a norm's output times its scale: exact, as that is linear."""

    def scaled(v):
        centred = v - v.mean() if "LayerNorm" in type(norm).__name__ else v
        scale = centred.pow(2).mean().sqrt()
        return (norm(v) - norm(torch.zeros_like(v))) * scale, scale

    return scaled(x + write)[0] - scaled(x)[0], scaled(x)[1]


def test_direct_effects_are_what_frozen_norms_let_through(subject, name, pair):
    last = Neuron(subject.n_layers - 1, 5)
    effect = direct_effect(subject, last, pair.contrast, prompt=pair.clean)
    assert effect.frozen_at == (pair.clean.text if name in NORMS_BEHIND else "")
    said = finding(experiments.named("direct_effect"), effect)
    assert ("norm stands between each MLP" in said) == (name in NORMS_BEHIND)
    names = ("hook_resid_post", "mlp.hook_post")
    resid, post = (states[-1, -1] for states in subject.cache(pair.clean.tokens, *names).values())
    block, config = subject.blocks[-1], subject.config
    write = subject.W_out(last.layer)[last.number]
    if name in NORMS_BEHIND:
        written, scale = through(block.post_feedforward_layernorm, block.mlp.down_proj(post), write)
        write = written / scale
    write = write * getattr(config, "residual_multiplier", 1)
    logits = through(subject.final_norm, resid, write)[0] @ subject.model.lm_head.weight.T
    logits = logits * getattr(config, "logit_scale", 1) / getattr(config, "logits_scaling", 1)
    expected = float(logits[pair.contrast.target_id] - logits[pair.contrast.foil_id])
    assert effect.target_logit - effect.foil_logit == pytest.approx(expected, rel=1e-3, abs=1e-3)


def let_through(subject, pair):
    """What each neuron adds to the target less the foil, through its own norm as it is there."""
    post = subject.cache(pair.clean.tokens, "mlp.hook_post")["mlp.hook_post"][:, -1]
    direction, effects = subject.direction(pair.contrast.target_id, pair.contrast.foil_id), []
    for layer, block in enumerate(subject.blocks):
        norm, before = block.post_feedforward_layernorm, block.mlp.down_proj(post[layer])
        for write in subject.W_out(layer):
            written, scale = through(norm, before, write)
            effects.append(written / scale @ direction)
    return torch.stack(effects)


def test_neurons_are_ranked_by_weights_only_where_that_can_be_done(subject, name, pair):
    if name in NORMS_BEHIND:
        with pytest.raises(UserError, match="norm behind each MLP"):
            writers(subject, pair.contrast, 3)
        best = writers(frozen(subject, pair.clean), pair.contrast, 1)[0]
        effects = let_through(subject, pair)
        place = int(effects.abs().argmax())
        assert best.neuron == str(Neuron(*divmod(place, subject.d_mlp)))
        assert best.direction * best.logits == pytest.approx(float(effects[place]), rel=1e-3)
        assert frozen(subject, pair.clean).frozen_at == pair.clean.text
        assert subject.frozen_at == "", "the model itself stays as it was"
    else:
        assert frozen(subject, pair.clean) is subject
        assert len(writers(subject, pair.contrast, 3)) == 3
