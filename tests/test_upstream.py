import dataclasses
import re

import numpy as np
import pytest
import torch

from analysis.claims import Claims
from analysis.engines.decomposition import (
    Decomposition,
    neuron_readers,
    preactivations,
    projections,
)
from analysis.engines.mediation import Patch
from analysis.experiments.upstream.compute import STEP_NEURONS, summary, upstream
from analysis.neuron import Neuron
from analysis.prompts import make_pair
from analysis.results import load, save
from tests.prose import Prose, check_opposites, render
from tests.questions import CLEAN, CORRUPTED, default_pair
from tests.synthetic import Plan, changed, evidence, toy_plan

NEURON = Neuron(2, 5)
EXACT = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture
def result(subject, pair):
    return upstream(subject, NEURON, pair)


def test_the_parts_sum_to_the_preactivation_in_both_prompts_and_every_projection(result):
    assert result.contributions.shape[:2] == (len(result.projections), 2)
    np.testing.assert_allclose(result.contributions.sum(-1), result.preactivation, **EXACT)
    assert np.abs(result.preactivation).max() > 0.1


@pytest.mark.parametrize("neuron", [Neuron(0, 3), Neuron(1, 7)], ids=str)
def test_they_sum_in_every_layer_and_only_what_came_before_has_a_part(subject, pair, neuron):
    found = upstream(subject, neuron, pair)
    np.testing.assert_allclose(found.contributions.sum(-1), found.preactivation, **EXACT)
    attends = neuron.layer - int(subject.family.parallel)
    assert (f"L{attends}H0" in found.components) == (attends >= 0)
    assert f"L{attends + 1}H0" not in found.components
    assert f"MLP {neuron.layer}" not in found.components


def test_the_parts_are_of_what_the_architecture_has(subject, result):
    absent = {
        "gpt2": set(),
        "llama": {"position", "attention biases", "MLP biases"},
        "gpt_neox": {"position"},
    }[subject.config.model_type]
    every = {"embedding", "position", "attention biases", "MLP biases", "constant"}
    assert every - set(result.components) == absent


def test_the_parts_sum_at_every_position(subject, pair):
    run = Decomposition(subject, pair.clean)
    readers = neuron_readers(subject, NEURON.layer, [NEURON.number])
    own = preactivations(subject, pair.clean, NEURON)
    for pos in range(len(pair.clean.tokens)):
        np.testing.assert_allclose(run.split(readers, pos).sum(0), own[:, pos], **EXACT)


def _frozen(subject, tokens, hooks) -> np.ndarray:
    """The pre-activations with the norm's scale held where the unpatched run had it."""
    name = f"blocks.{NEURON.layer}.ln2.hook_in"
    bridge, kept = subject.bridge, {}

    def keep(resid, hook):
        kept["x"] = resid[0, -1].detach().clone()
        return resid

    resids = []
    for some in ([], hooks):
        with torch.no_grad():
            batch = subject.batch(tokens)
            bridge.run_with_hooks(batch, fwd_hooks=[*some, (name, keep)], prepend_bos=False)
        resids.append(kept["x"])
    norm = bridge.blocks[NEURON.layer].ln2.original_component
    layer_norm = isinstance(norm, torch.nn.LayerNorm)
    eps = norm.eps if layer_norm else norm.variance_epsilon
    base, x = (r - r.mean() if layer_norm else r for r in resids)
    read = x / (base.pow(2).mean() + eps).sqrt() * norm.weight
    read = read + norm.bias if layer_norm else read
    mlp, number = bridge.blocks[NEURON.layer].mlp, NEURON.number
    weights = [mlp.W_gate, mlp.W_in] if len(projections(subject)) == 2 else [mlp.W_in]
    bias = mlp.b_in[number] if layer_norm else 0.0
    return np.array([float(read @ w[:, number] + bias) for w in weights])


