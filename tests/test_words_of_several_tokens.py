"""Target and foil of several tokens: log p(target) - log p(foil), by plain transformers."""

import numpy as np
import pytest
import torch

from analysis.contrast import make_contrast
from analysis.drafting.checking import checked
from analysis.engines.ablator import PromptAblator
from analysis.engines.answers import answers
from analysis.engines.attribution import attribute_neurons
from analysis.engines.evaluation_positions import evaluation_positions
from analysis.engines.patcher import NeuronPatcher
from analysis.errors import UnsuitedError, UserError
from analysis.experiments import EXPERIMENTS
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.next_token.compute import next_token, summary
from analysis.experiments.patching.compute import COMPONENTS, patching
from analysis.hints import hints
from analysis.neuron import Neuron
from analysis.prompts import make_pair
from analysis.questions import Question
from analysis.running import inputs
from tests.plant import ON, QUIET, _mlp_input, _solve
from tests.questions import CLEAN, CORRUPTED, PAIR
from tests.reference import choice, log_p, patched
from tests.subjects import kept, make_subject

WORDS = {
    "one of two tokens": (" old tree", " a"),
    "the foil is the longer": (" a", " old tree"),
    "both": (" old tree", " red apple"),
    "alike to the last": (" old tree", " old dog"),
    "alike at first": (" old tree house", " old dog"),
    "alike at first, both longer": (" old tree house", " old dog was red"),
}
NEURONS = [Neuron(0, 3), Neuron(1, 7), Neuron(2, 11)]


@pytest.fixture
def llama():
    return kept("llama").subject()


@pytest.fixture(params=WORDS, ids=lambda name: name.replace(" ", "-"))
def asked(llama, request):
    return make_pair(llama, CLEAN, CORRUPTED, *WORDS[request.param])


@pytest.fixture
def both(subject):
    """Words for which two texts have to be read."""
    return make_pair(subject, CLEAN, CORRUPTED, *WORDS["both"])


def by_hooks(subject, pair, neuron, many):
    """Recovery with the clean prompt's activations at its last places."""
    post = subject.cache(pair.clean.tokens, "mlp.hook_post")["mlp.hook_post"]
    clean, corrupted = (choice(subject, p, pair.contrast) for p in (pair.clean, pair.corrupted))
    with patched(subject, neuron, post[neuron.layer, -many:, neuron.number], pair.corrupted):
        moved = choice(subject, pair.corrupted, pair.contrast)
    return (moved - corrupted) / (clean - corrupted)


def test_an_answer_is_the_difference_of_logarithms_token_by_token(llama, asked):
    prompts = (asked.clean, asked.corrupted)
    result = next_token(llama, prompts, asked.contrast)
    expected = [choice(llama, prompt, asked.contrast) for prompt in prompts]
    np.testing.assert_allclose(result.logit_diff, expected, atol=1e-4)
    for side, values in (("target", result.p_target), ("foil", result.p_foil)):
        word = getattr(asked.contrast, side)
        logs = [log_p(llama, prompt.tokens, word) for prompt in prompts]
        np.testing.assert_allclose(np.log(values), logs, atol=1e-4)
    found = answers(llama, [prompt.tokens for prompt in prompts], asked.contrast)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)
    by_token = summary(result)["by_token"]["target"]
    assert "".join(each["token"] for each in by_token) == asked.contrast.target
    assert sum(each["log_p"] for each in by_token) == pytest.approx(
        log_p(llama, asked.clean.tokens, asked.contrast.target), abs=1e-4
    )


def test_a_rank_of_one_is_what_the_model_writes_by_itself(subject):
    """Greedy decoding of the plain model writes the word whose tokens all come first."""
    prompt = PAIR.prompt(subject)
    ids = subject.batch(prompt.tokens)
    wrote = subject.model.generate(ids, max_new_tokens=2, do_sample=False)[0, ids.shape[1] :]
    word = subject.text(wrote.tolist())
    foil = next(w for w in (" old tree", " red apple") if w != word)
    result = next_token(subject, [prompt], make_contrast(subject, word, foil))
    assert result.rank_target[0] == 1 < result.rank_foil[0]


@pytest.mark.slow
def test_a_sweep_recovers_what_hooks_on_the_plain_model_recover(llama, asked):
    sweep = neuron_sweep(llama, asked)
    expected = [by_hooks(llama, asked, neuron, 1) for neuron in NEURONS]
    np.testing.assert_allclose([sweep.recovery[n] for n in NEURONS], expected, atol=2e-3)
    assert sweep.noise < 1e-4
    screened = neuron_sweep(llama, asked, screen=10)
    np.testing.assert_allclose(
        screened.recovery[screened.exact], sweep.recovery[screened.exact], atol=1e-4
    )


