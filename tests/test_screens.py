import numpy as np
import pytest
import torch

from analysis.engines.attribution import attribute_neurons
from analysis.engines.patcher import NeuronPatcher
from analysis.experiments.neuron_sweep import screens
from analysis.experiments.neuron_sweep.screen_figures import screen_recall
from bench.estimates import integrated, propagating, relevance
from bench.screens import README, known, summed_up, with_tables
from tests.questions import make_tiny_pair
from tests.subjects import make_subject
from tests.synthetic import Plan
from tests.synthetic.neuron_sweep import neuron_sweep

EFFECTS = np.zeros((2, 200))
EFFECTS.ravel()[:300] = 3.0 - np.arange(300) / 100  # number 0 is largest, 299 smallest
EFFECTS[0, 3] *= -1  # size counts, either way


def test_a_screen_that_has_the_largest_first_misses_nothing():
    recall, missed, reach = screens.compared(EFFECTS, -2 * EFFECTS)
    assert recall == {"10": 1.0, "50": 1.0, "200": 1.0}
    assert missed == {"10": 0.0, "50": 0.0, "200": 0.0}
    assert reach == {"10": 10, "50": 50, "200": 200}


def test_what_a_screen_ranks_too_low_is_missed_and_lengthens_its_reach():
    """The fourth of the truth, 2.97 in size, comes 60th: 59 others stand before it."""
    estimates = np.abs(EFFECTS)
    estimates[0, 3] = (3.0 - 0.59) - 0.005
    recall, missed, reach = screens.compared(EFFECTS, estimates)
    assert recall == {"10": 0.9, "50": pytest.approx(0.98), "200": 1.0}
    assert missed == {"10": pytest.approx(2.97), "50": pytest.approx(2.97), "200": 0.0}
    assert reach == {"10": 60, "50": 60, "200": 200}


def test_estimates_that_err_either_way_are_right_about_the_mean_over_pairs():
    """On one pair each the estimate for the best neuron is nothing, on the other it is twice it."""
    truth = np.zeros((1, 300))
    truth[0, :20] = [*(9 - np.arange(10) / 10), *[0.1] * 10]
    wrong = np.zeros((1, 300))
    wrong[0, 0] = 9
    measured = {
        ("an", i): (2.0, (truth, 10.0), {"attribution": (truth + sign * wrong, 0.5)})
        for i, sign in enumerate((1, -1))
    }
    bench = summed_up("tiny", 300, measured, ("attribution",))
    (mean,) = bench.averaged
    assert [row.missed["10"] for row in (*bench.single, mean)] == [0, 9, 0]
    assert (mean.pairs, mean.gap, mean.seconds, mean.exact_seconds) == ((0, 1), 2.0, 1.0, 20.0)
    assert bench.missed("attribution", 10) == (9, 4.5)
    assert bench.until("attribution", 10) == pytest.approx(0.5 + (10 + 20) / 2 * 10 / 300)


def test_relevance_leaves_the_output_and_hands_on_all_of_it():
    """Without biases every rule is linear, so inputs times coefficients sum to the answer."""
    subject = make_subject("llama")
    pair = make_tiny_pair(subject)
    tokens, contrast = subject.batch(pair.clean.tokens), pair.contrast
    with propagating(subject) as model, torch.enable_grad():
        embedded = model.get_input_embeddings()(tokens).detach().requires_grad_()
        logits = model(inputs_embeds=embedded).logits[0, -1]
        answer = logits[contrast.target_id] - logits[contrast.foil_id]
        (coefficients,) = torch.autograd.grad(answer, embedded)
    torch.testing.assert_close(logits, subject.logits(pair.clean.tokens)[-1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close((coefficients * embedded).sum(), answer, atol=1e-3, rtol=1e-3)


def test_relevance_is_attribution_where_the_model_is_linear_behind_the_neuron(subject):
    """Behind the last MLP stands the final norm alone, whose scale is held: a direct effect."""
    pair = make_tiny_pair(subject)
    patcher = NeuronPatcher(subject, pair)
    resid = torch.tensor(0.0)

    def watch(_module, _args, output):
        nonlocal resid
        resid = (output if isinstance(output, torch.Tensor) else output[0])[0, -1]

    handle = subject.blocks[-1].register_forward_hook(watch)
    subject.logits(pair.corrupted.tokens)
    handle.remove()
    scale = subject.folded_norm.scale(resid)
    direction = subject.direction(pair.contrast.target_id, pair.contrast.foil_id)
    expected = patcher.delta[-1, 0] * (subject.writes(subject.n_layers - 1) @ direction) / scale
    torch.testing.assert_close(relevance(patcher)[-1], expected, atol=1e-4, rtol=1e-3)


def test_two_points_are_the_mean_of_the_gradients_at_both_prompts(subject):
    pair = make_tiny_pair(subject)
    patcher = NeuronPatcher(subject, pair)
    ends = [
        attribute_neurons(subject, p, patcher.delta, patcher.start) for p in (pair, pair.swapped)
    ]
    torch.testing.assert_close(integrated(2, patcher), sum(ends) / 2, atol=1e-4, rtol=1e-4)


def test_a_truth_is_read_again_and_measured_anew_for_other_prompts(subject, tmp_path, monkeypatch):
    pair = make_tiny_pair(subject)
    path, patcher = tmp_path / "kept" / "an-0.npz", NeuronPatcher(subject, pair)
    first, _ = known(path, patcher)
    monkeypatch.setattr(NeuronPatcher, "effects", lambda *_: pytest.fail("measured again"))
    np.testing.assert_array_equal(known(path, patcher)[0], first)
    monkeypatch.undo()
    other, _ = known(path, NeuronPatcher(subject, pair.swapped))
    assert not np.array_equal(other, first)


def test_the_screen_by_default_is_the_one_with_which_all_that_counts_is_measured_first():
    for model in screens.models():
        assert {screens.kept(model).winner(size) for size in (10, 50)} == {screens.DEFAULT}


def test_the_printed_tables_are_those_of_the_rows_that_were_kept():
    assert with_tables(README.read_text("utf-8")) == README.read_text("utf-8")


def test_the_report_tells_the_bench_in_its_own_numbers():
    bench, rows = screens.kept(), screens.kept().of("attribution")
    own, *others = bench.estimates
    assert bench.pairs == len(rows)
    assert own.recall[1] == pytest.approx(np.mean([row.recall["50"] for row in rows]))
    assert own.missed[1][0] == max(row.missed["50"] for row in rows)
    assert own.missed[1][1] == max(row.missed["50"] / row.gap for row in rows)
    assert bench.wins
    assert all(each.times > 1 for each in others)


def test_the_figure_of_the_screen_has_what_the_mean_over_pairs_came_to():
    figure, bench = screen_recall(neuron_sweep(Plan())), screens.kept()
    rows = bench.of("attribution", averaged=True)
    alone, ten, fifty, others = figure.data
    for shown, size in ((ten, "10"), (fifty, "50")):
        assert list(shown.x) == pytest.approx([row.recall[size] for row in rows], abs=1e-4)
    assert len(alone.x) == sum(len(row.pairs) for row in rows)
    assert all(other < own for other, own in zip(others.x, fifty.x, strict=True))
    low, high = figure.layout.xaxis.range
    assert all(low < x < high for shown in figure.data for x in shown.x)
    largest = [max(row.missed[size] for row in rows) for size in ("10", "50")]
    assert [logits for logits, _ in bench.screen(averaged=True).missed[:2]] == largest