@pytest.mark.parametrize("head", [0, 2])
def test_taking_a_head_out_by_hook_changes_the_frozen_reading_by_its_part(
    subject, pair, result, head
):
    """Of the last layer whose attention the MLP reads, so that nothing in between answers."""
    layer = NEURON.layer - int(subject.family.parallel)

    def drop(z, hook):
        z[:, -1, head] = 0.0
        return z

    tokens = pair.clean.tokens
    change = _frozen(subject, tokens, []) - _frozen(
        subject, tokens, [(f"blocks.{layer}.attn.hook_z", drop)]
    )
    part = result.contributions[:, 0, result.components.index(f"L{layer}H{head}")]
    assert np.abs(part).max() > 1e-3
    np.testing.assert_allclose(change, part, **EXACT)


def test_a_heads_sources_sum_to_its_part(result):
    assert len(result.heads) == 4
    for index, head in enumerate(result.heads):
        part = result.contributions[..., result.components.index(head)]
        np.testing.assert_allclose(result.sources[:, :, index].sum(-1), part, **EXACT)
    np.testing.assert_allclose(result.attention.sum(-1), 1.0, atol=1e-5)


def test_attention_is_the_models_own_and_no_whole_pattern_is_kept(subject, pair):
    run, length = Decomposition(subject, pair.clean), len(pair.clean.tokens)
    patterns = subject.cache(pair.clean.tokens, "attn.hook_pattern")["attn.hook_pattern"]
    rows = patterns.unflatten(-1, (length, length))
    for layer, head, pos in [(0, 1, length - 1), (2, 0, length - 1), (1, 1, 3)]:
        own = run.attention(layer, head, pos)
        torch.testing.assert_close(own.float(), rows[layer, head, pos], atol=1e-6, rtol=0)
    run.cosine(neuron_readers(subject, NEURON.layer, [NEURON.number]))
    kept = [*run._cache, *run._inside]
    assert "attn.hook_pattern" not in kept
    assert all(row[0].numel() <= run.heads * length for row in run._attention.values())


def test_the_heads_are_those_that_differ_most_in_the_leading_projection(result):
    difference = dict(zip(result.components, result.difference[result.leading], strict=True))
    found = [abs(difference[head]) for head in result.heads]
    others = [abs(v) for name, v in difference.items() if "H" in name and name not in result.heads]
    assert found == sorted(found, reverse=True)
    assert min(found) >= max(others)


def test_single_neurons_are_parts_of_their_mlp(subject, pair):
    run, last = Decomposition(subject, pair.clean), len(pair.clean.tokens) - 1
    readers = neuron_readers(subject, NEURON.layer, [NEURON.number])
    names = run.components(NEURON.layer, "ln2")
    for index in range(len(projections(subject))):
        neurons = run.neurons(readers.only(index), last)
        split = run.split(readers, last)[:, index]
        for layer in range(NEURON.layer):
            mlp = split[names.index(f"MLP {layer}")]
            assert float(neurons[layer].sum()) == pytest.approx(float(mlp), abs=1e-4)


def test_a_step_back_sums_to_what_the_head_or_the_neuron_read(result):
    head, neuron = result.steps
    assert (head, neuron) == (result.heads[0], result.earlier[0])
    np.testing.assert_allclose(result.step_contributions.sum(-1), result.step_totals, **EXACT)
    source = result.sources[result.leading, :, 0, result.step_positions[0]]
    np.testing.assert_allclose(result.step_totals[0], source, **EXACT)
    assert result.step_positions[1] == len(result.clean_tokens) - 1


def test_what_comes_after_a_head_has_no_part_in_what_it_reads(result):
    layer = int(result.steps[0].split("H")[0][1:])
    for index, name in enumerate(result.components):
        later = name.startswith(f"L{layer}H") or name == f"MLP {layer}"
        assert not later or not result.step_contributions[0, :, index].any()


def test_the_neuron_read_one_step_back_reads_what_its_own_hook_says(subject, pair, result):
    name, projection = result.steps[1], result.step_projections[1]
    layer, number = map(int, name[1:].split("N"))
    own = preactivations(subject, pair.clean, Neuron(layer, number))[:, -1]
    read = own[projections(subject).index(projection)]
    assert result.step_totals[1, 0] == pytest.approx(float(read), abs=1e-5)


