"""Does a finding hang on the rounding of weights, or on the prompt's format?"""

import dataclasses

import numpy as np
import pytest
import torch

from analysis.claims import Claims
from analysis.experiments.robustness import compute
from analysis.experiments.robustness.compute import lost, of_words, recovered, robustness, summary
from analysis.experiments.robustness.facts import facts
from analysis.experiments.robustness.figures import robustness as drawn
from analysis.experiments.robustness.figures import robustness_formats
from analysis.experiments.robustness.formats import CHAT, PLAIN, WITH_BOS, WITHOUT_BOS, read_formats
from analysis.experiments.robustness.measured import SCREEN, measure
from analysis.loading.quantisation import Quantised
from analysis.neuron import Neuron
from analysis.prompts import make_pair
from analysis.questions import Question
from tests.committed import committed
from tests.plant import plant
from tests.prose import check_opposites
from tests.questions import CLEAN, CORRUPTED
from tests.reference import patched_recoveries
from tests.synthetic import Plan, changed, evidence

pytestmark = pytest.mark.slow

NEURON = Neuron(1, 7)
ASKED = Question(
    clean=CLEAN,
    corrupted=CORRUPTED,
    target=" an",
    foil=" a",
    template=CLEAN.replace("apple", "{}"),
    target_words=("apple", "orange", "owl"),
    foil_words=("lemon", "pear", "dog"),
)
WORDS = ASKED.target_words, ASKED.foil_words


@pytest.fixture
def planted(subject, pair):
    plant(subject, pair, NEURON, pair.contrast)
    return subject


def as_rounded(monkeypatch, subject, size):
    """Take the model for one that was rounded to steps of this size."""
    found = [
        Quantised(name, "Q4_1", torch.full(each.shape, size))
        for name, each in subject.model.named_parameters()
        if each.dim() == 2
    ]
    monkeypatch.setattr(compute, "gguf_of", lambda _: "tiny.gguf")
    monkeypatch.setattr(compute, "quantised", lambda *_: iter(found))


def asked(subject, draws=6, question=ASKED):
    words = question.target_words, question.foil_words
    read = read_formats(subject, question, NEURON, words)
    return robustness(subject, NEURON, question.pair(subject), read, words, draws)


def test_a_patch_and_its_rank_are_what_hooks_measure(subject, pair):
    found = measure(subject, NEURON, pair)
    (recovery,) = patched_recoveries(subject, pair, [NEURON], "last")
    (loss,) = patched_recoveries(subject, pair.swapped, [NEURON], "last")
    assert float(recovered(found.answers)) == pytest.approx(recovery, abs=1e-4)
    assert float(lost(found.answers)) == pytest.approx(loss, abs=1e-4)
    every = [Neuron(i, j) for i in range(subject.n_layers) for j in range(subject.d_mlp)]
    all_of_them = patched_recoveries(subject, pair, every, "last")
    assert found.best == str(every[int(np.argmax(all_of_them))])
    ahead = 1 + sum(other > recovery + 1e-6 for other in all_of_them)
    assert 1 <= found.rank <= ahead
    assert found.screened in (SCREEN, SCREEN + 1)


def test_a_planted_neuron_is_first_however_its_weights_were_rounded(planted, monkeypatch):
    as_rounded(monkeypatch, planted, 0.01)
    result = asked(planted)
    assert facts(result).holds
    assert (result.drawn_rank == 1).all()
    assert recovered(result.drawn_answers) == pytest.approx(
        np.full(6, recovered(result.format_answers[0])), abs=0.3
    )
    assert len(np.unique(result.drawn_answers)) == result.drawn_answers.size


def test_with_steps_as_large_as_the_weights_nothing_is_left_of_it(planted, monkeypatch):
    as_rounded(monkeypatch, planted, 20.0)
    found = facts(asked(planted))
    assert not found.holds
    assert found.precision.first < 6


def test_the_error_of_rounding_is_a_step_over_the_root_of_twelve(subject, monkeypatch):
    as_rounded(monkeypatch, subject, 0.1)
    weights = [each for each in subject.model.parameters() if each.dim() == 2]
    size = torch.cat([each.flatten() for each in weights]).square().mean().sqrt()
    assert asked(subject, 2).rounding == pytest.approx(0.1 / 12**0.5 / float(size), rel=1e-4)


def test_a_model_that_was_not_quantised_is_not_drawn_anew(subject):
    result = asked(subject)
    assert result.quantised == ()
    assert result.drawn_answers.shape == (0, 4)
    assert facts(result).precision is None
    assert "nothing was rounded" not in summary(result)
    assert drawn(result).layout.annotations[0].text == "Nothing to draw"


def test_a_format_without_evenly_spaced_values_is_named_and_not_drawn(subject, monkeypatch):
    as_rounded(monkeypatch, subject, 0.1)
    one = Quantised(next(iter(dict(subject.model.named_parameters()))), "IQ2_XXS", None)
    monkeypatch.setattr(compute, "quantised", lambda *_: iter([one]))
    result = asked(subject)
    assert result.quantised == ("IQ2_XXS",)
    assert result.redrawn == 0.0
    assert len(result.drawn_answers) == 0


