"""Which words have a neuron? A planted one, the slow way with hooks, and what is said of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis import corpus, questions, running, sentences
from analysis.errors import UserError
from analysis.experiments import named
from analysis.experiments.library import compute
from analysis.experiments.library.chance import _half_exchanged
from analysis.experiments.library.compute import library_row, summary, together
from analysis.experiments.library.facts import facts
from analysis.experiments.library.figures import library as draw
from analysis.experiments.library.tables import LISTING
from analysis.inputs import Inputs
from analysis.neuron import Neuron, parse_neuron
from analysis.over_questions import kept as kept_table
from analysis.prompts import PromptPair
from tests.plant import LOUD, ON
from tests.questions import CLEAN, CORRUPTED, TREES, TREES_FILE
from tests.reference import diff_with_held, diff_with_hooks, patched_recoveries
from tests.subjects import kept, make_subject
from tests.synthetic import Plan
from tests.synthetic.over_questions import SIZES, over_questions, row, save_rows, untold

EXPERIMENT = named("library")
WORDS = (" are", " is")


def pairs_of(subject) -> list[PromptPair]:
    return [TREES.pair(subject), *TREES.other_pairs(subject)]


def sentences_of(result):
    return sentences.alone(EXPERIMENT, result)


def gap_of(subject, pair: PromptPair) -> float:
    """Clean minus corrupted logit difference."""
    clean = diff_with_hooks(subject, pair, pair.clean.tokens, [])
    return clean - diff_with_hooks(subject, pair, pair.corrupted.tokens, [])


def turned(subject, pairs: list[PromptPair]) -> list[PromptPair]:
    """The pairs, each the way round in which the model tells it apart."""
    return [pair if gap_of(subject, pair) > 0 else pair.swapped for pair in pairs]


@pytest.fixture(scope="module")
def random_row():
    """A tiny random model, the pairs of which it tells all but one apart by enough, their row."""
    subject = kept("llama").subject()
    pairs = turned(subject, pairs_of(subject))
    with pytest.MonkeyPatch.context() as patch:
        enough = sorted(gap_of(subject, pair) for pair in pairs)[1] - 1e-3
        patch.setattr(compute, "GAP", enough)
        found = library_row(subject, pairs, screen=1000)
    return subject, [pair for pair in pairs if gap_of(subject, pair) >= enough], found


def plant(subject, neuron: Neuron, pairs: list[PromptPair]) -> None:
    """A neuron that fires at the end of every clean prompt alone, and writes the answer."""
    prompts = [prompt for pair in pairs for prompt in (pair.clean, pair.corrupted)]
    read = torch.stack(
        [subject.cache(p.tokens, "mlp.hook_in")["mlp.hook_in"][neuron.layer, -1] for p in prompts]
    )
    wanted = torch.tensor([ON, 0.0]).repeat(len(pairs))
    mlp = subject.bridge.blocks[neuron.layer].mlp
    direction = subject.direction(pairs[0].contrast.target_id, pairs[0].contrast.foil_id)
    with torch.no_grad():
        mlp.W_in[:, neuron.number] = torch.linalg.pinv(read) @ (wanted - mlp.b_in[neuron.number])
        mlp.W_out[neuron.number] = LOUD * direction / direction.norm()


@pytest.mark.slow
def test_a_planted_neuron_is_found_and_confirmed_and_is_one_neuron_that_says_the_word():
    subject, neuron = make_subject("gpt2"), Neuron(1, 17)
    pairs = pairs_of(subject)
    plant(subject, neuron, pairs)
    found = library_row(subject, pairs, screen=8)
    assert found.told_apart == len(pairs)
    assert (found.chosen_on[0], found.confirmed_on[0]) == (4, 3), "half of seven, and the others"
    assert found.best == (str(neuron),)
    assert found.target_rank == 1
    assert found.sign == 1
    assert found.needed(0).size == 1
    assert found.recovery(0).low > found.shuffled.max()
    (one,) = facts(replace(found, questions=("planted",))).ones
    assert one.neuron == str(neuron)


def test_what_is_confirmed_is_what_hooks_measure_on_the_pairs_that_did_not_choose(random_row):
    subject, used, found = random_row
    assert found.told_apart == len(used) == found.pairs - 1
    confirming = used[int(found.chosen_on[0]) :]
    gaps = np.array([gap_of(subject, pair) for pair in confirming])
    for which, name in enumerate((found.best[0], found.second[0])):
        neuron = parse_neuron(name, subject.n_layers, subject.d_mlp)
        slow = [patched_recoveries(subject, pair, [neuron], "last")[0] for pair in confirming]
        assert found.effects[0, which] == pytest.approx(slow * gaps, abs=1e-4)
        mean = (slow * gaps).sum() / gaps.sum()
        assert found.recovery(0, which).mean == pytest.approx(mean, abs=1e-4)


@pytest.mark.slow
def test_the_best_recovers_most_of_all_neurons_on_the_pairs_that_choose(random_row):
    subject, pairs, found = random_row
    used = pairs[: int(found.chosen_on[0])]
    everyone = [Neuron(i, n) for i in range(subject.n_layers) for n in range(subject.d_mlp)]
    gaps = np.array([gap_of(subject, pair) for pair in used])
    slow = [patched_recoveries(subject, pair, everyone, "last") for pair in used]
    total = gaps @ np.array(slow)
    order = np.argsort(-total)
    assert found.best == (str(everyone[order[0]]),)
    assert found.second == (str(everyone[order[1]]),)
    assert found.chosen[0] == pytest.approx(total[order[:2]] / gaps.sum(), abs=1e-4)


def test_the_first_two_together_add_what_hooks_add_that_put_both_in(random_row):
    subject, (*_, last), found = random_row
    posts = subject.cache(last.clean.tokens, "mlp.hook_post")["mlp.hook_post"]
    held = torch.zeros(subject.n_layers, len(last.clean.tokens), subject.d_mlp, dtype=torch.bool)
    for name in (found.best[0], found.second[0]):
        layer, number = parse_neuron(name, subject.n_layers, subject.d_mlp)
        held[layer, -1, number] = True
    both = diff_with_held(subject, last, last.corrupted.tokens, held, posts)
    both -= diff_with_hooks(subject, last, last.corrupted.tokens, [])
    assert found.sizes[1] == 2
    assert found.sets[0, 1, -1] == pytest.approx(both, abs=1e-4)


@pytest.mark.parametrize("pairs", [2, 7, 12])
def test_shuffled_labels_give_nothing_to_a_neuron_that_does_the_same_on_every_pair(pairs):
    signs = _half_exchanged(pairs, torch.Generator().manual_seed(3))
    assert signs.sum() == 0
    assert (signs != 0).sum() == pairs - pairs % 2


def test_a_question_that_the_model_does_not_tell_apart_has_no_number_and_says_so():
    subject = kept("llama").subject()
    pairs = [pair.swapped for pair in turned(subject, pairs_of(subject))]
    found = library_row(subject, pairs)
    assert found.told_apart == 0
    assert found.best == ("",)
    (alone,) = summary(found)["questions"]
    assert "recovery" not in alone
    assert facts(found).verdict == "untold"
    assert "does not tell" in sentences_of(found).untold
    (listed,) = LISTING.rows(found)
    assert listed["verdict"] == "the model does not tell these apart"
    assert listed["recovery"] is None
    assert listed["neurons_for_half"] is None


def test_the_verdict_follows_the_rows():
    cases = {
        "exception": (0.7, 0.1, 0.1),
        "some": (0.7, 0.1),
        "among": (0.7, 0.6),
        "others": (0.1, 0.6),
        "nobody": (0.1, 0.1),
    }
    for verdict, (own, *others) in cases.items():
        rows = [row("an", (" an", " a"), own), *(row("are", WORDS, each) for each in others)]
        assert facts(together(rows, {})).verdict == verdict
    assert facts(row("are", WORDS, 0.6)).verdict == "some"
    assert facts(untold("yes", (" Yes", " No"), Plan())).verdict == "untold"


def test_of_a_question_that_is_not_told_apart_it_is_not_said_that_it_has_no_neuron():
    an = untold("an", (" an", " a"), Plan())
    said = sentences_of(together([an, row("are", WORDS, 0.6), row("she", WORDS, 0.1)], {}))
    assert said.heading.strip() == "1 of 2 questions has a neuron"
    assert "one neuron says the word in 1 of 2 questions." in said.caption
    assert "has no neuron" not in said.finding


def test_one_of_two_questions_is_no_exception():
    said = sentences_of(together([row("an", (" an", " a"), 0.7), row("are", WORDS, 0.1)], {}))
    assert said.heading.strip() == "1 of 2 questions has a neuron"
    assert "Of all others the most is recovered for" in said.answer


def test_what_a_neuron_writes_is_counted_where_it_is_known():
    known, unknown = row("an", (" an", " a"), 0.7), row("are", WORDS, 0.6)
    unknown = replace(unknown, target_rank=np.array([0]))
    assert not sentences_of(unknown).writes
    assert "In 1 of 1 question" in sentences_of(together([known, unknown], {})).writes
    assert "put other tokens first" not in sentences_of(together([known, unknown], {})).writes


def test_a_word_is_not_alone_where_another_has_a_neuron_too():
    other = row("are", WORDS, 0.6)
    alone, near, far = (
        sentences_of(together([row("an", (" an", " a"), 0.7), each], {}))
        for each in (row("are", WORDS, 0.1), row("are", WORDS, 0.7), other)
    )
    assert "is not alone" not in alone.heading
    assert "is not alone: two of" in near.heading or "is not alone: 2 of" in near.heading
    assert "stays open" in near.answer
    assert "clearly more than for" in far.answer


def test_a_neuron_that_is_best_for_two_questions_is_no_word_s_own():
    both = together([row("have", (" have", " has"), 0.3), row("are", WORDS, 0.1)], {})
    assert "it is not one word" in sentences_of(both).answer


def test_opposite_tables_are_told_in_opposite_sentences():
    holds, fails = (sentences_of(over_questions(Plan(holds=holds))) for holds in (True, False))
    assert "is the exception" in holds.heading
    assert "Only one has a neuron" in holds.answer
    assert "clearly less than for" in holds.answer
    assert "has no neuron" in fails.heading
    assert "exception" not in fails.heading
    assert "clearly more than for" in fails.answer


@pytest.mark.parametrize("change", [{"second": 0.65}, {"chance": 0.9}])
def test_no_word_has_a_neuron_that_another_equals_or_that_chance_gives(change):
    found = facts(row("an", (" an", " a"), 0.7, **change))
    assert not found.ones
    assert len(found.crowds) == 1
    assert "does not stand alone" in sentences_of(row("an", (" an", " a"), 0.7, second=0.65)).crowds
    by_chance = row("an", (" an", " a"), 0.7, chance=0.9)
    assert "shuffled labels" in sentences_of(by_chance).crowds
    swapped = replace(by_chance, shuffled=by_chance.random, random=by_chance.shuffled)
    assert "so did the best of random ones" in sentences_of(swapped).crowds
    assert "shuffled labels" not in sentences_of(swapped).crowds


def test_intervals_of_several_questions_hold_at_once():
    one = row("an", (" an", " a"), 0.7)
    both = together([one, row("are", WORDS, 0.1)], {})
    assert both.recovery(0).mean == one.recovery(0).mean
    assert both.recovery(0).low < one.recovery(0).low
    assert both.recovery(0).high > one.recovery(0).high


def test_half_is_reached_at_the_smallest_set_that_has_it_and_nowhere_where_none_has():
    one = row("are", WORDS, 0.1)
    first = int(SIZES[np.argmax(one.curve(0) >= 0.5)])
    assert one.needed(0).size == first > 1
    assert one.needed(0).low <= first <= one.needed(0).high
    assert one.needed(0, share=2.0).size == 0


@pytest.mark.slow
def test_the_verb_puts_questions_to_a_model_and_makes_no_kept_row_again(
    analysis, llama_folder, tmp_path, monkeypatch
):
    texts = tuple((number, f"{CLEAN} an egg. {CORRUPTED} a pear.") for number in range(8))
    monkeypatch.setattr(corpus, "articles", lambda: texts)
    asked = ["library", TREES_FILE, "--model", llama_folder, "--keep", tmp_path, "--json"]
    asked += ["--documents", "8"]
    code, out, _ = analysis(*asked[:-1], "0")
    assert code == 0
    (question,) = json.loads(out)["questions"]
    assert question["name"] == "trees"
    code, out, _ = analysis(*asked)
    assert code == 0
    (path,) = tmp_path.rglob("library.json")
    before, made = path.read_bytes(), path.stat().st_mtime_ns
    assert analysis(*asked)[1] == out
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, made)
    assert analysis(*asked, "--again")[0] == 0
    assert path.stat().st_mtime_ns != made, "written anew"


def test_kept_rows_are_joined_in_the_order_of_the_library_and_stale_ones_refused(tmp_path):
    result, root = over_questions(Plan()), tmp_path / Plan().model
    save_rows(tmp_path, result)
    table = kept_table(root)
    assert table.result.questions == result.questions
    assert summary(table.result) == summary(result)
    assert kept_table(tmp_path / "nobody") is None
    save_rows(tmp_path, row("trees-1a2b3c", WORDS, 0.1))
    assert kept_table(root).result.questions == result.questions, "a typed one is none of these"
    save_rows(tmp_path, row("were", WORDS, 0.1), code="0" * 64)
    with pytest.raises(UserError, match="other code"):
        kept_table(root)
    assert kept_table(root, stale=True).result.questions[-2:] == ("were", "yes")
    save_rows(tmp_path, row("were", WORDS, 0.1), revision="1" * 64)
    with pytest.raises(UserError, match="differ in their options"):
        kept_table(root)


def test_the_figure_has_a_row_for_every_question_and_no_mark_of_one_that_is_not_told_apart():
    result = over_questions(Plan())
    figure = draw(result)
    assert len(figure.layout.yaxis.ticktext) == len(result.questions)
    best = figure.data[-1]
    assert len(best.x) == facts(result).told_apart == len(result.questions) - 1
    assert max(best.x) == pytest.approx(0.7, abs=0.01)
    assert any("not told apart" in each.text for each in figure.layout.annotations)


def test_pairs_that_are_written_out_are_recorded_beside_the_option_of_that_name():
    bracket = questions.load("bracket")
    sweep, own = named("neuron_sweep"), bracket.pairs
    recorded = running.record(sweep, Inputs(bracket, (), sweep.check({})))
    assert recorded["pairs"] == 1
    assert len(recorded["written_pairs"]) == len(own)
    plain = Inputs(questions.default(), (), EXPERIMENT.check({}))
    assert "written_pairs" not in running.record(EXPERIMENT, plain)
