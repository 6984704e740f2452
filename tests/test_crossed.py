"""Example, frame and word crossed: what is planted is named, and nothing else."""

import re
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
import torch

from analysis import questions, sentences
from analysis.engines.shared_beginning import Forced, ends
from analysis.errors import UserError
from analysis.experiments.crossed import EXPERIMENT
from analysis.experiments.crossed.compute import crossed, summary
from analysis.experiments.crossed.facts import facts
from analysis.experiments.crossed.figures import crossed as draw_crossed
from analysis.neuron import Neuron
from analysis.numbers.partial import within_rows
from analysis.numbers.separation import auc
from analysis.numbers.shares import SHARES, variance_shares
from analysis.numbers.two_way import area, middle, resampled, shuffled_area
from analysis.questions import Question
from analysis.questions.factors import Factors
from analysis.running import inputs
from tests.questions import FACTORS, PAIR, TREES
from tests.synthetic import Plan
from tests.synthetic.crossed import CALLS, EXAMPLE_HAS, FRAMES, LOOKS, made, planted

NEURON = Neuron(1, 7)
OWN = (("apple", "owl"), ("lemon", "bird"))


@pytest.fixture
def result(subject, pair):
    return crossed(subject, NEURON, pair.contrast, Factors(**FACTORS), OWN, value=0.5)


def test_every_cell_equals_the_hooks_and_the_models_own_logits(subject, pair, result):
    words = [word for kind in FACTORS["words"] for word in kind["words"]]
    assert result.words == tuple(words)
    assert result.values.shape == (3, 3, 2, 8)
    np.testing.assert_allclose(result.frame_area.mean(-1), result.area[0], atol=1e-6)
    for e, f, w in ((0, 0, 0), (1, 1, 7), (2, 0, 4)):
        frame = FACTORS["frames"][f]
        before = (
            "",
            f"{frame.format('pear')} a pear. ",
            f"{frame.format('owl')} an owl. ",
        )[e]
        tokens = subject.tokens(before + frame.format(words[w]))
        activation = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][NEURON.layer, -1, 7]
        last = subject.logits(tokens)[-1]
        assert result.values[0, e, f, w] == pytest.approx(float(activation), abs=1e-4)
        diff = float(last[pair.contrast.target_id] - last[pair.contrast.foil_id])
        assert result.values[1, e, f, w] == pytest.approx(diff, abs=1e-4)


def test_the_neuron_is_replaced_at_the_last_position_alone(subject, pair):
    """The obvious way: a hook that puts the value there, in a pass over the whole prompt."""
    prompts = [subject.tokens(text) for text in (PAIR.clean, PAIR.corrupted, "She saw the owl")]
    found = ends(subject, prompts, NEURON, 0.5, pair.contrast)

    def replace(value, hook):
        value[:, -1, NEURON.number] = 0.5
        return value

    for tokens, ablated in zip(prompts, found.ablated, strict=True):
        name = f"blocks.{NEURON.layer}.mlp.hook_post"
        with torch.no_grad():
            logits = subject.bridge.run_with_hooks(
                subject.batch(tokens), prepend_bos=False, fwd_hooks=[(name, replace)]
            )[0, -1]
        diff = float(logits[pair.contrast.target_id] - logits[pair.contrast.foil_id])
        assert ablated == pytest.approx(diff, abs=1e-4)


def test_prompts_of_one_token_and_prompts_that_are_alike_are_read_too(subject, pair):
    alone = subject.tokens("She")
    found = ends(subject, [alone, alone], NEURON, 0.0, pair.contrast)
    last = subject.logits(alone)[-1]
    diff = float(last[pair.contrast.target_id] - last[pair.contrast.foil_id])
    assert found.logit_diff == pytest.approx([diff, diff], abs=1e-4)