def test_all_positions_are_those_of_the_prompt(subject, both):
    sweep = neuron_sweep(subject, both, positions="all")
    expected = [by_hooks(subject, both, neuron, both.suffix) for neuron in NEURONS]
    np.testing.assert_allclose([sweep.recovery[n] for n in NEURONS], expected, atol=2e-3)


def test_a_neuron_of_a_set_is_held_while_another_is_patched(subject, both):
    """Patched together, all later ones computed again: two hooks at once on the plain model."""
    patcher = NeuronPatcher(subject, both)
    (together,) = patcher.set_effects(patcher.sets([NEURONS[:2]]))
    post = subject.cache(both.clean.tokens, "mlp.hook_post")["mlp.hook_post"][:, -1]
    (first, second), prompt = NEURONS[:2], both.corrupted
    with (
        patched(subject, first, post[first][None], prompt),
        patched(subject, second, post[second][None], prompt),
    ):
        moved = choice(subject, prompt, both.contrast)
    assert float(together) == pytest.approx(moved - patcher.corrupted_diff, abs=2e-4)


def test_attribution_is_the_slope_of_that_answer(subject, both):
    patcher, neuron, step = NeuronPatcher(subject, both), NEURONS[1], 1e-2
    found = attribute_neurons(subject, both, patcher.delta, patcher.start)
    own = patcher.activations[neuron.layer, -1, neuron.number]
    delta, ends = patcher.delta[neuron.layer, -1, neuron.number], []
    for way in (1, -1):
        with patched(subject, neuron, (own + way * step * delta)[None], both.corrupted):
            ends.append(choice(subject, both.corrupted, both.contrast))
    slope = (ends[0] - ends[1]) / (2 * step)
    assert float(found[neuron]) == pytest.approx(slope, rel=0.02, abs=1e-4)


@pytest.mark.parametrize("words", ["both", "alike at first"])
def test_maps_patch_the_prompt_and_not_what_it_goes_on_with(subject, words):
    pair = make_pair(subject, CLEAN, CORRUPTED, *WORDS[words])
    result = patching(subject, pair)
    clean, corrupted = (choice(subject, p, pair.contrast) for p in (pair.clean, pair.corrupted))
    source = subject.cache(pair.clean.tokens, "hook_mlp_out", "attn.hook_z")
    place, layer, head = pair.start, 1, 2
    width = source["attn.hook_z"].shape[-1] // result.heads_restored.shape[1]

    def one_place(out, hook):
        out[0, place] = source["hook_mlp_out"][layer, place]
        return out

    def one_head(z, hook):
        own = slice(head * width, (head + 1) * width)
        z[0, : len(pair.clean.tokens), head] = source["attn.hook_z"][layer][:, own]
        return z

    for hook, found in (
        (("hook_mlp_out", one_place), result.restored[COMPONENTS.index("mlp_out"), layer, place]),
        (("attn.hook_z", one_head), result.heads_restored[layer, head]),
    ):
        name, change = hook
        with subject.bridge.hooks(fwd_hooks=[(f"blocks.{layer}.{name}", change)]):
            moved = choice_of_bridge(subject, pair.corrupted, pair.contrast)
        assert found == pytest.approx((moved - corrupted) / (clean - corrupted), abs=2e-3)
    assert result.restored[0, 0, place] == pytest.approx(1, abs=1e-3)
    assert result.restored.shape[2] == len(pair.clean.tokens)


def choice_of_bridge(subject, prompt, contrast):
    """The same by the hooked model, a pass for each word."""
    found = []
    for word in (contrast.target, contrast.foil):
        ids = subject.tokenizer(word, add_special_tokens=False)["input_ids"]
        tokens = subject.batch([*prompt.tokens, *ids[:-1]])
        with torch.no_grad():
            logits = subject.bridge(tokens, prepend_bos=False)[0, -len(ids) :].double()
        found.append(float(logits.log_softmax(-1)[range(len(ids)), ids].sum()))
    return found[0] - found[1]


