"""A graft is a neuron like the model's own: put back, it is what was cut out."""

import pytest
import torch

from analysis.contrast import make_contrast
from analysis.engines import grafting
from analysis.engines.grafting import native, widened, without
from analysis.engines.trial import Trial, costs
from analysis.errors import UserError
from analysis.neuron import Neuron
from tests import families

TEXTS = (
    "I climbed up the apple tree and picked",
    "She saw the dog",
    "The cat was under the old tree and",
)
NEURON = Neuron(1, 5)


def trial_of(subject, layer=1):
    return Trial(subject, layer, [subject.tokens(text) for text in TEXTS])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma3", "opt", "gpt_neox", "granite"])
def test_a_neuron_that_is_cut_out_and_grafted_again_is_the_neuron(name):
    subject = families.shared_subject(name)
    contrast = make_contrast(subject, " an", " a")
    cut = without(subject, NEURON)
    whole, maimed = (
        torch.stack([torch.tensor(_plain(s, t, contrast)) for t in TEXTS]) for s in (subject, cut)
    )
    trial = trial_of(cut)
    graft = native(subject, NEURON)
    found = [torch.tensor(trial.differences(contrast, g)) for g in (None, graft)]
    assert not torch.allclose(whole, maimed, atol=1e-3)  # it does something
    torch.testing.assert_close(found[0], maimed, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found[1], whole, atol=1e-4, rtol=1e-4)


def _plain(subject, text, contrast):
    logits = subject.logits(subject.tokens(text))[-1]
    return float(logits[contrast.target_id] - logits[contrast.foil_id])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "gemma3"])
def test_costs_are_those_of_the_plain_model(name):
    subject = families.shared_subject(name)
    cut = without(subject, NEURON)
    trial = trial_of(cut)
    change, divergence = costs((trial, None), [(trial, native(subject, NEURON))])
    expected = [_costs(cut, subject, text) for text in TEXTS]
    for found, each in zip((change, divergence), zip(*expected, strict=True), strict=True):
        torch.testing.assert_close(torch.tensor(found[0]), torch.cat(each), atol=1e-4, rtol=1e-3)


def _costs(before, after, text):
    tokens = before.tokens(text)
    old, new = (s.logits(tokens)[:-1].log_softmax(-1) for s in (before, after))
    following = torch.tensor(tokens[1:])[:, None]
    change = old.gather(1, following) - new.gather(1, following)
    return change[:, 0], (old.exp() * (old - new)).sum(-1)


def test_a_cut_leaves_the_model_itself_as_it_was():
    subject = families.shared_subject("llama")
    before = subject.W_out(1).clone()
    without(subject, NEURON)
    assert torch.equal(subject.W_out(1), before)


def test_a_model_with_gate_and_up_in_one_matrix_is_refused():
    with pytest.raises(UserError, match="one matrix"):
        grafting.check_graftable(families.shared_subject("phi3"))


@pytest.mark.parametrize("name", ["Apertus", "BitNet"])
def test_a_model_whose_activations_are_made_otherwise_is_refused(name):
    """By a function with weights of its own, or with a norm behind it: a graft has neither."""
    with pytest.raises(UserError, match="more than an activation function"):
        grafting.check_graftable(families.shared_subject(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma3", "opt", "gpt_neox", "phi"])
def test_a_graft_that_is_built_in_is_the_last_neuron_of_its_layer(name, tmp_path):
    subject = families.shared_subject(name)
    cut, graft = without(subject, NEURON), native(subject, NEURON)
    whole = widened(cut, graft)
    tokens = subject.tokens(TEXTS[0])
    torch.testing.assert_close(whole.logits(tokens), subject.logits(tokens), atol=1e-4, rtol=1e-4)
    assert whole.d_mlp == subject.d_mlp + 1
    found = whole.cache(tokens, "mlp.hook_post")["mlp.hook_post"]
    own = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][NEURON.layer, :, NEURON.number]
    torch.testing.assert_close(found[NEURON.layer, :, -1], own, atol=1e-5, rtol=1e-4)
    whole.model.save_pretrained(tmp_path)
    plain = type(subject.model).from_pretrained(tmp_path).eval()
    with torch.no_grad():
        logits = plain(torch.tensor([tokens])).logits[0]
    torch.testing.assert_close(logits, subject.logits(tokens), atol=1e-4, rtol=1e-4)


def test_a_model_whose_neurons_follow_from_its_width_is_not_grown():
    subject = families.shared_subject("bloom")
    with pytest.raises(UserError, match="follows from its width"):
        widened(subject, native(subject, NEURON))
