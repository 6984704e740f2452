"""The section that lays a study beside the original: published numbers are never ours."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import EMBEDDED, questions, results
from analysis.claims import BESIDE_ORIGINAL, Claims, figures
from analysis.evidence import load_evidence
from analysis.experiments import named
from analysis.experiments.verification.compute import Verification, applies, verification
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.original import published
from analysis.original.facts import SHORT
from tests.processed import published_of
from tests.prose import prose, render, undrawn
from tests.questions import PAIR, make_tiny_pair
from tests.subjects import make_subject
from tests.synthetic import Plan, changed, evidence, save_study, with_result

COMMITTED = results.COMMITTED / EMBEDDED / questions.DEFAULT
ORIGINAL = questions.default()
NAMES = ("clean_p_an", "lens 3", *(f"neuron {i}" for i in range(SHORT + 1)))


def asks_as_the_original(plan):
    """A synthetic study of the original's two prompts."""
    asked = {"clean": ORIGINAL.clean, "corrupted": ORIGINAL.corrupted}
    study = changed(evidence(plan), "patching", target=" an", foil=" a", **asked)
    return replace(study, question=ORIGINAL)


def checked(off=0.0):
    """Numbers of two short groups and a long one; the last one of all deviates by ``off``."""
    here = np.full(len(NAMES), 0.5)
    here[-1] += off
    return Verification(
        "gpt2-large",
        ("single numbers", "logit lens", *["neurons"] * (SHORT + 1)),
        NAMES,
        ("recovery",) * len(NAMES),
        np.full(len(NAMES), 0.5),
        here,
        np.full(len(NAMES), 0.01),
        ("pile",),
        ("The texts are not at hand.",),
        ("L31N892", "L26H1 + L31N892"),
        ("the neuron", "both together"),
        np.array([0.5032, 0.71]),
    )


def test_another_models_numbers_stand_beside_the_published_ones_and_are_not_judged():
    claims = Claims(load_evidence(COMMITTED)).original
    assert claims.heading == "Beside the original study"
    assert "nothing published to verify" in claims.beside
    assert (claims.facts.groups, claims.facts.numbers) == ((), ())
    assert (claims.facts.published.jump, claims.facts.here.jump) == ("MLP 31", "MLP 25")


def test_the_published_best_layers_are_those_that_the_original_named():
    ends = {name: np.argmax(curve) for name, curve in at_the_end().items()}
    assert (ends["attn_out"], ends["mlp_out"]) == (26, 31)


def at_the_end():
    return published.at_the_end(published.document())


def test_for_other_prompts_nothing_published_is_shown():
    other = evidence(Plan())
    claims = Claims(other).original
    assert claims.facts.published is None
    assert "another question" in claims.beside
    assert "GPT-2" not in claims.caption
    assert "published" not in named("patching").draw(BESIDE_ORIGINAL, other.patching).to_json()


@pytest.mark.slow
def test_for_other_words_nothing_is_told_of_the_original_but_whose_the_method_is():
    other = evidence(Plan(target=" is", foil=" are"))
    assert Claims(other).original is None
    assert BESIDE_ORIGINAL not in [figure for _, figure in figures(other)]
    page = prose(other)
    for words in ("neuron 892", "layer 31", "their published result"):
        assert words not in page, words
    assert "The method is that of Joseph Miller and Clement Neo" in page


def test_the_order_of_attention_and_mlp_is_read_off_both_curves():
    result = asks_as_the_original(Plan())
    maps = np.zeros_like(result.patching.restored)
    attention, mlp = (result.patching.components.index(n) for n in ("attn_out", "mlp_out"))
    for first, second, expected in (
        (attention, mlp, "In both models"),
        (mlp, attention, "Only in"),
    ):
        turned = maps.copy()
        turned[first, 1, -1], turned[second, 2, -1] = 1.0, 1.0
        claims = Claims(changed(result, "patching", restored=turned)).original.beside
        assert expected in claims


@pytest.mark.slow
@pytest.mark.parametrize(
    ("off", "heading", "verdicts"),
    [
        (0.0, "The original’s published numbers come out", {"agrees"}),
        (
            0.02,
            f"Of the original’s {len(NAMES)} published numbers 1 does not",
            {"agrees", "deviates"},
        ),
        (
            np.nan,
            f"Of the original’s {len(NAMES)} published numbers 1 does not",
            {"agrees", "deviates"},
        ),
    ],
)
def test_for_the_originals_model_every_deviation_is_shown_and_counted(off, heading, verdicts):
    result = with_result(asks_as_the_original(Plan()), checked(off))
    claims = Claims(result).original
    assert claims.heading.startswith(heading)
    assert {each.verdict for each in claims.facts.numbers} == verdicts
    assert len(claims.facts.numbers) == 2 + ("deviates" in verdicts)
    assert [group.numbers for group in claims.facts.groups] == [1, 1, SHORT + 1]
    page = prose(result)
    assert page.count("deviates") == ("deviates" in verdicts)
    assert "The texts are not at hand." in page


def verified():
    """A tiny model, numbers of it as if published, and the model's question."""
    subject = make_subject("gpt2")
    pair = make_tiny_pair(subject)
    prompts = {name: getattr(PAIR, name) for name in ("clean", "corrupted", "target", "foil")}
    ids = (pair.contrast.target_id, pair.contrast.foil_id)
    return subject, published_of(subject, Neuron(1, 5), prompts, *ids)


@pytest.mark.parametrize("about", [True, False])
@pytest.mark.parametrize("same", [True, False])
def test_numbers_are_verified_for_the_model_and_question_that_they_are_about(
    about, same, monkeypatch
):
    monkeypatch.setattr(published, "about", lambda *_: about)
    asked = ORIGINAL if same else ORIGINAL.replaced(clean="One", corrupted="Two")
    assert applies(make_subject("gpt2"), Inputs(asked)) is (about and same)


@pytest.mark.slow
def test_evidence_has_a_verification_only_where_one_was_saved(tmp_path):
    without = load_evidence(save_study(evidence(Plan()), tmp_path / "without"))
    assert not without.has("verification")
    study = with_result(evidence(Plan()), verification(*verified()))
    loaded = load_evidence(save_study(study, tmp_path / "with"))
    assert loaded.verification.agrees.all()
    with undrawn():
        assert "an-neuron verification" in render(loaded, file="making.html")