def test_what_a_prompt_is_made_to_go_on_with_changes_nothing_at_its_end(subject, pair):
    prompts = [subject.tokens(text) for text in (PAIR.clean, PAIR.corrupted, "She saw the owl")]
    alone = ends(subject, prompts, NEURON, 0.5, pair.contrast)
    assert alone.following.shape == (3, 0)
    groups = torch.zeros((2, subject.d_vocab), dtype=torch.bool)
    groups[0, pair.contrast.target_id] = groups[1, :] = True
    behind = tuple(subject.pieces(" the old"))
    found = ends(subject, prompts, NEURON, 0.5, pair.contrast, Forced(behind, groups))
    for name in ("activation", "logit_diff", "ablated"):
        np.testing.assert_allclose(getattr(found, name), getattr(alone, name), atol=1e-4)
    for tokens, (target, every) in zip(prompts, found.following, strict=True):
        expected = subject.logits([*tokens, *behind])[-1].log_softmax(-1)
        assert target == pytest.approx(float(expected[pair.contrast.target_id]), abs=1e-4)
        assert every == pytest.approx(0, abs=1e-4)


def test_a_prompt_too_long_for_what_it_is_made_to_go_on_with_is_refused(subject, pair):
    word = subject.pieces(" the")
    full = [*subject.tokens("She"), *word * subject.context][: subject.context]
    ends(subject, [full], NEURON, 0.5, pair.contrast)
    groups = torch.ones((1, subject.d_vocab), dtype=torch.bool)
    with pytest.raises(UserError, match="reads at most"):
        ends(subject, [full], NEURON, 0.5, pair.contrast, Forced(tuple(word), groups))


def test_an_example_is_read_as_the_frame_with_its_word_and_what_follows(result):
    assert result.example_has == ("", "foil", "target")
    assert result.beginnings[0] == ""
    assert result.beginnings[1] == "I climbed up the pear tree and picked a pear."


def test_the_area_compares_words_that_differ_in_one_factor_alone():
    """Both strata counted by hand, each frame by itself; the cue moves all and changes nothing."""
    values = np.random.default_rng(0).normal(size=(FRAMES, len(CALLS)))
    weights = resampled(FRAMES, 2 * CALLS + LOOKS, seed=0, draws=10)
    expected = np.mean(
        [auc(row[CALLS & side], row[~CALLS & side]) for row in values for side in (LOOKS, ~LOOKS)]
    )
    assert area(values, CALLS, LOOKS, weights)[0] == pytest.approx(expected, abs=1e-6)
    moved = values + 9 * LOOKS + 5 * np.arange(FRAMES)[:, None]
    np.testing.assert_allclose(
        area(moved, CALLS, LOOKS, weights), area(values, CALLS, LOOKS, weights)
    )


def test_a_resample_is_the_table_with_its_rows_and_columns_drawn():
    values = np.random.default_rng(0).normal(size=(FRAMES, len(CALLS)))
    weights = resampled(FRAMES, 2 * CALLS + LOOKS, seed=0, draws=5)
    for draw in range(1, 6):
        rows = np.repeat(np.arange(FRAMES), weights.rows[draw].astype(int))
        columns = np.repeat(np.arange(len(CALLS)), weights.columns[draw].astype(int))
        again = values[rows][:, columns]
        calls, looks = CALLS[columns], LOOKS[columns]
        expected = np.mean(
            [auc(r[calls & side], r[~calls & side]) for r in again for side in (looks, ~looks)]
        )
        found = area(values, CALLS, LOOKS, weights)[draw]
        assert found == pytest.approx(expected, abs=1e-6)


def test_shuffled_labels_lie_around_one_half_whatever_the_values_follow():
    values = planted("rule")[0]
    by_chance = shuffled_area(values, CALLS, LOOKS, seed=0)
    assert by_chance.shape == (2000, len(EXAMPLE_HAS))
    assert by_chance.mean() == pytest.approx(0.5, abs=0.02)
    ends = middle(by_chance)
    assert (ends[:, 0] < 0.5).all()
    assert (ends[:, 1] < 1).all()  # what the labels as they are reach