def test_the_shares_of_the_projections_sum_to_the_difference_of_activation(result):
    clean, corrupted = result.activation[:, -1]
    assert result.shares.sum() == pytest.approx(float(clean - corrupted), abs=1e-4)
    assert result.lead == result.projections[np.abs(result.shares).argmax()]
    first = summary(result)
    told = [first, first["up"]] if len(result.projections) > 1 else [first]
    assert sum(each["share_of_activation_difference"] for each in told) == pytest.approx(1)
    changes = [each["of_activation_difference"] for each in told]
    np.testing.assert_allclose(changes, result.shares)
    assert first["activation_difference"] == pytest.approx(float(clean - corrupted), abs=1e-4)


def test_the_readings_are_the_inputs_scaled_by_the_cosine(subject, pair, result):
    """What alignment is: the pre-activation is cosine times both lengths, plus the bias."""
    read = subject.cache(pair.clean.tokens, "mlp.hook_in")["mlp.hook_in"][NEURON.layer]
    mlp = subject.bridge.blocks[NEURON.layer].mlp
    first = mlp.W_gate if result.projections[0] == "gate" else mlp.W_in
    weight = first[:, NEURON.number]
    bias = 0.0 if result.projections[0] == "gate" else float(mlp.b_in[NEURON.number])
    lengths = (read.norm(dim=-1) * weight.norm()).detach().numpy()
    np.testing.assert_allclose(result.cosine[0, 0] * lengths + bias, result.readings[0, 0], **EXACT)


@pytest.mark.slow
def test_the_contrast_sets_the_asked_pair_beside_the_held_out_ones(subject, pair):
    texts = "We climbed up the egg tree and saw", "We climbed up the dog tree and saw"
    other = make_pair(subject, *texts, " an", " a")
    both = upstream(subject, NEURON, pair, [other])
    np.testing.assert_allclose(both.contrast[0], both.difference, **EXACT)
    np.testing.assert_allclose(
        both.contrast[1], upstream(subject, NEURON, other).difference, **EXACT
    )
    first = Neuron(NEURON.layer, int(both.matched[0].split("N")[1]))
    alone = upstream(subject, first, other).difference
    np.testing.assert_allclose(both.matched_contrast[0], alone, **EXACT)
    np.testing.assert_allclose(
        both.matched_contributions, upstream(subject, first, pair).contributions, **EXACT
    )


def test_a_planted_head_is_found(subject, pair):
    """One head writes along the neuron's input weights after the clean prompt, and else nothing."""
    layer, head = 1, 2
    size = len(subject.bridge.blocks[layer].attn.W_O[head])
    z = torch.stack(
        [
            subject.cache(prompt.tokens, "attn.hook_z")["attn.hook_z"][layer, -1]
            for prompt in (pair.clean, pair.corrupted)
        ]
    )[:, head * size : (head + 1) * size]
    readers = neuron_readers(subject, NEURON.layer, [NEURON.number])
    weight = (readers.weight / readers.weight.norm(dim=0)).sum(1).float()
    direction = 20.0 * (weight - weight.mean())
    name = f"L{layer}H{head}"
    before = upstream(subject, NEURON, pair)
    with torch.no_grad():
        turned = torch.outer(torch.linalg.pinv(z) @ torch.tensor([1.0, 0.0]), direction)
        subject.bridge.blocks[layer].attn.W_O[head] = turned
    found = upstream(subject, NEURON, pair)
    place = found.components.index(name)
    assert found.heads[0] == name
    assert np.abs(found.difference[found.leading]).argmax() == place
    assert found.contributions[found.leading, 1, place] == pytest.approx(0.0, abs=1e-3)
    assert before.difference[found.leading, place] < found.difference[found.leading, place] / 3
    np.testing.assert_allclose(found.contributions.sum(-1), found.preactivation, **EXACT)


def test_a_neuron_that_nothing_precedes_has_no_heads_and_no_steps(subject, pair):
    found = upstream(subject, Neuron(0, 3), pair)
    assert len(found.heads) == (0 if subject.family.parallel else 4)
    assert found.earlier == ()
    assert len(found.steps) == len(found.heads[:1])
    assert found.step_contributions.shape == (len(found.steps), 2, len(found.components))
    assert found.step_neuron_contributions.shape == (len(found.steps), 2, STEP_NEURONS)


