"""A study: what it asks of whom, what it keeps, and what it leaves out."""

import shlex
import shutil
import sys
from dataclasses import replace
from functools import partial
from itertools import repeat

import numpy as np
import pytest

from analysis import __main__ as cli
from analysis import corpus, questions, results, study
from analysis.calls import Call
from analysis.claims.making import command, study_command
from analysis.errors import UserError
from analysis.evidence import REFUSED, load_evidence
from analysis.experiments import named, steps
from analysis.inputs import Inputs
from analysis.loading import models
from analysis.questions import Question
from report.page import pages
from report.place import Place
from tests import families
from tests.prose import Prose, undrawn
from tests.questions import CLEAN, CORRUPTED, TREES
from tests.subjects import make_subject

TEXT = "The cat ate an apple and the owl saw it. " * 6
BARE = Question(clean=CLEAN, corrupted=CORRUPTED, target=" an", foil=" the")
WORDS = {"words", "held_out", "crossed"}

pytestmark = pytest.mark.slow


def steps_of(subject, question, folder, seed=0):
    """What happened to each step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "sample", lambda n, _seed: list(zip(range(n), repeat(TEXT))))
        return list(study.run_study(subject, question, folder, seed))


def run(subject, question, folder, seed=0):
    """Whether each step was kept."""
    return {done.name: done.kept for done in steps_of(subject, question, folder, seed)}


class Made:
    """A study made once, with all that it asked of its experiments."""

    def __init__(self, question, root):
        self.subject = make_subject("llama")
        self.folder = study.folder_of(root, self.subject, question)
        self.asked = {}

        def compute(experiment, subject, asked, progress):
            self.asked[experiment.name] = asked
            return computed(experiment, subject, asked, progress)

        computed = study.compute
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(study, "compute", compute)
            self.kept = run(self.subject, question, self.folder)
        self.evidence = load_evidence(self.folder)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def trees(root):
    return Made(TREES, root)


@pytest.fixture(scope="module")
def bare(root):
    return Made(BARE, root)


@pytest.fixture
def copied(trees, tmp_path):
    """A study that a test may change."""
    return shutil.copytree(trees.folder, tmp_path / "study")


def names(experiments):
    return [each.name for each in experiments]


def test_a_question_with_words_has_every_step_and_every_figure(trees):
    everything = [each for each in steps() if each.name != "verification"]
    assert names(trees.evidence.experiments) == names(everything) == list(trees.kept)
    assert not any(trees.kept.values())
    assert trees.evidence.has("generality", "neuron_sweep")
    figures = [figure for each in everything for figure in each.figures]
    assert len(trees.evidence.figures) == len([f for f in figures if f.needs != ("plan",)])
    assert len(trees.evidence.neuron_sweep.held_out) == 6  # of 8, two share a prompt with the pair


def test_a_bare_pair_leaves_out_what_needs_words_and_says_so(bare):
    needing = [each.name for each in steps() if {"words", "crossed"} & {*each.needs}]
    assert needing
    assert not bare.evidence.has(*needing)
    missing = {*names(steps())} - {*names(bare.evidence.experiments)}
    assert missing == {*needing, "verification"}
    with pytest.raises(AttributeError, match=f"this study has no {needing[0]}"):
        getattr(bare.evidence, needing[0])
    drawn = {figure.name for _, figure in bare.evidence.figures}
    left_out = {f.name for e in steps() for f in e.figures if {"held_out", "natural"} & {*f.needs}}
    assert left_out
    assert not drawn & left_out
    assert bare.evidence.neuron_sweep.held_out == ()


@pytest.mark.parametrize("which", ["trees", "bare"])
def test_the_command_beside_every_number_asks_what_the_study_asked(which, request, monkeypatch):
    made = request.getfixturevalue(which)
    monkeypatch.setattr(models, "load", lambda *_: made.subject)
    inputs = Call.inputs

    class Asked(Exception):  # noqa: N818  (it carries the answer out)
        pass

    def caught(call, subject):
        raise Asked(inputs(call, subject))

    monkeypatch.setattr(Call, "inputs", caught)
    for experiment in made.evidence.experiments:
        words = shlex.split(command(made.evidence, experiment))
        assert words[:2] == ["an-neuron", experiment.verb]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(Asked) as found:
            cli.main()
        (asked,) = found.value.args
        assert asked.options == made.asked[experiment.name].options, experiment.name
        assert asked.neurons == made.asked[experiment.name].neurons, experiment.name
        record = experiment_record(experiment, asked)
        assert record == experiment_record(experiment, made.asked[experiment.name])


def experiment_record(experiment, asked):
    """All that its Result depends on: the prompts of a question matter to some only."""
    from analysis.running import record

    found = record(experiment, asked)
    if not {"prompts", "pair"} & {*experiment.needs}:
        found.pop("clean")
        found.pop("corrupted")
    return found


@pytest.mark.parametrize("which", ["trees", "bare"])
def test_the_command_of_the_study_makes_the_study(which, request, answer, monkeypatch, tmp_path):
    made = request.getfixturevalue(which)
    monkeypatch.setattr(models, "load", lambda *_: made.subject)
    monkeypatch.setattr(study, "run_study", lambda *asked: iter([*map(seen.append, asked)][:0]))
    seen = []
    _, *words = shlex.split(study_command(made.evidence))
    found = answer(*words, "--out", tmp_path)
    assert found["folder"] == str(tmp_path / made.folder.parent.name / made.folder.name)
    assert seen[:2] == [made.subject, made.evidence.question]


def test_a_second_study_keeps_everything_and_a_lost_result_is_made_again(trees, copied):
    assert all(run(trees.subject, TREES, copied).values())
    (copied / "patching.npz").unlink()
    assert [k for k, kept in run(trees.subject, TREES, copied).items() if not kept] == ["patching"]


def test_a_larger_scan_takes_the_place_of_a_studys_own_and_no_later_study_makes_it_smaller(
    trees, tmp_path, monkeypatch
):
    scan = named("corpus_scan")
    folder = study.folder_of(tmp_path, trees.subject, TREES)
    shutil.copytree(trees.folder, folder)
    monkeypatch.setattr(corpus, "sample", lambda n, _seed: list(zip(range(n), repeat(TEXT))))
    monkeypatch.setattr(Call, "load", lambda _: trees.subject)
    monkeypatch.setattr(Call, "put", lambda *_: TREES)
    monkeypatch.setattr(study, "steps", lambda: (named("neuron_sweep"), scan))
    call = Call(experiment=scan, options={"documents": 40, "seed": 0})
    keep = {"keep": tmp_path / "kept", "results": tmp_path}
    scan.module("command").answer(call, **keep)
    larger = results.load(folder, scan.name, scan.kind)
    asked = trees.asked[scan.name]
    plain = scan.run(trees.subject, Inputs(TREES, asked.neurons, {"documents": 40, "seed": 0}))
    assert larger.documents == 40
    for name, values in vars(plain).items():
        np.testing.assert_array_equal(getattr(larger, name), values, name)
    assert all(run(trees.subject, TREES, folder).values())
    results.save(folder, scan.name, larger, replace(results.provenance(folder, scan.name), code=""))
    assert not run(trees.subject, TREES, folder)[scan.name]
    assert results.load(folder, scan.name, scan.kind).documents == 40
    for wrong in ({"files": ["*.txt"]}, {"curve": False}):
        with pytest.raises(UserError, match="no other texts, no --no-curve"):
            scan.module("command").answer(call, **keep, **wrong)
    with pytest.raises(UserError, match="takes the neuron and its rivals from the study"):
        scan.module("command").answer(replace(call, named=("L0N1",)), **keep)


def test_another_seed_makes_anew_what_draws_and_nothing_else(trees, copied):
    drawing = [e.name for e in steps() if any(option.name == "seed" for option in e.options)]
    kept = run(trees.subject, TREES, copied, seed=1)
    assert [name for name, same in kept.items() if not same] == drawing


def test_other_words_make_anew_what_reads_them_and_nothing_else(trees, copied):
    fewer = TREES.model_copy(update={"target_words": TREES.target_words[:-1]})
    kept = run(trees.subject, fewer, copied)
    reading = [each.name for each in steps() if WORDS & {*each.needs} and each.name in kept]
    assert reading
    assert [name for name, same in kept.items() if not same] == reading


def test_a_question_that_lost_its_words_takes_away_what_needs_them(trees, copied):
    bare = Question(clean=CLEAN, corrupted=CORRUPTED, target=" an", foil=" a")
    assert "generality" not in run(trees.subject, bare, copied)
    assert not load_evidence(copied).has("generality")
    assert not list(copied.glob("generality.*"))


@pytest.fixture
def beside_the_usual(trees, tmp_path):
    """A study without a census, beside that of the usual question, which has one."""
    home = tmp_path / "results" / "tiny"
    shutil.copytree(trees.folder, home / questions.DEFAULT)
    shutil.copytree(trees.folder, home / "trees")
    results.discard(home / "trees", "census")
    return home / "trees"


def test_what_the_usual_question_answered_of_the_model_is_not_computed_again(
    trees, beside_the_usual
):
    assert set(run(trees.subject, TREES, beside_the_usual)) == {*trees.kept} - {"census"}
    study = load_evidence(beside_the_usual)
    assert study.in_other_study == ("census",)
    assert names(study.wanted) == names(trees.evidence.experiments)


def test_the_chapter_of_what_was_answered_elsewhere_leads_there_if_it_is_shown(beside_the_usual):
    study = load_evidence(beside_the_usual)
    with undrawn():
        alone, beside = (
            pages(study, Place(root="../../", beside=frozenset(names)))["census.html"]
            for names in ((), (questions.DEFAULT,))
        )
    for page in (alone, beside):
        assert "This was asked of" in page
        assert "an-neuron census --question" in Prose(page).text
    assert 'href="../an/census.html"' in beside
    assert "../an/" not in alone


def test_two_questions_of_one_model_stand_side_by_side(trees, bare):
    assert trees.folder.parent == bare.folder.parent
    assert trees.folder.name == "trees"
    assert load_evidence(trees.folder).question == TREES
    assert load_evidence(bare.folder).question == BARE
    assert trees.evidence.next_token.foil != bare.evidence.next_token.foil


def test_results_of_two_questions_are_no_study(trees, bare, copied):
    for ending in ("json", "npz"):
        shutil.copy(bare.folder / f"logit_lens.{ending}", copied)
    with pytest.raises(UserError, match=r"not of one study .*logit_lens and the others differ"):
        load_evidence(copied)


def test_a_question_without_a_pair_makes_no_study(trees, tmp_path):
    alone = Question(clean=CLEAN, target=" an", foil=" a")
    with pytest.raises(UserError, match="Only the clean prompt is given"):
        run(trees.subject, alone, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", questions.library())
def test_every_question_of_the_library_can_be_put_to_the_embedded_model(embedded, name):
    question = questions.load(name)
    pair = question.pair(embedded)
    assert len(question.held_out_pairs(embedded)) >= 10
    texts = {prompt.text for prompt in (pair.clean, pair.corrupted)}
    for other in question.held_out_pairs(embedded):
        assert not texts & {other.clean.text, other.corrupted.text}


def test_a_study_keeps_the_sentence_of_what_cannot_be_asked_and_asks_again(tmp_path, monkeypatch):
    """Norms behind the MLPs of an OLMo 2 and none before them: readings are not split."""
    asked = [named(name) for name in ("neuron_sweep", "upstream", "census")]
    monkeypatch.setattr(study, "steps", lambda: tuple(asked))
    subject, (sweep, refused, census) = families.shared_subject("olmo2"), asked
    done = {each.name: each for each in steps_of(subject, BARE, tmp_path)}
    assert "norms behind its attention and MLPs" in done[refused.name].refused
    assert not done[sweep.name].refused
    assert results.exists(tmp_path, census.name)
    assert not results.exists(tmp_path, refused.name)
    assert results.load_plain(tmp_path, REFUSED) == {refused.name: done[refused.name].refused}
    again = {each.name: each for each in steps_of(subject, BARE, tmp_path)}
    assert again[sweep.name].kept
    assert again[refused.name].refused == done[refused.name].refused


def test_an_error_that_is_not_the_models_ends_a_study(tmp_path, monkeypatch):
    def full(*_):
        raise UserError("The cache folder cannot be written.")

    monkeypatch.setattr(study, "compute", full)
    with pytest.raises(UserError, match="cannot be written"):
        steps_of(make_subject("llama"), BARE, tmp_path)


def test_a_study_sends_away_what_rests_on_its_sweep_and_nothing_before(tmp_path, monkeypatch):
    subject, sent = make_subject("llama"), []
    done = partial(study.Done, seconds=0.0, kept=False)

    def others(work, tasks):
        sent.extend(tasks)
        return (done(name) for name in tasks)

    monkeypatch.setattr(study, "bring_up_to_date", lambda _, each, *rest: done(each.name))
    found = [each.name for each in study.run_study(subject, TREES, tmp_path, others=others)]
    assert found == [each.name for each in steps()]
    assert found.index("neuron_sweep") == len(found) - len(sent) - 1


def test_no_study_writes_over_that_of_another_model_of_the_same_name(tmp_path):
    """Two checkpoints of a run lie in folders of one name."""
    first = make_subject("llama")
    other = replace(first, origin=replace(first.origin, revision="another"))
    folder = study.folder_of(tmp_path, first, BARE)
    begun = study.run_study(first, BARE, folder)
    next(begun)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(UserError, match="what another model of the name"):
        next(study.run_study(other, BARE, folder))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