WAYS = {"rule": "sound", "cue": "letter", "example": "example"}


@pytest.mark.parametrize("follows", WAYS)
def test_what_a_neuron_follows_is_named_and_nothing_else(follows):
    seen = facts(made(Plan(), planted(follows)))
    assert seen.followed == (WAYS[follows],)
    found = max(seen.shares, key=lambda each: each[1].mean)
    assert found[0] == follows
    assert found[1].mean > 0.8


def test_a_neuron_that_follows_nothing_is_said_to():
    found = facts(made(Plan(), planted("nothing")))
    assert found.followed == ()


@pytest.mark.slow
@pytest.mark.parametrize("follows", WAYS)
def test_a_neuron_that_works_with_negative_activation_is_read_in_that_direction(follows):
    values = planted(follows) * np.array([-1, 1, 1], dtype="f")[:, None, None, None]
    assert facts(made(Plan(), values)).followed == (WAYS[follows],)
    assert facts(made(Plan(), values), sign=1).followed == ()


def test_the_parts_of_the_variance_are_those_that_were_put_in_and_sum_to_one():
    """Effects of plus and minus one have a variance of one each, and nothing else varies."""
    rule, cue = 2.0 * CALLS - 1, 2.0 * LOOKS - 1
    example = np.array([1.0, -1.0])[:, None, None]
    frame = np.array([1.0, 1.0, -1.0, -1.0])[:, None]
    weights = resampled(FRAMES, 2 * CALLS + LOOKS, seed=0, draws=2)
    values = 2 * rule + cue + example + 3 * frame + example * rule + np.zeros((2, FRAMES, 12))
    shares = dict(zip(SHARES, variance_shares(values, CALLS, LOOKS, weights)[0], strict=True))
    whole = 4 + 1 + 1 + 9 + 1
    expected = {"rule": 4, "cue": 1, "example": 1, "frame": 9, "rule x example": 1}
    for name, share in shares.items():
        assert share == pytest.approx(expected.get(name, 0) / whole, abs=1e-6)
    assert np.isnan(variance_shares(np.ones_like(values), CALLS, LOOKS, weights)).all()


def simulated(seed, effect=1.0, frames=12, words=12):
    """Crossed data with known dependence: frames differ in the effect, words in their level."""
    draw = np.random.default_rng(seed)
    calls = np.repeat([True, False], words)
    kind = calls - 0.5
    slope = draw.normal(effect, SLOPE, (frames, 1))
    level = draw.normal(0, LEVEL, 2 * words)
    noise = draw.normal(0, NOISE, (frames, 2 * words))
    return draw.normal(0, 2, (frames, 1)) + slope * kind + level + noise, calls


SLOPE, LEVEL, NOISE = 0.8, 0.7, 0.5
TRUTH = NormalDist().cdf(1.0 / np.sqrt(SLOPE**2 + 2 * LEVEL**2 + 2 * NOISE**2))
"""Of two words in a frame: the difference is normal with mean 1 and these variances."""


def coverage(simulations, draws, weigh):
    inside = 0
    for seed in range(simulations):
        values, calls = simulated(seed)
        weights = weigh(resampled(len(values), calls.astype(int), seed, draws))
        low, high = middle(area(values, calls, np.zeros_like(calls), weights)[1:])
        inside += low <= TRUTH <= high
    return inside / simulations


@pytest.mark.slow
def test_intervals_over_frames_and_words_cover_the_truth_as_often_as_they_say():
    assert 0.92 <= coverage(500, 400, lambda both: both) <= 0.98


@pytest.mark.slow
def test_intervals_that_resample_words_alone_or_frames_alone_are_too_narrow():
    def words_alone(both):
        return type(both)(np.ones_like(both.rows), both.columns)

    def frames_alone(both):
        return type(both)(both.rows, np.ones_like(both.columns))

    assert coverage(200, 200, words_alone) < 0.9
    assert coverage(200, 200, frames_alone) < 0.8