def test_the_embedded_neurons_reading_comes_through_one_head_from_apple(embedded):
    pair = default_pair(embedded)
    found = upstream(embedded, Neuron(25, 1527), pair)
    np.testing.assert_allclose(found.contributions.sum(-1), found.preactivation, **EXACT)
    assert found.projections == ("gate", "up")
    assert found.lead == "up"
    assert found.shares[1] / found.shares.sum() == pytest.approx(0.869, abs=0.002)
    assert found.preactivation[:, 0] == pytest.approx([4.812, 2.349], abs=0.001)
    assert found.preactivation[:, 1] == pytest.approx([3.901, 0.357], abs=0.001)
    assert found.heads[0] == "L23H0"
    contributions = found.difference[1]
    assert contributions[found.components.index("L23H0")] == pytest.approx(1.177, abs=0.002)
    assert found.clean_tokens[found.step_positions[0]] == " apple"
    assert found.earlier[0] == "L23N1468"
    assert found.step_neurons[0][0] == "L19N28"
    through = found.step_contributions[1, 0] - found.step_contributions[1, 1]
    assert found.components[np.abs(through).argmax()] == "L23H0"


def test_the_summary_names_what_the_command_line_promises(result):
    document = summary(result)
    assert {"preactivation", "sum_of_parts", "parts"} <= set(document)
    assert set(document["parts"][0]) >= {"name", "value"}
    sizes = [abs(row["value"]) for row in document["parts"]]
    assert sizes == sorted(sizes, reverse=True)
    assert ("up" in document) == (len(result.projections) == 2)
    lists = [document, *([document["up"]] if "up" in document else [])]
    for one in lists:
        total = sum(row["value"] for row in one["parts"])
        assert total == pytest.approx(one["preactivation"], abs=1e-4)


CLAIMS = [
    ("One attention head brings it the exchanged word", "No single attention head tells it"),
    ("as they must", "do not trust this section"),
    ("alone makes", "No single head makes"),
    ("It brings this from", "comes not from the exchanged word but from"),
    ("is driven by the same head", "is not driven by that head"),
    ("It holds beyond this pair", "It is not certain beyond this pair"),
    ("adds nothing by itself.", "is no evidence beyond the activation"),
    ("within a factor of 2) none do", "within a factor of 2) 40 do"),
]


@pytest.mark.parametrize(("said", "opposite"), CLAIMS)
def test_a_split_against_a_claim_brings_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def claims_of(study):
    return Claims(study).upstream


def _said(**fields):
    return claims_of(changed(evidence(Plan()), "upstream", **fields))


def test_whether_patching_names_the_same_head_is_read_off_both():
    study = evidence(Plan())
    assert "named the same head, L1H0" in claims_of(study).patching
    heads = np.roll(study.patching.heads_restored, 1, axis=1)
    other = changed(study, "patching", heads_restored=heads)
    assert "put another head first, L1H1" in claims_of(other).patching


def test_a_head_that_works_against_the_strongest_is_named():
    study = evidence(Plan())
    assert "No head among the strongest" in claims_of(study).contributions
    contributions = study.upstream.contributions.copy()
    contributions[1, 0, 2] -= 0.8
    assert "L1H1, works against it (−0.80)" in _said(contributions=contributions).contributions


def test_parts_that_differ_most_are_not_called_the_largest():
    """A part that is the same in both prompts may be the largest: it tells nothing of them."""
    contributions = evidence(Plan()).upstream.step_contributions.copy()
    contributions[:, :, -1] += 50.0
    found = _said(step_contributions=contributions)
    assert "L1H0 differs most in what it reads from embedding" in found.steps
    assert "L1H0 differs most in what it reads from embedding; L2N1" in found.steps_caption
    assert "differs most in what it reads from" in found.sources_caption
    for wrong in ("most of all", "above all", "mostly", "matters most"):
        assert wrong not in found.steps + found.steps_caption + found.sources_caption