@pytest.mark.slow
@pytest.mark.parametrize("positions", ["last", "all"])
def test_ablation_follows_every_token_of_a_word(llama, asked, positions):
    neuron, prompt = NEURONS[1], asked.clean
    ablator = PromptAblator(llama, neuron.layer, prompt, asked.contrast, positions)
    places = len(ablator.activations)
    diff, p_target, kl = ablator.effects([neuron.number], torch.zeros(1, places))[0]
    assert ablator.logit_diff == pytest.approx(choice(llama, prompt, asked.contrast), abs=1e-4)
    before = llama.logits(prompt.tokens)[-1].double().log_softmax(-1)
    with patched(llama, neuron, torch.zeros(places), prompt):
        assert diff == pytest.approx(choice(llama, prompt, asked.contrast), abs=1e-4)
        expected = log_p(llama, prompt.tokens, asked.contrast.target)
        after = llama.logits(prompt.tokens)[-1].double().log_softmax(-1)
    assert np.log(p_target) == pytest.approx(expected, abs=1e-4)
    assert kl == pytest.approx(float((before.exp() * (before - after)).sum()), abs=1e-5)


def test_a_neuron_planted_for_the_second_token_is_found_first():
    """Both words begin alike: only attention from the word's first token reads what it wrote."""
    subject, neuron = make_subject("llama"), Neuron(0, 5)
    with torch.no_grad():
        for block in subject.bridge.blocks:
            block.mlp.W_out.mul_(QUIET)
    pair = make_pair(subject, CLEAN, CORRUPTED, " old dog", " old tree")
    reads = torch.stack([_mlp_input(subject, p.tokens, 0) for p in (pair.clean, pair.corrupted)])
    slope = slope_at_the_prompts_end(subject, pair)
    mlp = subject.bridge.blocks[0].mlp
    with torch.no_grad():
        mlp.W_gate[:, neuron.number] = _solve(reads, torch.tensor([ON, 0.0]))
        mlp.W_in[:, neuron.number] = _solve(reads, torch.tensor([1.0, 0.0]))
        mlp.W_out[neuron.number] = 10 * slope / slope.norm()
    sweep = neuron_sweep(subject, pair)
    assert sweep.candidates[0] == str(neuron)
    assert sweep.recovery[neuron] == pytest.approx(by_hooks(subject, pair, neuron, 1), abs=1e-3)
    assert sweep.recovery[neuron] > 0.5
    assert neuron_sweep(subject, pair, screen=20).candidates[0] == str(neuron)


def slope_at_the_prompts_end(subject, pair):
    """Of the second tokens' logit difference by the first layer's residual at the prompt's end."""
    dog, tree = (subject.pieces(word)[1] for word in (" old dog", " old tree"))
    text, begun = subject.batch([*pair.corrupted.tokens, *subject.pieces(" old")]), []

    def begin(resid, hook):
        begun.append(resid.detach().requires_grad_())
        return begun[0]

    hooks = [("blocks.0.hook_resid_post", begin)]
    with torch.enable_grad():
        logits = subject.bridge.run_with_hooks(text, fwd_hooks=hooks, prepend_bos=False)[0]
        (slope,) = torch.autograd.grad(logits[-1, dog] - logits[-1, tree], begun)
    return slope[0, len(pair.corrupted.tokens) - 1]


def test_of_single_tokens_it_is_the_logit_difference_bit_for_bit(subject, pair):
    contrast, normed = pair.contrast, torch.randn(5, 1, subject.d_model)
    head, target, foil = subject.read_out, contrast.target_id, contrast.foil_id
    alone = contrast.part(0, head, normed)
    assert torch.equal(alone, head.difference(normed[:, 0], target, foil))
    logs = head.logits(normed[:, 0]).log_softmax(-1)
    torch.testing.assert_close(alone, logs[:, target] - logs[:, foil])
    assert contrast.passes[0].tokens == ()


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_what_reads_the_next_token_alone_says_so_in_a_sentence(experiment):
    subject = kept("llama").subject()
    words = {"template": "I saw {} and", "target_words": ["egg"], "foil_words": ["tree"]}
    asked = Question(clean=CLEAN, corrupted=CORRUPTED, target=" old tree", foil=" a", **words)
    if experiment.long:
        neurons = ["L0N3"] if experiment.asks_about_a_neuron else []
        assert inputs(experiment, subject, asked, neurons).question is asked
    elif experiment.suits(asked):
        with pytest.raises(UnsuitedError, match=r"alone, and ' old tree' is 2 tokens long: give s"):
            inputs(experiment, subject, asked, ["L0N3"])


def test_an_engine_that_knows_the_next_token_alone_refuses_words(subject, both):
    logits = torch.zeros(subject.d_vocab)
    for ask in (both.contrast.of, both.contrast.shares, both.contrast.logits):
        with pytest.raises(UnsuitedError, match="reads the next token alone"):
            ask(logits)
    with pytest.raises(UnsuitedError, match="reads the next token alone"):
        both.contrast.read(subject, torch.zeros(1, subject.d_model))