def said(values, plan=None):
    return sentences.alone(EXPERIMENT, made(plan or Plan(), values))


@pytest.mark.slow
def test_each_verdict_has_its_opposite():
    rule, cue, example = (said(planted(each)) for each in WAYS)
    nothing = said(planted("nothing"))
    assert rule.heading == "It follows the word’s sound, not its letter"
    assert cue.heading == "It follows the word’s letter, not its sound"
    assert example.heading == "It follows the example, not the word"
    assert nothing.heading == "It follows neither the word nor the example"
    assert "So it follows the sound." in rule.word
    assert "So it follows the letter." in cue.word
    assert "So it follows neither." in example.word
    assert "The neuron follows the example." in example.example
    assert "That the neuron copies the example is not shown" in rule.example
    assert "The model copies" in example.example
    assert "The model itself hardly copies" in rule.example
    assert "not with its letter" in rule.kinds_caption
    assert "not with its sound" in cue.kinds_caption
    assert "with neither" in nothing.kinds_caption


def test_a_neuron_that_follows_the_word_only_after_an_example_needs_it():
    values = planted("rule")
    without = values.copy()
    bare = EXAMPLE_HAS.index("")
    without[:, bare] = planted("nothing", seed=5)[:, bare]
    found = said(without)
    assert found.heading == "It follows the word’s sound, not its letter, and needs an example"
    assert "So the neuron needs an example" in found.without
    assert "So it does without one." in said(values).without
    turned = values.copy()
    turned[:, bare] = values[:, bare, :, ::-1]
    assert "the wrong way round" in said(turned).without


def retold(values, **fields):
    """What is said where some statistics are as given."""
    return sentences.alone(EXPERIMENT, replace(made(Plan(), values), **fields))


def test_a_neuron_that_does_better_after_an_example_is_told_from_one_that_needs_it():
    values = planted("rule")
    spans = np.full((3, len(EXAMPLE_HAS), 2), [0.1, 0.3], dtype="f")
    found = retold(values, drop_interval=spans)
    assert found.heading == "It follows the word’s sound, not its letter"
    assert "So an example helps: the difference is" in found.without
    assert "helps" not in retold(values, drop_interval=spans - 0.15).without


def test_a_neuron_that_follows_two_factors_is_said_to_and_which_more():
    values = planted("rule")
    values[0] += 5.0 * LOOKS
    spans = np.full((3, 2), [0.1, 0.3], dtype="f")
    found = retold(values, rule_lead_interval=spans)
    assert found.heading == "It follows the word’s sound, but also the word’s letter"
    assert "So it follows both, the sound more." in found.word
    assert "the letter more" in retold(values, rule_lead_interval=-spans).word
    neither = retold(values, rule_lead_interval=spans - 0.2).word
    assert "neither beyond doubt more than the other" in neither


def test_the_difference_of_rule_and_cue_sees_the_same_frames_and_words(result):
    lead = result.area[0, :, 0] - result.area[1, :, 0]
    np.testing.assert_allclose(result.rule_lead, lead, atol=1e-6)
    np.testing.assert_allclose(result.drop, result.area[0, :, :1] - result.area[0], atol=1e-6)
    assert (result.drop_interval[:, 0] == 0).all()  # an example is no better than itself


def test_the_questions_own_words_may_need_an_example_where_others_do_not():
    values = planted("rule")
    own = np.repeat(values[:, :, 0], 2, axis=-1)[:, :, [0, 2, 4, 6, 12, 14, 16, 18]]
    assert "all hangs on the example" not in sentences.alone(EXPERIMENT, _own(values, own)).own
    turned = own.copy()
    turned[:, EXAMPLE_HAS.index("")] = own[:, EXAMPLE_HAS.index(""), ::-1]
    assert "all hangs on the example" in sentences.alone(EXPERIMENT, _own(values, turned)).own