@pytest.mark.parametrize(
    ("of_head", "of_embedding", "said"),
    [
        (1.2, 0.3, "in turn, is driven by the same head"),
        (0.9, 1.0, "is driven by that head in part at most"),
        (0.3, 1.0, "is driven by that head in part at most"),
        (-1.2, 2.0, "is driven by that head in part at most"),
        (-1.2, -1.0, "in turn, is driven by the same head"),
        (0.05, 1.0, "is not driven by that head"),
        (0.0, 1.0, "is not driven by that head"),
    ],
)
def test_a_neuron_is_said_not_to_be_driven_by_a_head_only_where_it_is_not(
    of_head, of_embedding, said
):
    result = evidence(Plan()).upstream
    contributions = np.full_like(result.step_contributions, 0.05)
    contributions[1, 0, :2] += of_embedding, of_head
    found = _said(step_contributions=contributions, step_totals=contributions.sum(-1)).steps
    assert said in found


def test_a_head_that_matched_neurons_read_too_is_not_called_certain():
    control = np.full_like(evidence(Plan()).upstream.matched_contrast, 3.0)
    found = _said(matched_contrast=control)
    assert "not certain" in found.pairs
    assert "40 of 40 matched neurons" in found.pairs


def test_without_held_out_pairs_nothing_is_said_to_hold_elsewhere():
    result = evidence(Plan()).upstream
    chain = {
        name: getattr(result, name)[:, :1] for name in ("chain_activation", "chain_answer")
    } | {name: getattr(result, name)[:1] for name in ("chain_activation_gap", "chain_answer_gap")}
    found = _said(pairs=result.pairs[:1], contrast=result.contrast[:1], **chain)
    assert "held-out" not in found.chain
    assert "was not tested" in found.pairs
    assert "no other pair was tested" in found.pairs_caption


def test_a_plain_mlp_is_not_called_gated():
    result = evidence(Plan()).upstream
    one = {
        name: getattr(result, name)[:1]
        for name in (
            "contributions",
            "preactivation",
            "readings",
            "cosine",
            "earlier_contributions",
            "sources",
        )
    }
    one["matched_earlier"] = result.matched_earlier[:1]
    one |= {"matched_contributions": result.matched_contributions[:1], "shares": result.shares[:1]}
    one |= {"contrast": result.contrast[:, :1], "matched_contrast": result.matched_contrast[:, :1]}
    found = _said(projections=("in",), lead="in", **one)
    assert "gated" not in found.projections
    assert "pre-activation of L3N5" in found.projections


@pytest.mark.slow
def test_a_neuron_without_heads_before_it_makes_a_page(subject, pair):
    found = upstream(subject, Neuron(0, 3), pair)
    study = evidence(Plan())
    study = dataclasses.replace(study, results={**study.results, "upstream": found})
    text = Prose(render(study)).text
    assert ("No attention head comes before it" in text) == subject.family.parallel
    assert Claims(evidence(toy_plan())).upstream.heading


def test_a_result_survives_being_saved(tmp_path, result):
    save(tmp_path, "upstream", result, evidence(Plan()).provenance["upstream"])
    back = load(tmp_path, "upstream", type(result))
    assert back.components == result.components
    assert back.step_neurons == result.step_neurons
    np.testing.assert_array_equal(back.contributions, result.contributions)


def test_every_panel_of_bars_sums_to_its_last_row(result):
    for name in ("upstream", "upstream_steps"):
        for trace in result.figure(name).data:
            *contributions, total = trace.x
            assert sum(contributions) == pytest.approx(total, abs=1e-3)


PAIR = ("--clean", CLEAN, "--corrupted", CORRUPTED)


@pytest.mark.slow
def test_the_verb_prints_parts_that_sum(answer, folder):
    document = answer("upstream", "--model", folder, *PAIR, "--neuron", "L2N5")
    assert document["neuron"] == "L2N5"
    for one in (document, *([document["up"]] if "up" in document else [])):
        assert one["sum_of_parts"] == pytest.approx(one["preactivation"], abs=1e-4)
        total = sum(row["value"] for row in one["parts"])
        assert total == pytest.approx(one["preactivation"], abs=1e-4)
    assert len(document["heads_by_source"][0]["sources"]) == len(
        document["alignment"]["activation"]
    )
    assert {step["of"] for step in document["steps_back"]}


