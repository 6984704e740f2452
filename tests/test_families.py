"""Where a model keeps its parts: asked once, the same when it is kept, and enough without hooks."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from analysis import hooks
from analysis.errors import UserError
from analysis.loading.families import family_of
from tests import families, tiny

KINDS = ("gpt2", "llama", "phi3", "gemma2")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Where answers are kept, which is empty."""
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path))
    return tmp_path / "families"


@pytest.mark.parametrize("name", KINDS)
def test_it_is_asked_once_and_kept_as_it_is(name, kept, monkeypatch):
    kind, values = families.CONFIGS[name]
    model = families.make_model(kind, values)
    asked = hooks.family_of(model.config, type(model).__name__)
    assert family_of(model.config, type(model).__name__) == asked
    monkeypatch.delattr(hooks, "family_of")
    assert family_of(model.config, type(model).__name__) == asked
    assert len(list(kept.iterdir())) == 1


def test_another_configuration_is_asked_for_anew(kept):
    model, _ = tiny.tiny_neox(0)
    parallel = family_of(model.config, type(model).__name__)
    model.config.use_parallel_residual = not model.config.use_parallel_residual
    other = family_of(model.config, type(model).__name__)
    assert other == replace(parallel, parallel=not parallel.parallel)


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"blocks": "layers"}', "\xff"])
def test_a_damaged_answer_is_asked_for_again(damage, kept):
    model, _ = tiny.tiny_gpt2(0)
    found = family_of(model.config, "GPT2LMHeadModel")
    (path,) = kept.iterdir()
    path.write_bytes(damage.encode("latin-1"))
    assert family_of(model.config, "GPT2LMHeadModel") == found
    assert json.loads(path.read_text())


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(kept):
    kept.write_text("a file where the folder would be")
    model, _ = tiny.tiny_gpt2(0)
    assert family_of(model.config, "GPT2LMHeadModel").blocks == "transformer.h"


def test_a_refusal_is_not_kept(kept):
    model, _ = tiny.tiny_gpt2(0)
    with pytest.raises(UserError, match="not an architecture"):
        family_of(model.config, "OtherForCausalLM")
    assert not kept.exists()


WITHOUT = """
import sys
from analysis.__main__ import main
asked = "--clean=I saw the apple and", "--target= an", "--foil= a"
sys.argv = ["an-neuron", "next-token", "--model", sys.argv[1], *asked, "--json"]
code = main()
sys.exit(code or "transformer_lens" in sys.modules)
"""


@pytest.mark.slow
def test_a_model_that_was_read_once_is_asked_without_the_library_of_hooks(kept, tmp_path):
    folder = tmp_path / "model"
    for each in tiny.tiny_llama(0):
        each.save_pretrained(folder)
    codes = [
        subprocess.run([sys.executable, "-c", WITHOUT, folder], capture_output=True).returncode
        for _ in range(2)
    ]
    assert codes == [1, 0]