def _own(values, own):
    return made(Plan(), values, own)


def test_a_model_that_copies_by_the_neuron_is_told_from_one_that_copies_without_it():
    values = planted("example")
    assert "without this neuron, too" in said(values).example
    values[2] = -5.0
    assert "has a part in it: with the neuron ablated it does so after 0" in said(values).example


SMALL = {**FACTORS, "examples": {"a pear": "{pear} a pear.", "an owl": "{owl} an owl."}}


def plant_factor(subject, pair, wanted):
    """Rewrite one neuron so that it fires at the ends of the prompts that are wanted."""
    factors = Factors(**SMALL)
    cells = [
        (example, frame, kind, word)
        for example in factors.examples
        for frame in factors.frames
        for kind in factors.words
        for word in kind.words
    ]
    texts = [factors.text(example, frame, word) for example, frame, _, word in cells]
    reads = [
        subject.cache(subject.tokens(text), "mlp.hook_in")["mlp.hook_in"][NEURON.layer, -1]
        for text in texts
    ]
    inverse = torch.linalg.pinv(torch.stack(reads))
    fires = torch.tensor([float(wanted(example, kind)) for example, _, kind, _ in cells])
    mlp = subject.bridge.blocks[NEURON.layer].mlp
    with torch.no_grad():
        if hasattr(mlp, "gate"):
            mlp.W_gate[:, NEURON.number] = inverse @ (4 * fires)
            mlp.W_in[:, NEURON.number] = inverse @ fires
        else:
            mlp.W_in[:, NEURON.number] = inverse @ (4 * fires - mlp.b_in[NEURON.number])
    return crossed(subject, NEURON, pair.contrast, factors, OWN, value=0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (lambda _, kind: kind.calls_for == "target", "sound"),
        (lambda _, kind: kind.looks_like == "target", "letter"),
        (lambda example, _: example == "an owl", "example"),
    ],
)
def test_a_neuron_planted_in_a_model_to_follow_a_factor_is_said_to_follow_it(
    subject, pair, wanted, name
):
    found = facts(plant_factor(subject, pair, wanted), sign=1)
    assert found.followed == (name,)


def test_the_summary_tells_what_the_arrays_hold(result):
    document = summary(result)
    assert [row["example"] for row in document["examples"]] == list(FACTORS["examples"])
    assert document["examples"][1]["rule_auc_activation"] == result.area[0, 0, 1]
    assert document["variance"]["rule"]["share"] == result.share[0]
    own = document["examples"][2]["own_auc_logit_diff"]
    assert own == pytest.approx(
        float(auc(result.own_values[1, 2, :2], result.own_values[1, 2, 2:]))
    )


def written(**changes):
    """The tests' own question with factors, some of them changed."""
    parts = {name: getattr(TREES, name) for name in Question.model_fields}
    return Question(**{**parts, "crossed": {**FACTORS, **changes}})


def test_a_question_with_factors_suits_the_experiment_and_one_without_says_so(subject):
    asked = written()
    assert EXPERIMENT.suits(asked)
    assert asked == Question(**asked.model_dump(mode="json"))
    assert hash(asked) == hash(written())
    plain = TREES.model_copy(update={"crossed": None})
    assert not EXPERIMENT.suits(plain)
    with pytest.raises(UserError, match=r"No factors are named for ' an'.*under \[crossed\]"):
        inputs(EXPERIMENT, subject, plain, ["L1N7"])


