"""A model that reads few tokens is asked about as many as it reads, and no prompt is blamed."""

import pytest

from analysis import corpus
from analysis.engines.evaluation_positions import evaluation_positions
from analysis.engines.reading import windows
from analysis.loading import models
from tests import tiny
from tests.questions import CLEAN, CORRUPTED, PAIR

READS = 20
NEWS = [(n, f"{CLEAN} an egg. " * 9) for n in range(9)]


@pytest.fixture(params=["gpt2", "llama"])
def short(request, tmp_path):
    """A folder with a model of few positions; GPT-2 begins with BOS."""
    model, tokenizer = {"gpt2": tiny.tiny_gpt2, "llama": tiny.tiny_llama}[request.param]()
    config = model.config
    config.max_position_embeddings = READS
    if request.param == "gpt2":
        wpe = model.transformer.wpe
        wpe.weight.data, wpe.num_embeddings = wpe.weight.data[:READS].clone(), READS
    model.save_pretrained(tmp_path / "short")
    tokenizer.save_pretrained(tmp_path / "short")
    return tmp_path / "short"


def test_windows_of_text_are_no_longer_than_the_model_reads(short):
    subject = models.load(str(short))
    pieces = list(windows(subject, NEWS, 1000))
    assert max(len(piece.tokens) for piece in pieces) == READS
    places = evaluation_positions(subject, NEWS, PAIR.contrast(subject).targets, 4, seed=0)
    assert {len(place.window.tokens) for place in places} == {READS}


@pytest.mark.slow
def test_every_experiment_can_be_asked_of_a_model_that_reads_few_tokens(
    short, answer, tmp_path, monkeypatch
):
    monkeypatch.setattr(corpus, "articles", lambda: NEWS)
    sample = corpus.sample
    monkeypatch.setattr(corpus, "sample", lambda n, seed: sample(min(n, 9), seed))
    words = ("--target", " an", "--foil", " the", "--clean", CLEAN, "--corrupted", CORRUPTED)
    done = answer("study", "--model", short, *words, "--out", tmp_path / "results")
    names = {step["name"] for step in done["steps"]}
    assert {"ablation", "weight_modulation", "corpus_scan", "activations", "census"} <= names