def hooked(subject, pair, base, source, patch, neuron):
    """Activation and logit difference by plain hooks: one component patched, others held."""
    last = len(base.tokens) - 1
    at = re.compile(r"L(\d+)([HN])(\d+)")
    width = subject.bridge.blocks[0].attn.W_O[0].shape[0]

    def place(name):
        layer, kind, number = at.fullmatch(name).groups()
        begin, size = (int(number) * width, width) if kind == "H" else (int(number), 1)
        return f"blocks.{layer}.{'attn.hook_z' if kind == 'H' else 'mlp.hook_post'}", begin, size

    def columns(prompt, name):
        hook, begin, size = place(name)
        with torch.no_grad():
            _, cache = subject.bridge.run_with_cache(
                subject.batch(prompt.tokens), prepend_bos=False, names_filter=[hook]
            )
        return cache[hook][0, last].flatten()[begin : begin + size].clone()

    def setter(name, values):
        hook, begin, size = place(name)

        def put(seen, hook):
            seen = seen.clone()
            seen[0, last].view(-1)[begin : begin + size] = values
            return seen

        return hook, put

    seen = []
    hooks = [setter(name, columns(base, name)) for name in patch.held]
    hooks.append(setter(patch.patched, columns(source, patch.patched)))
    hook, begin, _ = place(neuron)
    hooks.append((hook, lambda post, hook: seen.append(float(post[0, last, begin]))))
    with torch.no_grad():
        logits = subject.bridge.run_with_hooks(
            subject.batch(base.tokens), fwd_hooks=hooks, prepend_bos=False
        )[0, -1]
    return seen[0], float(logits[pair.contrast.target_id] - logits[pair.contrast.foil_id])


def test_each_patch_along_the_chain_equals_plain_hooks_in_both_directions(subject, pair):
    result = upstream(subject, Neuron(1, 3), pair)
    head, *_, neuron = result.chain
    runs = ((pair.corrupted, pair.clean, 1), (pair.clean, pair.corrupted, -1))
    for direction, (base, source, sign) in enumerate(runs):
        untouched = hooked(subject, pair, base, base, Patch(head, ()), neuron)
        for place, patch in enumerate(result.patches):
            found = hooked(subject, pair, base, source, patch, neuron)
            activation, answer = (sign * (a - b) for a, b in zip(found, untouched, strict=True))
            assert result.chain_activation[direction, 0, place] == pytest.approx(
                activation, abs=1e-4
            )
            assert result.chain_answer[direction, 0, place] == pytest.approx(answer, abs=1e-3)


def test_what_is_held_itself_does_not_move_and_the_whole_patch_brings_all(subject, pair):
    result = upstream(subject, Neuron(1, 3), pair)
    for place, patch in enumerate(result.patches):
        if result.neuron in patch.held:
            np.testing.assert_allclose(result.chain_activation[:, 0, place], 0, atol=1e-5)
        if patch.patched == result.neuron:
            gap = result.chain_activation_gap[0]
            np.testing.assert_allclose(result.chain_activation[:, 0, place], gap, atol=1e-5)


def test_contributions_in_units_of_activation_sum_to_its_difference(subject, pair):
    result = upstream(subject, Neuron(1, 3), pair)
    clean, corrupted = result.activation[:, -1]
    assert result.activation_split.sum() == pytest.approx(clean - corrupted, abs=1e-4)


def test_the_way_through_a_neuron_is_told_as_it_is():
    through = Claims(evidence(Plan())).upstream.chain
    assert "most of it goes through our neuron" in through
    past = Claims(evidence(Plan(holds=False))).upstream.chain
    assert "most of it goes past our neuron" in past
    result = evidence(Plan()).upstream
    answer = result.chain_answer.copy()
    answer[:] = -2.0  # the head works against the answer, whatever is held
    assert "most of it goes past our neuron" in _said(chain_answer=answer).chain