KINDS = FACTORS["words"]
MISTAKES = [
    ({"cue": 3}, "crossed.cue: input should be a valid string"),
    (
        {"frame": []},
        "crossed.frame: no such key; the keys are rule, cue, examples, frames, words, plan",
    ),
    ({"frames": FACTORS["frames"][:1]}, "crossed: frames: give two or more"),
    ({"frames": [*FACTORS["frames"], "She saw"]}, "frames: 'She saw' needs {} once"),
    ({"frames": [*FACTORS["frames"], FACTORS["frames"][1]]}, "frames: one stands there twice"),
    ({"frames": FACTORS["frames"][::-1]}, "has to be the template"),
    ({"examples": {}}, "examples: give one or more"),
    ({"examples": {"none": "", "x": "{} a pear."}}, "examples.x: a brace needs a word in it"),
    ({"examples": {"none": "", "x": "An owl, an owl and a pear."}}, "crossed.examples.x has both"),
    ({"words": [*KINDS[:3], {**KINDS[3], "words": ["dog"]}]}, "as many words of all four kinds"),
    ({"words": [*KINDS[:3], {**KINDS[3], "words": ["dog", "egg"]}]}, "words: one stands there tw"),
    ({"words": [*KINDS[:3], {**KINDS[3], "words": ["dog", " "]}]}, "words: one is empty"),
    (
        {"words": [{**KINDS[0], "calls_for": "both"}, *KINDS[1:]]},
        "crossed.words.0.calls_for: input should be 'target' or 'foil'",
    ),
    (
        {"words": [{**KINDS[0], "sound": "x"}, *KINDS[1:]]},
        "crossed.words.0.sound: no such key; the keys are kind, calls_for, looks_like, words",
    ),
]


@pytest.mark.parametrize(("changes", "says"), MISTAKES)
def test_a_mistake_in_the_factors_is_named_by_key(changes, says):
    with pytest.raises(UserError) as caught:
        written(**changes)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", [n for n in questions.library() if questions.load(n).crossed])
def test_the_librarys_factors_are_as_many_as_a_reader_would_ask(name):
    factors = questions.load(name).crossed
    assert len(factors.frames) >= 12
    assert min(factors.sizes().values()) >= 10  # twenty and twenty by rule, and by cue
    said = [factors.says(each, " an", " a") for each in factors.examples] if name == "an" else []
    if name == "an":
        assert {"target", "foil", ""} == {*said}
        assert sum("tree" in frame for frame in factors.frames) * 2 == len(factors.frames)
        vowels = [kind.words for kind in factors.words if kind.looks_like == "target"]
        assert all(word[0].lower() in "aeiou" for words in vowels for word in words)


PLAN = {"instead": " the", "target": " (apple|owl|egg|onion)", "foil": " (pear|dog|cat|bird)"}


def with_plan():
    return Factors(**{**FACTORS, "plan": PLAN})


def test_what_comes_next_is_read_off_the_models_own_probabilities(subject, pair):
    """The obvious way: a pass over the whole prompt with the plan's text behind it."""
    factors = with_plan()
    result = crossed(subject, NEURON, pair.contrast, factors, OWN, value=0.5)
    assert [says_at(factors, place) for place in result.planned[1:]] == [""] * (
        len(result.planned) - 1
    )
    for p, f, w in ((0, 0, 0), (0, 1, 5), (len(result.planned) - 1, 1, 7)):
        example = result.examples[result.planned[p]]
        text = factors.text(example, result.frames[f], result.words[w]) + " the"
        shares = subject.logits(subject.tokens(text))[-1].softmax(-1)
        target, foil = (
            sum(float(shares[subject.tokens(f" {word}")[-1]]) for word in words)
            for words in (("apple", "owl", "egg", "onion"), ("pear", "dog", "cat", "bird"))
        )
        assert result.expected[p, f, w] == pytest.approx(np.log(target / foil), abs=1e-4)
    assert (result.expected_mass > 0).all()
    assert (result.expected_mass <= 1).all()


def says_at(factors, place):
    return factors.says(list(factors.examples)[place], " an", " a")


def test_a_question_without_a_plan_is_asked_all_the_same(result):
    assert result.expected.shape[0] == 0
    assert facts(result).plan is None
    claims = sentences.alone(EXPERIMENT, result)
    assert "nothing is known of plans" in claims.plan
    assert "Nothing to draw" in result.figure("crossed_plan").layout.annotations[0].text
    plain = written()
    assert "crossed_plan" not in [each.name for each in EXPERIMENT.shows(plain)]
    asked = written(plan=PLAN)
    assert "crossed_plan" in [each.name for each in EXPERIMENT.shows(asked)]