def test_bos_is_changed_over_and_a_model_without_a_chat_template_says_so(subject):
    result = asked(subject)
    other = WITHOUT_BOS if subject.prepend_bos else WITH_BOS
    assert result.formats == (PLAIN, other)
    assert result.missing == (CHAT,)
    bos = subject.tokenizer.bos_token
    assert [text.startswith(bos) for text in result.given] == [
        subject.prepend_bos,
        not subject.prepend_bos,
    ]


def test_in_the_chat_template_the_text_begins_the_assistants_own_turn(subject, monkeypatch):
    template = "{% for m in messages %}The dog saw. {{ m['content'] }}<|endoftext|>{% endfor %}"
    monkeypatch.setattr(subject.tokenizer, "chat_template", template)
    result = asked(subject)
    assert result.formats[-1] == CHAT
    begins = subject.tokenizer.bos_token if subject.prepend_bos else ""
    assert result.given[-1] == f"{begins}The dog saw. {CLEAN}"
    texts = (f"The dog saw. {text}" for text in (CLEAN, CORRUPTED))
    by_hand = measure(subject, NEURON, make_pair(subject, *texts, " an", " a"))
    np.testing.assert_allclose(result.format_answers[-1], by_hand.answers, atol=1e-5)
    words = [f"The dog saw. {ASKED.template.format(word)}" for group in WORDS for word in group]
    ids = [subject.tokens(text) for text in words]
    posts = [subject.cache(each, "mlp.hook_post")["mlp.hook_post"] for each in ids]
    expected = [float(each[NEURON.layer, -1, NEURON.number]) for each in posts]
    np.testing.assert_allclose(result.values[0, -1], expected, atol=1e-4)


def test_a_question_without_words_is_asked_of_its_pair_alone(subject):
    bare = Question(clean=CLEAN, corrupted=CORRUPTED, target=" an", foil=" a")
    result = asked(subject, question=bare)
    assert result.words == ()
    assert np.isnan(result.area).all()
    assert {row["preferred_target"] for row in summary(result)["formats"]} == {None}
    assert result.figure("robustness_formats").data


TRUE_AND_FALSE = [
    ("format makes it", "It hangs on how the weights were rounded, and on how the prompt"),
    ("So rounding does not make the finding", "the finding hangs on how the weights were rounded"),
    ("does not hang on the rounding either", "is within the noise of rounding"),
    ("does not hang on the prompt’s format", "it does not hold in the chat template"),
]


@pytest.mark.parametrize(("said", "opposite"), TRUE_AND_FALSE)
def test_data_against_a_claim_bring_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def said(**fields):
    return Claims(changed(evidence(Plan()), "robustness", **fields)).robustness


def test_what_was_not_rounded_is_not_said_to_survive_it():
    none = np.zeros((0, 4), "f")
    found = said(quantised=(), drawn_answers=none, drawn_rank=np.zeros(0, int), drawn_best=())
    assert "does not arise" in found.setup
    assert found.drawn == found.answer == ""
    assert found.heading == "It holds however the prompt is given"
    assert "nothing was rounded" in found.caption


def test_what_cannot_be_drawn_anew_is_not_known():
    none = {"drawn_answers": np.zeros((0, 4), "f"), "drawn_rank": np.zeros(0, int)}
    found = said(**none, drawn_best=(), redrawn=0.0, quantised=("IQ2_XXS",))
    assert "not evenly spaced" in found.setup
    assert found.heading == "It holds however the prompt is given"


def test_one_redraw_in_which_another_neuron_leads_is_told():
    result = evidence(Plan()).robustness
    rank, best = result.drawn_rank.copy(), list(result.drawn_best)
    rank[4], best[4] = 2, "L2N1"
    found = said(drawn_rank=rank, drawn_best=tuple(best))
    assert "first in 19 of 20 redraws" in found.drawn
    assert "at times: then it is L2N1" in found.drawn
    assert "It hangs on how the weights were rounded" in found.heading


def test_a_redraw_that_turns_the_answer_alone_leaves_the_neurons_part():
    answers = evidence(Plan()).robustness.drawn_answers.copy()
    answers[7, 0] = -0.1
    found = said(drawn_answers=answers)
    assert "So rounding does not make the finding" in found.drawn
    assert "preferred in 19 of 20 redraws" in found.answer
    assert "within the noise of rounding" in found.answer


