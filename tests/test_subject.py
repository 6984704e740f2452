import torch

from analysis.contrast import Contrast
from analysis.subject import Subject


def test_folded_unembedding_gives_the_models_own_logits(subject: Subject):
    tokens = subject.tokens("I climbed up the apple tree")
    resid = subject.cache(tokens, "hook_resid_post")["hook_resid_post"][-1]
    centred = resid - resid.mean(-1, keepdim=True) if subject.b_U.any() else resid
    eps = getattr(subject.final_norm, "eps", getattr(subject.final_norm, "variance_epsilon", None))
    scale = (centred.pow(2).mean(-1, keepdim=True) + eps).sqrt()
    logits = resid / scale @ subject.W_U + subject.b_U
    torch.testing.assert_close(logits, subject.logits(tokens), atol=1e-4, rtol=1e-4)


def test_hooks_see_the_plain_models_logits(subject: Subject):
    tokens = subject.tokens("I climbed up the apple tree")
    with torch.no_grad():
        hooked = subject.bridge(subject.batch(tokens), prepend_bos=False)[0]
    torch.testing.assert_close(hooked, subject.logits(tokens), atol=1e-4, rtol=1e-4)


def test_neurons_write_their_rows_of_w_out(subject: Subject):
    tokens = subject.tokens("I climbed up the apple tree")
    cache = subject.cache(tokens, "mlp.hook_post", "hook_mlp_out")
    for layer in range(subject.n_layers):
        written = cache["mlp.hook_post"][layer] @ subject.W_out(layer)
        bias = cache["hook_mlp_out"][layer] - written
        torch.testing.assert_close(bias, bias[:1].expand_as(bias), atol=1e-4, rtol=1e-4)


def test_only_models_that_want_it_get_a_leading_token(subject: Subject):
    tokens = subject.tokens(" an egg")
    assert (tokens[0] == subject.tokenizer.bos_token_id) == subject.prepend_bos
    assert "".join(map(subject.string, tokens[int(subject.prepend_bos) :])) == " an egg"


def test_a_residuals_logit_difference_is_that_of_the_models_logits(subject: Subject):
    tokens = subject.tokens("I climbed up the apple tree")
    resid = subject.cache(tokens, "hook_resid_post")["hook_resid_post"][-1, -1]
    logits = subject.logits(tokens)[-1]
    for target, foil in ((3, 9), (20, 4)):
        difference = Contrast("a", "b", (target,), (foil,)).read(subject, resid)
        torch.testing.assert_close(difference, logits[target] - logits[foil], atol=1e-4, rtol=1e-4)
