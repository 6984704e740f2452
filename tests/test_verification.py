"""The published numbers: a faithful copy, computed by the original's conventions, judged right."""

import copy
import json
from functools import partial

import numpy as np
import pytest
import torch

from analysis.experiments.logit_lens.compute import logit_lens
from analysis.experiments.verification.compute import TOLERANCES, summary, verification
from analysis.loading.models import CATALOGUE
from analysis.neuron import Neuron
from analysis.original import conventions as original
from analysis.original import published
from analysis.original.circuit import circuit
from analysis.original.reproduction import LEFT_OUT
from tests.processed import Processed, published_of
from tests.questions import CLEAN, CORRUPTED, make_tiny_pair
from tests.subjects import make_subject

NEURON = Neuron(1, 5)


@pytest.fixture(scope="module")
def planted():
    """A tiny GPT-2, and a document of all its numbers by the slow reference."""
    subject = make_subject("gpt2")
    contrast = make_tiny_pair(subject).contrast
    prompts = {"clean": CLEAN, "corrupted": CORRUPTED, "target": " an", "foil": " a"}
    found = published_of(subject, NEURON, prompts, contrast.target_id, contrast.foil_id)
    return subject, found


def test_every_number_computed_by_hand_from_processed_weights_comes_out(planted):
    result = verification(*planted)
    off = np.abs(result.here - result.published)
    assert result.agrees.all()
    assert off.max() < 1e-3, result.names[int(off.argmax())]
    subject, found = planted
    positions = len(subject.tokens(CLEAN))
    assert len(off) == (
        len(found["scalars"]) - 1  # one of them counts texts that are not at hand
        + 2 * subject.n_layers + 1  # the lens
        + 3 * subject.n_layers * positions  # the maps
        + subject.d_mlp  # the neurons of one layer
        + 2 * subject.d_vocab  # congruences of the neuron, leads of each token
        + len(found["mutual_exclusive_top30"])
    )  # fmt: skip
    assert set(result.left_out) == {"pile10k_top1_an", "an_proportion"}
    assert summary(result)["agree"] is True


def leaves(value, path=()):
    """Path of every published number that is computed."""
    if isinstance(value, list | dict):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, (*path, key))
    elif isinstance(value, float) and path[0] != "an_proportion":
        yield path