def planning(values, expected):
    return facts(made(Plan(), values, expected=expected.astype("f")), sign=1).plan


def test_a_plan_is_told_from_a_word_that_was_read():
    """Activation = what comes next, or = the rule; what comes next goes with the rule loosely."""
    draw = np.random.default_rng(2)
    shape = (3, len(EXAMPLE_HAS), FRAMES, len(CALLS))
    noise = draw.normal(0, 1, shape)
    expected = CALLS + draw.normal(0, 2, shape[1:])[:2]
    plans, reads, both, neither = (noise.copy() for _ in range(4))
    plans[0, :2] += 3 * expected
    reads[0, :2] += 6 * CALLS
    both[0, :2] += 3 * expected + 6 * CALLS
    found = [planning(each.astype("f"), expected) for each in (plans, reads, both, neither)]
    assert [(each.beyond.positive, each.word.positive) for each in found] == [
        (True, False),
        (False, True),
        (True, True),
        (False, False),
    ]


def test_partial_correlations_are_those_of_what_two_regressions_leave():
    draw = np.random.default_rng(0)
    values = draw.normal(0, 1, (3, 1, 4, 12))
    values[0] += values[1] + values[2]
    (found, *_) = within_rows(values, resampled(4, np.zeros(12, int), 0, draws=2))
    x, y, z = (each - each.mean(-1, keepdims=True) for each in values)
    x, y, z = x.ravel(), y.ravel(), z.ravel()

    def left(of, by):
        return of - by * (of @ by) / (by @ by)

    def correlation(a, b):
        return (a @ b) / np.sqrt((a @ a) * (b @ b))

    expected = correlation(x, y), correlation(left(x, z), left(y, z))
    assert found[:2] == pytest.approx(expected, abs=1e-9)
    assert found[2] == pytest.approx(correlation(left(x, y), left(z, y)), abs=1e-9)


@pytest.mark.parametrize(
    ("said", "opposite"), [("So it goes with what the model is", "that is no plan")]
)
def test_what_is_said_of_plans_can_be_refuted(said, opposite):
    expected = np.random.default_rng(4).normal(0, 1, (2, FRAMES, len(CALLS))).astype("f")
    values = planted("nothing")
    values[0, :2] = 3 * expected
    claims = sentences.alone(EXPERIMENT, made(Plan(), values, expected=expected))
    assert said in claims.plan
    read = sentences.alone(EXPERIMENT, made(Plan(), planted("rule"), expected=expected))
    assert opposite in read.plan
    assert said not in read.plan


def test_a_pattern_that_is_none_is_named():
    with pytest.raises(UserError, match=r"plan.target: '\(' is no regular expression"):
        written(plan={**PLAN, "target": "("})


def test_the_librarys_plan_tells_sounds_apart():
    plan = questions.default().crossed.plan
    sounds = {
        "target": ("apple", "hour", "umbrella", "uncle", "usher", "honest"),
        "foil": ("unicorn", "house", "pear", "university", "one", "euro"),
    }
    for word, side in ((word, side) for side, words in sounds.items() for word in words):
        sides = [s for s in ("target", "foil") if re.fullmatch(getattr(plan, s), f" {word}")]
        assert sides == [side], word


def test_a_neuron_that_works_with_negative_activation_is_drawn_in_the_right_order_too():
    values = planted("rule")
    turned = np.array([-1, 1, 1])[:, None, None, None] * values
    drawn = [[trace.x for trace in draw_crossed(made(Plan(), v)).data] for v in (values, turned)]
    for mine, theirs in zip(*drawn, strict=True):
        np.testing.assert_allclose(theirs, mine, atol=0.1)  # intervals are of other draws
