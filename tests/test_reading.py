"""Reading text: the plain model's activations and logits, batched, padded and changed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.engines.controls import matched_neurons
from analysis.engines.reading import NO_TOKEN, Window, batches, read, windows
from analysis.neuron import Neuron
from analysis.prompts import make_prompt
from tests.questions import CLEAN, CORRUPTED
from tests.subjects import make_subject

TEXTS = ((0, CLEAN), (1, "She saw an owl. He ate the fruit."), (2, "It was red"))


def test_a_padded_batch_reads_each_text_as_if_it_were_alone(subject):
    (batch,) = batches(windows(subject, TEXTS, 100))
    reading = read(subject, batch, [0, 2])
    for index, window in enumerate(batch):
        own = reading.window == index
        cache = subject.cache(window.tokens, "mlp.hook_post")["mlp.hook_post"]
        for layer in (0, 2):
            torch.testing.assert_close(reading.activations[layer][own], cache[layer])
        torch.testing.assert_close(reading.logits[own], subject.logits(window.tokens))
        assert reading.token[own].tolist() == list(window.tokens)
        assert reading.following[own].tolist() == [*window.tokens[1:], NO_TOKEN]


@pytest.mark.slow
@settings(max_examples=30)
@given(length=st.integers(1, 30), most=st.integers(1, 60))
def test_windows_and_batches_lose_no_token_and_change_no_order(length, most):
    subject = make_subject("llama")
    pieces = [w for batch in batches(windows(subject, TEXTS, length), most) for w in batch]
    for number, text in TEXTS:
        own = [w for w in pieces if w.document == number]
        assert [t for w in own for t in w.tokens] == subject.tokens(text)
        assert [w.start for w in own] == list(range(0, len(subject.tokens(text)), length))
    assert [w.document for w in pieces] == sorted(w.document for w in pieces)


def test_every_window_starts_as_the_model_wants_its_prompts_to_start():
    subject = make_subject("gpt2")
    bos = subject.tokenizer.bos_token_id
    assert all(w.tokens[0] == bos for w in windows(subject, TEXTS, 4))


def test_a_change_of_activations_acts_as_a_hook_does(subject):
    tokens = tuple(subject.tokens(CLEAN))

    def silence(post):
        changed = post.clone()
        changed[..., 3] = 0
        return changed

    def hook(post, hook):
        post[..., 3] = 0
        return post

    with torch.no_grad():
        expected = subject.bridge.run_with_hooks(
            subject.batch(tokens), fwd_hooks=[("blocks.1.mlp.hook_post", hook)], prepend_bos=False
        )
    reading = read(subject, (Window(0, 0, tokens),), [1], {1: silence})
    torch.testing.assert_close(reading.logits, expected[0], atol=1e-4, rtol=1e-4)
    before = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][1]
    torch.testing.assert_close(reading.activations[1], before)


def test_without_logits_the_pass_ends_behind_its_last_layer_with_the_same_activations(subject):
    (batch,) = batches(windows(subject, TEXTS, 100))
    whole, reached = read(subject, batch, [0, 1]), []
    handles = [
        block.register_forward_pre_hook(lambda *_, layer=layer: reached.append(layer))
        for layer, block in enumerate(subject.blocks)
    ]
    head = subject.model.get_output_embeddings()
    handles.append(head.register_forward_pre_hook(lambda *_: reached.append("head")))
    short = read(subject, batch, [0, 1], logits=False)
    for handle in handles:
        handle.remove()
    assert reached == [0, 1]
    assert short.logits.shape == (0, subject.d_vocab)
    for layer in (0, 1):
        assert torch.equal(short.activations[layer], whole.activations[layer])
    assert torch.equal(short.following, whole.following)


def test_who_is_told_layer_by_layer_hears_what_a_reading_holds(subject):
    (batch,) = batches(windows(subject, TEXTS, 100))
    heard = []
    reading = read(subject, batch, [2, 0], factors=True, tell=lambda *what: heard.append(what))
    assert [layer for layer, *_ in heard] == [0, 2]
    assert not reading.activations
    assert not reading.gates
    whole = read(subject, batch, [0, 2], factors=True)
    assert torch.equal(reading.logits, whole.logits)
    for layer, *values in heard:
        held = whole.activations[layer], whole.gates.get(layer), whole.ups.get(layer)
        for found, expected in zip(values, held, strict=True):
            assert found is expected is None or torch.equal(found, expected)


def test_nothing_stays_changed_after_a_read(subject):
    batch = (Window(0, 0, tuple(subject.tokens(CLEAN))),)
    before = read(subject, batch).logits
    read(subject, batch, changes={0: torch.zeros_like})
    assert torch.equal(read(subject, batch).logits, before)


def test_matched_neurons_are_of_the_layer_and_ordered_by_how_near_their_norm_is(subject):
    prompts = [make_prompt(subject, text) for text in (CLEAN, CORRUPTED)]
    neuron = Neuron(1, 4)
    matched = matched_neurons(subject, neuron, prompts, 10)
    ends = torch.stack(
        [subject.cache(p.tokens, "mlp.hook_post")["mlp.hook_post"][1, -1] for p in prompts]
    )
    norm = (ends**2).mean(0).sqrt().log()
    distance = (norm - norm[neuron.number]).abs()
    expected = [n for n in distance.argsort().tolist() if n != neuron.number][:10]
    assert [n.number for n in matched] == expected
    assert {n.layer for n in matched} == {1}