@pytest.mark.slow
def test_a_number_published_otherwise_deviates_and_it_alone(planted):
    """One number of every group in turn, moved a little beyond its tolerance, then within it."""
    subject, found = planted
    result = verification(subject, found)
    by_group = {}
    for path in leaves(found):
        by_group.setdefault(path[0], []).append(path)
    for group, paths in by_group.items():
        path = paths[len(paths) // 2]
        for share, expected in ((1.1, 1), (0.9, 0)):
            wrong = copy.deepcopy(found)
            at = wrong
            for key in path[:-1]:
                at = at[key]
            kinds = {"scalars": "weight", "logit_lens": "logit", "mutual_exclusive_top30": "score"}
            kind = kinds.get(group, "recovery" if group.startswith("patched") else "weight")
            if group == "scalars":
                kind = kind_of_scalar(wrong["scalars"][path[1]]["id"])
            at[path[-1]] += share * TOLERANCES[kind]
            moved = rejudged(subject, wrong, result)
            assert (~moved.agrees).sum() == expected, (group, path, share)


def kind_of_scalar(name):
    if "_p_" in name:
        return "probability"
    if name.startswith("recovery"):
        return "recovery"
    return "weight" if "congruence" in name or "W_E" in name else "logit"


def rejudged(subject, message, result):
    """The verdict on another document; what is computed here does not depend on its values."""
    again = verification(subject, message)
    np.testing.assert_allclose(again.here, result.here, atol=1e-5)
    return again


def test_the_originals_lens_is_not_the_lens_proper_and_differs_at_the_end_by_the_bias():
    """Its scale is the final one at every point, and b_U is left out: both are needed."""
    subject = make_subject("gpt2")
    pair = make_tiny_pair(subject)
    theirs = original.lens(subject, pair.clean, pair.contrast)
    ours = logit_lens(subject, (pair.clean,), pair.contrast).logit_diff[0]
    bias = subject.b_U[pair.contrast.target_id] - subject.b_U[pair.contrast.foil_id]
    assert float(theirs[-1] + bias) == pytest.approx(float(ours[-1]), abs=1e-4)
    assert abs(float(bias)) > 0.01
    early = abs(float(theirs[0]) + float(bias) - float(ours[0]))
    assert early > 0.01


def test_congruence_is_with_the_embedding_not_the_unembedding():
    subject = make_subject("gpt2")
    products = original.congruence(subject, NEURON)
    processed = Processed(subject.model)
    write = processed.blocks[1]["out"][0][5]
    torch.testing.assert_close(products.double(), processed.W_E @ write, atol=1e-4, rtol=1e-4)
    folded = write @ processed.W_U
    assert float((products - folded).abs().max()) > 0.1


def test_flipping_the_input_weights_is_not_negating_the_activation():
    subject = make_subject("gpt2")
    prompt = make_tiny_pair(subject).clean
    flipped = original.flipped_input(subject, prompt, NEURON)
    own = subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"][1, :, 5]
    assert float((flipped + own).abs().max()) > 0.01


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_mutual_pairs_come_out_the_same_in_blocks_of_any_size(monkeypatch, block):
    subject = make_subject("gpt2")
    whole = original.mutual_pairs(subject)
    monkeypatch.setattr(original, "BLOCK", block)
    for part, same in zip(original.mutual_pairs(subject), whole, strict=True):
        torch.testing.assert_close(part, same, atol=1e-5, rtol=1e-5)


def test_a_pair_that_is_not_mutual_here_deviates(planted):
    subject, found = planted
    pairs = original.mutual_pairs(subject)
    lonely = next(n for n in range(subject.d_mlp) if int(pairs.neuron[int(pairs.token[n])]) != n)
    assert np.isnan(pairs.score(lonely))
    wrong = copy.deepcopy(found)
    wrong["mutual_exclusive_top30"].append([f"Layer 0 Neuron {lonely}", "' an'", 1.0])
    result = verification(subject, wrong)
    assert (~result.agrees).sum() == 1
    assert not summary(result)["agree"]


def test_an_unknown_single_number_is_not_passed_over(planted):
    subject, found = planted
    wrong = copy.deepcopy(found)
    wrong["scalars"].append({"id": "recovery_of_nothing_known", "value": 0.0})
    assert (~verification(subject, wrong).agrees).sum() == 1


def test_the_copy_holds_what_is_known_of_the_original():
    found = published.document()
    values = {entry["id"]: entry["value"] for entry in found["scalars"]}
    assert values["clean_p_an"] == 0.6492
    assert values["lens_final_diff_without_b_U"] == 1.2574
    assert len(found["logit_lens"]["labels"]) == len(found["logit_lens"]["logit_diff"]) == 73
    assert found["logit_lens"]["logit_diff"][-1] == pytest.approx(1.2574, abs=1e-4)
    assert max(found["patched_neuron_L31"]) == found["patched_neuron_L31"][892]
    assert found["patched_neuron_L31"][892] == pytest.approx(values["recovery_L31N892"], abs=1e-4)
    assert found["L31N892_congruence_top"][0][:2] == [281, "' an'"]
    assert {"source", "loading", "about"} <= set(found)
    assert published.PATH.stat().st_size < 80_000


def test_every_published_single_number_is_either_computed_or_left_out_with_a_reason(planted):
    """By name, on a model of another shape: what exists here is found, the rest is named."""
    from analysis.original import reproduction

    subject, found = planted
    real = published.document()
    measured = reproduction._Measured(subject, found, lambda _: None)
    known = {
        *reproduction._from_prompts(measured),
        *reproduction._from_maps(measured),
        *reproduction._from_weights(measured),
    }
    shapes = ("lens_", "recovery_", "congruence_")  # of layers that a tiny model has not
    for entry in real["scalars"]:
        name = entry["id"]
        assert name in LEFT_OUT or name in known or name.startswith(shapes), name
    sections = set(real) - {"copied", "model", "source", "loading", "about", "tokens", "prompts"}
    computed = {"scalars", "logit_lens", "patched_resid", "patched_attn", "patched_mlp"}
    computed |= {"patched_neuron_L31", "L31N892_congruence_top", "L28N1921_congruence_top"}
    computed |= {"top2_neuron_diff_by_token_top", "mutual_exclusive_top30"}
    assert sections - computed - set(LEFT_OUT) == {"circuit_identities"}  # names, no numbers


CIRCUIT = {
    "source": "F",
    "second_output_neuron": "L2N7",
    "mover_head": "L1H1 (from the tree noun to the last token)",
    "vowel_neurons": ["L0N3", "L0N9"],
    "upstream_neuron": "L1N2",
    "mlp_layers": [1],
}


def hooked_recovery(subject, pair, names):
    """Components at their clean values in the corrupted run, at all positions, by hooks."""

    def diff(logits):
        return logits[0, -1, pair.contrast.target_id] - logits[0, -1, pair.contrast.foil_id]

    def run(prompt, hooks=()):
        tokens = subject.batch(prompt.tokens)
        return diff(subject.bridge.run_with_hooks(tokens, fwd_hooks=list(hooks), prepend_bos=False))

    clean = subject.cache(pair.clean.tokens, "attn.hook_z", "mlp.hook_post")

    def put(where, layer, columns):
        def hook(value, hook):
            flat = value.flatten(2).clone()
            flat[0, :, columns] = clean[where][layer, :, columns]
            return flat.view(value.shape)

        return f"blocks.{layer}.{where}", hook

    hooks = []
    for name in names:
        layer, number = map(int, name[1:].replace("H", "N").split("N"))
        width = subject.d_model // subject.config.num_attention_heads if "H" in name else 1
        where = "attn.hook_z" if "H" in name else "mlp.hook_post"
        hooks.append(put(where, layer, slice(number * width, (number + 1) * width)))
    with torch.no_grad():
        whole, nothing, part = run(pair.clean), run(pair.corrupted), run(pair.corrupted, hooks)
    return float((part - nothing) / (whole - nothing))


@pytest.mark.slow
def test_the_named_circuit_is_patched_singly_and_together_as_hooks_do(planted):
    subject, found = planted
    result = verification(subject, found | {"circuit_identities": CIRCUIT})
    assert result.circuit[:6] == (*CIRCUIT["vowel_neurons"], "L1H1", "L1N2", "L1N5", "L2N7")
    assert result.circuit[6:8] == ("L0N3 + L0N9", "L0N3 + L0N9 + L1H1")
    assert result.circuit[-1] == "L0N3 + L0N9 + L1H1 + L1N2 + L1N5 + L2N7"
    pair = make_tiny_pair(subject)
    expected = [hooked_recovery(subject, pair, each.split(" + ")) for each in result.circuit]
    np.testing.assert_allclose(result.circuit_recovery, expected, atol=1e-4)
    alone = dict(zip(result.circuit, result.circuit_recovery, strict=True))
    swept = found["patched_neuron_L1"][5]  # the published number of the neuron, by another way
    assert alone["L1N5"] == pytest.approx(swept, abs=1e-4)
    together = result.circuit_recovery[-1]
    assert abs(together - sum(result.circuit_recovery[:6])) > 1e-3, "parts that meet do not add up"
    assert result.agrees.all(), "nothing of the circuit is judged"


def test_what_a_model_lacks_of_the_circuit_is_said_to_be_nothing_and_nothing_is_made_up(planted):
    subject, found = planted
    other = CIRCUIT | {"mover_head": "L26H1 (elsewhere)"}
    result = verification(subject, found | {"circuit_identities": other})
    lacking = ["L26H1" in each for each in result.circuit]
    assert np.isnan(result.circuit_recovery).tolist() == lacking
    assert sum(lacking) == 4
    assert verification(subject, found).circuit == ()


def test_the_published_circuit_is_the_one_that_the_later_study_named():
    *alone, early, head, before, output, whole = circuit(published.document())
    assert [each.names for each in alone] == [
        *(("L0N1595",), ("L7N2183",), ("L15N4007",), ("L15N2003",)),
        *(("L26H1",), ("L23N4377",), ("L31N892",), ("L35N1884",)),
    ]
    assert alone[4].role == "head that moves from the tree noun to the last token"
    assert [len(each.names) for each in (early, head, before)] == [4, 5, 6]
    assert output.names == ("L31N892", "L35N1884")
    assert set(whole.names) == {name for each in alone for name in each.names}


@pytest.fixture
def run(analysis):
    return partial(analysis, "verification")


@pytest.fixture
def gpt2_folder(folders):
    return folders["gpt2"]


@pytest.mark.slow
def test_for_another_model_there_is_nothing_to_verify_and_it_is_not_even_loaded(run, monkeypatch):
    monkeypatch.setattr("analysis.loading.models.load", lambda *_: 1 / 0)
    for entry in CATALOGUE:
        if entry.name != "gpt2-large":
            code, out, _ = run("--model", entry.name, "--json")
            document = json.loads(out)
            assert (code, document["model"], document["published"]) == (0, entry.name, False)
    code, out, _ = run()
    assert code == 0
    assert "Nothing is published to verify for smollm2-135m" in out
    assert "False" not in out


def test_a_local_folder_of_another_shape_has_nothing_to_verify(run, gpt2_folder):
    code, out, _ = run("--model", gpt2_folder, "--json")
    assert (code, json.loads(out)["published"]) == (0, False)


@pytest.mark.slow
def test_the_exit_code_is_0_where_all_agree_and_1_where_one_deviates(
    run, gpt2_folder, planted, monkeypatch
):
    found = copy.deepcopy(planted[1])
    monkeypatch.setattr(published, "document", lambda: found)
    code, out, _ = run("--model", gpt2_folder, "--json")
    answer = json.loads(out)
    assert (code, answer["published"], answer["agree"]) == (0, True, True)
    assert set(answer["numbers"][0]) == {
        *("group", "name", "kind", "published", "here", "tolerance", "verdict")
    }
    found["logit_lens"]["logit_diff"][2] += 0.05
    code, out, err = run("--model", gpt2_folder, "--json")
    answer = json.loads(out)
    assert (code, answer["agree"]) == (1, False)
    assert "error" not in err
    wrong = [row for row in answer["numbers"] if row["verdict"] == "deviates"]
    assert [(row["group"], row["name"]) for row in wrong] == [("logit lens", "1_pre")]
    assert [row["numbers"] - row["agree"] for row in answer["groups"]].count(1) == 1
    _, out, _ = run("--model", gpt2_folder)
    assert "deviates" in out


def test_gpt2_large_is_the_only_catalogue_model_of_the_originals_shape():
    found = published.document()
    shaped = [
        entry.name
        for entry in CATALOGUE
        if published.describes(found, entry.layers, entry.d_model, entry.d_mlp)
    ]
    assert shaped == ["gpt2-large"]
