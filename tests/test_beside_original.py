"""The section that lays a study beside the original: published numbers are never ours."""

import dataclasses

import numpy as np
import pytest

from analysis import EMBEDDED, results, study
from analysis.claims import make_claims
from analysis.claims.original import SHORT
from analysis.evidence import load_evidence
from analysis.figures import FIGURES
from analysis.neuron import Neuron
from analysis.original import published
from analysis.original.verification import Verification, verification
from analysis.question import CLEAN as ORIGINAL_CLEAN
from analysis.question import CORRUPTED as ORIGINAL_CORRUPTED
from report.page import render
from tests.conftest import make_subject, make_tiny_pair
from tests.processed import published_of
from tests.synthetic import Plan, changed, evidence, save

COMMITTED = results.ROOT / EMBEDDED
NAMES = ("clean_p_an", "lens 3", *(f"neuron {i}" for i in range(SHORT + 1)))


def asked_as_the_original(plan):
    """A synthetic study of the original's two prompts."""
    asked = {"clean": ORIGINAL_CLEAN, "corrupted": ORIGINAL_CORRUPTED}
    return changed(evidence(plan), "patching", target=" an", foil=" a", **asked)


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
    )


def test_another_models_numbers_stand_beside_the_published_ones_and_are_not_judged():
    told = make_claims(load_evidence(COMMITTED)).original
    assert told.heading == "Beside the original study"
    assert "nothing published to verify" in told.told
    assert (told.groups, told.numbers) == ((), ())
    assert ("Largest jump of the lens", "MLP 31", "MLP 25") in told.beside


def test_the_published_best_layers_are_those_that_the_original_named():
    ends = {name: np.argmax(curve) for name, curve in at_the_end().items()}
    assert (ends["attn_out"], ends["mlp_out"]) == (26, 31)


def at_the_end():
    return published.at_the_end(published.document())


def test_for_another_question_nothing_published_is_shown():
    study_of_another = evidence(Plan())
    told = make_claims(study_of_another).original
    assert told.beside == ()
    assert "another question" in told.told
    assert "GPT-2" not in told.caption
    assert "published" not in FIGURES["beside_original"].draw(study_of_another.patching).to_json()


def test_the_order_of_attention_and_mlp_is_read_off_both_curves():
    result = asked_as_the_original(Plan())
    maps = np.zeros_like(result.patching.restored)
    attention, mlp = (result.patching.components.index(n) for n in ("attn_out", "mlp_out"))
    for first, second, expected in (
        (attention, mlp, "In both models"),
        (mlp, attention, "Only in"),
    ):
        turned = maps.copy()
        turned[first, 1, -1], turned[second, 2, -1] = 1.0, 1.0
        told = make_claims(changed(result, "patching", restored=turned)).original.told
        assert expected in told


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
    result = dataclasses.replace(asked_as_the_original(Plan()), verification=checked(off))
    told = make_claims(result).original
    assert told.heading.startswith(heading)
    assert {row[-1] for row in told.numbers} == verdicts
    assert len(told.numbers) == 2 + ("deviates" in verdicts)
    assert [row[1] for row in told.groups] == ["1", "1", str(SHORT + 1)]
    page = render(result)
    assert page.count("deviates") == ("deviates" in verdicts)
    assert "The texts are not at hand." in page


def test_a_study_verifies_where_something_is_published_and_takes_it_away_where_not(
    tmp_path, monkeypatch
):
    subject = make_subject("gpt2")
    pair = make_tiny_pair(subject)
    prompts = {"clean": pair.clean.text, "corrupted": pair.corrupted.text}
    ids = (pair.contrast.target_id, pair.contrast.foil_id)
    document = published_of(subject, Neuron(1, 5), prompts, *ids)
    monkeypatch.setattr(study, "STEPS", ())
    monkeypatch.setattr(published, "document", lambda: document)
    monkeypatch.setattr(published, "same_pair", lambda *_: True)
    for about, names in ((True, {"verification.json", "verification.npz"}), (False, set())):
        monkeypatch.setattr(published, "about", lambda *_, about=about: about)
        done = list(study.run_study(subject, pair, tmp_path))
        assert [each.step.name for each in done] == ["verification"] * about
        assert {path.name for path in tmp_path.iterdir()} == names


def test_evidence_has_a_verification_only_where_one_was_saved(tmp_path):
    folder = save(Plan(), tmp_path / "study")
    assert load_evidence(folder).verification is None
    subject = make_subject("gpt2")
    pair = make_tiny_pair(subject)
    prompts = {"clean": pair.clean.text, "corrupted": pair.corrupted.text}
    told = published_of(
        subject, Neuron(1, 5), prompts, pair.contrast.target_id, pair.contrast.foil_id
    )
    made = results.provenance(folder, "next_token")
    results.save(folder, "verification", verification(subject, told), made)
    loaded = load_evidence(folder)
    assert loaded.verification.agrees.all()
    assert "verify" in "".join(row.command for row in make_claims(loaded).making.rows)