def test_redraws_that_all_agree_on_one_thing_are_not_called_noise_for_the_other():
    answers = evidence(Plan()).robustness.drawn_answers.copy()
    answers[7, 3] = 0.1  # the neuron's corrupted activation does not turn it
    turned = said(drawn_answers=answers).answer
    assert "whether the neuron turns the answer here is within the noise" in turned
    assert "which token comes first is not" in turned
    answers = np.tile(np.array([2.0, -3.0, 0.5, 0.5], "f"), (20, 1))  # it never turns it
    answers[7, 0] = -0.1
    now = evidence(Plan()).robustness.format_answers.copy()
    now[0, 3] = 0.5
    first = said(drawn_answers=answers, format_answers=now).answer
    assert "which of the two tokens comes first here is within the noise" in first
    assert "whether the neuron turns it is not" in first


def test_too_few_words_are_not_said_to_be_told_apart_nor_not():
    result = evidence(Plan()).robustness
    few = said(
        words=result.words[:6], target_words=3, values=result.values[..., [0, 1, 2, 6, 7, 8]]
    )
    assert "is the first neuron." in few.formats_caption
    assert "So few words cannot show" in few.formats
    assert "the first neuron and tells the words apart" in said().formats_caption


def test_words_are_told_apart_where_shuffled_labels_seldom_part_them_as_far():
    """Six against six part wholly in 2 of the 924 ways to label them."""
    apart, alike = np.arange(12.0).reshape(2, 1, 6), np.zeros((1, 1, 6))
    found = of_words(np.concatenate([apart[1:], alike]), np.concatenate([apart[:1], alike]))
    assert found["area"].ravel().tolist() == [1.0, 0.5]
    assert found["chance"][0, 0] == pytest.approx(2 / 924, abs=3e-3)
    assert found["chance"][1, 0] == 1.0
    result = evidence(Plan()).robustness
    by_chance = dataclasses.replace(result, chance=np.full_like(result.chance, 0.06))
    assert facts(result).formats_hold
    assert facts(by_chance).nowhere


def test_a_question_without_words_that_is_first_in_every_format_has_its_facts():
    result = evidence(Plan()).robustness
    nothing = np.full_like(result.area, np.nan)
    span = np.full_like(result.area_interval, np.nan)
    bare = dataclasses.replace(
        result,
        words=(),
        target_words=0,
        area=nothing,
        area_interval=span,
        chance=nothing,
        values=result.values[..., :0],
    )
    found = facts(bare)
    assert found.formats_hold
    assert not found.enough
    assert found.weaker == ()


def test_a_redraw_that_does_not_tell_the_prompts_apart_has_no_recovery():
    result = evidence(Plan()).robustness
    answers, rank = result.drawn_answers.copy(), result.drawn_rank.copy()
    answers[0], rank[0] = np.nan, 0
    found = facts(dataclasses.replace(result, drawn_answers=answers, drawn_rank=rank))
    assert found.precision.first == 19
    assert not found.holds
    assert np.isfinite(found.precision.recovery.low)


def test_the_verb_prints_the_keys_that_others_rely_on(answer, llama_folder):
    found = answer(
        "robustness", "--model", llama_folder, "--clean", CLEAN, "--corrupted", CORRUPTED,
        "--neuron", "L1N3",
    )  # fmt: skip
    assert found["quantised"] == found["draws"] == []
    assert found["formats"][0]["format"] == PLAIN
    assert {"recovery", "lost", "rank"} <= set(found["formats"][0])
    assert "auc_activation_p_shuffled" in found["formats"][0]


def test_the_embedded_models_neuron_outlives_rounding_and_its_answer_does_not():
    """As committed: today's code made it."""
    result = committed("robustness")
    assert result.quantised == ("Q4_1", "Q8_0")
    assert result.redrawn == 1.0
    assert result.rounding == pytest.approx(0.0774, abs=1e-3)
    assert set(result.drawn_rank) == {1}
    share = recovered(result.drawn_answers)
    assert 0.35 < share.min() <= share.max() < 0.75
    assert recovered(result.format_answers[0]) == pytest.approx(0.6128, abs=1e-3)
    assert not facts(result).precision.prefers.steady
    assert result.area[0].min() > 0.95
    assert result.preferred[:, 0].tolist() == [2, 2, 0]


def mirrored(result):
    """The same neuron, used with negative activation."""
    values, area, spans = (getattr(result, n).copy() for n in ("values", "area", "area_interval"))
    values[0] *= -1
    area[0], spans[0] = 1 - area[0], 1 - spans[0][:, ::-1]
    return dataclasses.replace(result, values=values, area=area, area_interval=spans)


@pytest.mark.parametrize("holds", [True, False])
def test_a_neuron_that_works_with_negative_activation_is_told_and_drawn_as_one_that_does_not(holds):
    own = evidence(Plan(holds=holds)).robustness
    other = mirrored(own)
    for sign in (None, -1):
        assert facts(other, sign).failing == facts(own).failing
        for mine, theirs in zip(facts(own).formats, facts(other, sign).formats, strict=True):
            np.testing.assert_allclose(theirs.neuron, mine.neuron)
    places = [[trace.x for trace in robustness_formats(each).data] for each in (own, other)]
    for mine, theirs in zip(*places, strict=True):
        np.testing.assert_allclose(theirs, mine, atol=1e-3)