@pytest.mark.parametrize(
    ("target", "foil", "sentence"),
    [
        (" old tree", " old", "' old tree' begins with ' old', so that the one is no answer"),
        (" old", " old tree", "' old tree' begins with ' old', so that the one is no answer"),
        (" old tree", " a| an", "One of target and foil is a set, and the other several tokens"),
        (" an| old tree", " a", "The target ' old tree' is 2 tokens (' old', ' tree') and must"),
        (
            " old tree",
            "  an",
            "The foil '  an' is 2 tokens ('<unk>', '<unk>') and must be one: try",
        ),
        (" red old" * 9, " a", "is 18 tokens long, and at most 16 are asked for"),
    ],
)
def test_what_is_no_choice_between_two_words_is_refused(llama, target, foil, sentence):
    with pytest.raises(UserError) as found:
        make_contrast(llama, target, foil)
    assert sentence in str(found.value)


def test_a_prompt_has_to_leave_room_for_the_word(subject):
    prompt = " old" * (subject.context - int(subject.prepend_bos))
    make_pair(subject, prompt, prompt[: -len(" old")] + " red", " an", " a")
    with pytest.raises(UserError, match="go on with has 129 tokens"):
        make_pair(subject, prompt, prompt[: -len(" old")] + " red", " old tree", " a")


def test_own_words_of_several_tokens_confirm_no_question_of_single_ones(subject):
    own = {"clean": "I saw the old tree", "corrupted": "I saw the red tree", "target": " his dog"}
    pairs = [{**own, "foil": " a"}, {**own, "clean": "I saw the big tree", "target": " her"}]
    asked = {"clean": CLEAN, "corrupted": CORRUPTED, "foil": " a", "pairs": pairs}
    single, long = (Question(target=target, **asked) for target in (" an", " old dog"))
    assert [p.contrast.target for p in single.other_pairs(subject)] == [" her"]
    assert [p.contrast.target for p in long.other_pairs(subject)] == [" his dog", " her"]


def test_text_counts_as_the_targets_where_all_of_the_word_follows(subject):
    """Windows before the target end where the whole word begins; others are measured elsewhere."""
    text = " the" * 5 + " old dog" + " the" * 5 + " old tree" + " the" * 5
    ids, rest = (tuple(subject.pieces(word)) for word in (" old", " tree"))
    places = evaluation_positions(subject, [(i, text) for i in range(40)], ids, 20, 0, 4, rest=rest)
    chosen = [place for place in places if place.is_target]
    assert len(chosen) == 20
    assert {place.window.start + 4 for place in chosen} == {12}
    old = {p.following[i] for p in places if not p.is_target for i in range(len(p.positions))}
    assert ids[0] in old  # that of the old dog
    for place in places:
        if not place.is_target:
            lead = int(subject.prepend_bos)
            assert 12 not in {place.window.start + at - lead + 1 for at in place.positions}


def test_a_longer_word_and_one_without_its_space_are_told():
    subject = kept("llama").subject()
    (found,) = hints(subject, PAIR.replaced(target=" old tree", foil=" a"))
    assert found.startswith("' old tree' is 2 tokens long and ' a' 1: logarithms")
    assert hints(subject, PAIR.replaced(target=" old tree", foil=" red dog")) == ()


def test_a_question_of_words_is_checked_by_their_logarithms(subject):
    question = PAIR.replaced(target=" old tree", foil=" red apple")
    (row,) = checked(subject, question)["prompts"]
    pair = question.pair(subject)
    expected = [choice(subject, prompt, pair.contrast) for prompt in (pair.clean, pair.corrupted)]
    assert [row["clean_diff"], row["corrupted_diff"]] == pytest.approx(expected, abs=1e-4)


def test_the_command_line_takes_words_of_several_tokens(answer, llama_folder):
    words = ("--target", " old tree", "--foil", " red apple")
    prompts = ("--clean", CLEAN, "--corrupted", CORRUPTED)
    sweep = answer("neuron-sweep", "--model", llama_folder, *prompts, *words, "--screen", "5")
    asked = answer("next-token", "--model", llama_folder, *prompts, *words)
    assert (sweep["target"], sweep["exact"]) == (" old tree", 5)
    assert asked["logit_diff"] == pytest.approx(sweep["clean_diff"], abs=1e-4)
