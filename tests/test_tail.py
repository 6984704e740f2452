import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.engines import tail as engine
from analysis.engines.tail import Tail
from analysis.family import share_weights
from tests.subjects import MAKERS, make_subject


def resid_pre(subject, tokens):
    """Residual entering every layer, and the one that leaves the last."""
    cache = subject.cache(tokens, "hook_resid_pre", "hook_resid_post")
    return torch.cat([cache["hook_resid_pre"], cache["hook_resid_post"][-1:]])


@pytest.mark.slow
@settings(max_examples=25)
@given(architecture=st.sampled_from(list(MAKERS)), data=st.data())
def test_resuming_what_was_there_anyway_gives_the_models_own_residual(architecture, data):
    subject = make_subject(architecture)
    tokens = tuple(subject.tokens("I climbed up the apple tree and picked an egg"))
    start = data.draw(st.integers(0, len(tokens) - 1))
    entry = data.draw(st.integers(0, subject.n_layers))
    states = resid_pre(subject, tokens)

    def entering(layer):
        rows = int(layer == entry)
        return states[layer, start:][None][:rows]

    (final,) = Tail(subject, tokens, start).finals(entering)
    torch.testing.assert_close(final, states[-1, -1], atol=1e-4, rtol=1e-5)


def test_patches_of_many_layers_in_small_chunks_come_out_in_the_order_they_went_in(
    subject, pair, monkeypatch
):
    tokens, start = pair.corrupted.tokens, pair.start
    states = resid_pre(subject, tokens)[:, start:]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(subject.n_layers + 1, 5, *states.shape[1:], generator=generator)
    patches = states[:, None] + noise
    tail = Tail(subject, tokens, start)
    alone = []
    for layer in range(subject.n_layers + 1):
        for patch in patches[layer]:

            def only(at, layer=layer, patch=patch):
                return patch[None][: int(at == layer)]

            alone.append(tail.finals(only)[0])
    for chunk in (1, 7, 10_000):
        monkeypatch.setattr(engine, "CHUNK_TOKENS", chunk)
        together = tail.finals(lambda layer: patches[layer])
        torch.testing.assert_close(together, torch.stack(alone), atol=1e-4, rtol=1e-5)


def test_an_attention_that_answers_something_else_is_read_by_the_rest_of_its_block(subject, pair):
    tokens, start, layer = pair.clean.tokens, pair.start, 1
    resid = subject.cache(tokens, "hook_resid_pre")["hook_resid_pre"][layer, start:]
    change = torch.randn(2, *resid.shape, generator=torch.Generator().manual_seed(0))
    found = Tail(subject, tokens, start).attention_changed(
        layer, resid, change, subject.family.attn_out
    )
    for row, written in zip(change, found, strict=True):

        def add(attn, hook, row=row):
            attn[0, start:] += row
            return attn

        hook = (f"blocks.{layer}.hook_attn_out", add)
        with subject.bridge.hooks(fwd_hooks=[hook]):
            after = subject.cache(tokens, "hook_resid_post")["hook_resid_post"][layer, start:]
        torch.testing.assert_close(written, after, atol=1e-4, rtol=1e-5)


def test_progress_only_grows_and_ends_at_one(subject, pair):
    seen = []
    Tail(subject, pair.clean.tokens, pair.start).finals(
        lambda _layer: torch.zeros(2, len(pair.clean.tokens) - pair.start, subject.d_model),
        seen.append,
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_hooks_and_tail_hold_no_second_copy_of_the_weights(new_subject):
    model, hooks = new_subject.model, new_subject.bridge
    own = {storage(weight) for weight in model.parameters()}
    assert {storage(weight) for weight in share_weights(model).parameters()} == own
    copied = [name for name, weight in hooks.named_parameters() if storage(weight) not in own]
    if model.config.model_type == "gpt_neox":  # its interleaved query, key, value get unravelled
        assert all(".attention." in name for name in copied)
    else:
        assert not copied


def storage(weight):
    return weight.untyped_storage().data_ptr()


def test_the_plain_model_keeps_its_own_attention(subject, pair):
    before = subject.config._attn_implementation
    Tail(subject, pair.clean.tokens, pair.start)
    assert subject.bridge is not None
    assert subject.config._attn_implementation == before
