"""The census: blocks against brute force, merged spellings, pairs against permuted pairs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.claims import Claims
from analysis.engines.reading import Reading, windows
from analysis.experiments.census import figures
from analysis.experiments.census.compute import census, summary
from analysis.neuron import Neuron
from analysis.weights.agreement import _by_outcome, _moments, _read, agreement, draw_windows
from analysis.weights.congruence import (
    MEASURES,
    MINUS,
    Block,
    Surveyor,
    scales,
    unit_name,
    unit_neuron,
)
from analysis.weights.cross import OUTCOMES, CrossMoments, rank_correlation
from analysis.weights.orders import ORDERS, orders
from analysis.weights.pairs import Pairs, by_token, by_word, mutual
from analysis.weights.words import leaders, words
from tests.questions import CLEAN, CORRUPTED, default_pair, make_tiny_pair
from tests.subjects import make_subject
from tests.synthetic import Plan, changed, evidence

TEXTS = [
    (0, f"{CLEAN} an apple. {CORRUPTED} a lemon."),
    (1, "She saw an owl. He ate the fruit and they found his old red house."),
    (2, "We saw the umbrella tree under the big green house and it was an egg"),
]


def everything(subject):
    """All logits of all units at once, by measure: [unit, token]."""
    writes = torch.cat([subject.W_out(layer) for layer in range(subject.n_layers)])
    raw = writes @ subject.W_U
    centred = raw - raw.mean(1, keepdim=True)
    found = {
        "raw": raw,
        "centred": centred,
        "standardised": centred / centred.std(1, correction=0, keepdim=True),
    }
    return {m: torch.cat([v, -v]) if subject.family.gated else v for m, v in found.items()}


def surveyed(subject, block):
    surveyor = Surveyor(subject, block)
    for start in surveyor.starts():
        surveyor.read(start)
    return surveyor.survey()


@pytest.mark.slow
@settings(max_examples=12)
@given(
    architecture=st.sampled_from(["gpt2", "llama", "gpt_neox"]),
    neurons=st.integers(20, 200),
    tokens=st.integers(9, 100),
)
def test_any_blocks_find_what_the_full_matrix_shows(architecture, neurons, tokens):
    subject = make_subject(architecture)
    survey = surveyed(subject, Block(neurons, tokens))
    for measure, logits in everything(subject).items():
        top = logits.topk(2, dim=0)
        torch.testing.assert_close(survey.best[measure], top.values.T, atol=1e-4, rtol=1e-4)
        assert torch.equal(survey.units[measure], top.indices.T)
    peak = everything(subject)["centred"].amax(1)
    torch.testing.assert_close(survey.peak, peak, atol=1e-4, rtol=1e-4)


def test_mutual_pairs_are_those_of_the_full_matrix(subject):
    survey = surveyed(subject, Block(7, 11))
    for measure, logits in everything(subject).items():
        first_unit, first_token = logits.argmax(0), logits.argmax(1)
        found = by_token(survey, measure)
        expected = [t for t, u in enumerate(first_unit.tolist()) if first_token[u] == t]
        assert sorted(mutual(survey, found, measure).tolist()) == expected


def test_pairs_have_the_gaps_and_scores_of_the_full_matrix_with_spellings_merged(subject, pair):
    result = census(subject, pair.contrast)
    word = words(subject)
    for place, logits in enumerate(everything(subject).values()):
        merged = torch.stack([logits[:, word == w].amax(1) for w in range(word.max() + 1)], 1)
        by_unit, by_token_ = merged.topk(2, dim=0), merged.topk(2, dim=1)
        expected = {}
        for w, u in enumerate(by_unit.indices[0].tolist()):
            if by_token_.indices[u, 0] == w:
                gaps = [float(v[0] - v[1]) for v in (by_unit.values[:, w], by_token_.values[u])]
                expected[unit_name(subject, u)] = gaps
        rows = np.flatnonzero(result.pair_measure == place)
        assert len(rows) == result.mutual[place, 0] == len(expected)
        for row in rows:
            gaps = [result.pair_token_gap[row], result.pair_neuron_gap[row]]
            assert gaps == pytest.approx(expected[result.pair_units[row]], abs=1e-3)
        assert (np.diff(result.pair_score[rows]) <= 0).all()


def test_merging_spellings_keeps_a_subset_of_pairs_never_lowers_a_neuron_gap_nor_raises_a_token_gap(
    subject,
):
    survey, word = surveyed(subject, Block()), words(subject)
    assert word.max() + 1 < subject.d_vocab  # "I" and " I", "the" in two spellings
    for measure in MEASURES:
        single, merged = by_token(survey, measure), by_word(survey, word, measure)
        alone = {(single.unit[t], t) for t in mutual(survey, single, measure).tolist()}
        kept = mutual(survey, merged, measure)
        assert {(merged.unit[w], merged.token[w]) for w in kept.tolist()} <= alone
        tokens = merged.token[kept]
        lost = (single.value - single.second)[tokens] - (merged.value - merged.second)[kept]
        assert (lost >= 0).all()
    result = census(subject, make_contrast_of(subject))
    score = result.pair_score / np.maximum(result.pair_token_gap, 1e-9)
    assert np.allclose(score, result.pair_neuron_gap)


def make_contrast_of(subject):
    return make_tiny_pair(subject).contrast


@settings(max_examples=50)
@given(st.data())
def test_the_two_best_of_each_token_hold_the_two_best_of_each_word(data):
    seed = data.draw(st.integers(0, 10**6))
    generator = np.random.default_rng(seed)
    units, tokens = generator.integers(2, 8), generator.integers(1, 12)
    values = generator.normal(size=(units, tokens))
    word = np.unique(generator.integers(0, tokens, tokens), return_inverse=True)[1]
    order = np.argsort(-values, axis=0)[:2].T
    found = leaders(word, np.take_along_axis(values.T, order, 1), order)
    for w in range(word.max() + 1):
        best = values[:, word == w].max(1)
        first, second = np.argsort(-best)[:2]
        assert found.unit[w] == first
        assert (found.value[w], found.second[w]) == (best[first], best[second])
        assert values[first, found.token[w]] == best[first]


def test_spellings_of_a_word_are_one_and_tokens_without_letters_are_each_their_own(subject):
    word = words(subject)
    ids = {subject.string(i): i for i in range(subject.d_vocab)}
    assert word[ids["I"]] == word[ids[" I"]]
    assert word[ids[" she"]] == word[ids["She"]]
    assert word[ids[" a"]] != word[ids[" an"]]
    assert len(set(word.tolist())) == word.max() + 1


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gpt_neox"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_neuron_is_found_with_its_score(architecture, sign):
    subject = make_subject(architecture)
    contrast, neuron = make_contrast_of(subject), Neuron(1, 7)
    column = subject.W_U[:, contrast.target_id] - subject.W_U.mean(1)
    with torch.no_grad():
        subject.bridge.blocks[1].mlp.W_out[7] = sign * 50 * column / column.norm()
    result = census(subject, contrast)
    if sign < 0 and not subject.family.gated:
        assert result.neuron != str(neuron)  # a plain neuron does not fire below zero
        return
    name = f"{neuron}{MINUS if sign < 0 else ''}"
    assert result.neuron == name
    assert result.order_rank[:2].tolist() == [1, 1]
    assert (result.own_gaps[1] > 0).all()
    row = np.flatnonzero((result.pair_measure == 1) & (np.array(result.pair_units) == name))
    logits = everything(subject)["centred"]
    unit = 7 + subject.d_mlp + (sign < 0) * subject.n_layers * subject.d_mlp
    expected = [logits[unit, contrast.target_id] - logits[:, contrast.target_id].topk(2).values[1]]
    expected.append(-logits[unit].topk(2).values.diff()[0])
    gaps = [result.pair_token_gap[row[0]], result.pair_neuron_gap[row[0]]]
    assert gaps == pytest.approx([float(x) for x in expected], rel=1e-3)
    assert result.own_rank[1] == row[0] - np.flatnonzero(result.pair_measure == 1)[0] + 1


def test_both_directions_of_a_gated_neuron_count_and_only_one_of_a_plain_one(subject, pair):
    result = census(subject, pair.contrast)
    turned = [name for name in result.pair_units if name.endswith(MINUS)]
    assert bool(turned) == (result.directions == 2) == subject.family.gated


def test_a_hub_by_its_mean_alone_is_no_hub_once_centred(subject, pair):
    """A write along the mean of the unembedding raises all tokens alike, and softmax none."""
    with torch.no_grad():
        subject.unembedding.add_(torch.ones(subject.d_model) * 2)
        centre = subject.W_U.mean(1)
        subject.bridge.blocks[0].mlp.W_out[3] = 500 * centre / centre.norm()
    result = census(subject, pair.contrast)
    rows = np.flatnonzero(result.hub_measure == 0)
    assert result.hub_units[rows[0]] == "L0N3"
    assert result.hub_counts[rows[0]] > 0.9 * result.vocabulary
    survey = surveyed(subject, Block())
    share = (survey.units["standardised"][:, 0] == 3).float().mean()
    assert share < 0.5


def test_a_block_of_one_neuron_and_few_tokens_is_no_exception():
    subject = make_subject("gpt2")
    survey = surveyed(subject, Block(1, 40))
    assert torch.equal(survey.units["raw"], everything(subject)["raw"].topk(2, dim=0).indices.T)


def test_correlations_are_those_of_all_tokens_read_at_once(subject):
    """Each window read alone with hooks; its first token is left out."""
    texts = list(windows(subject, TEXTS, 9))
    neurons = subject.n_layers * subject.d_mlp
    units = [3, subject.d_mlp + 1, neurons - 2, 5 + (neurons if subject.family.gated else 0)]
    tokens = [subject.tokens(text)[-1] for text in (" an", " a", " the", ".")]
    moments = _moments(subject, units, tokens)
    _read(subject, [moments], texts, lambda _: None)
    active, predicted, following = [], [], []
    for window in texts:
        hooked = subject.cache(window.tokens, "mlp.hook_post")["mlp.hook_post"]
        own = [hooked[n.layer, 1:, n.number] for n in (unit_neuron(subject, u) for u in units)]
        active.append(torch.stack(own, 1))
        predicted.append(subject.logits(window.tokens).log_softmax(-1)[1:, tokens])
        following += [*window.tokens[2:], -1][: len(window.tokens) - 1]
    active = torch.cat(active) * torch.tensor([1, 1, 1, -1 if subject.family.gated else 1])
    active, predicted = active.double().numpy(), torch.cat(predicted).double().numpy()
    assert moments.count == len(active)
    seen = np.array(following)[:, None] == np.array(tokens)
    outcomes = (predicted, np.exp(predicted), seen.astype(float))
    everywhere, known = np.ones(len(active), dtype=bool), np.array(following) >= 0
    assert not known.all()  # a window's last token has no next one, and says nothing of it
    read = (everywhere, everywhere, known)
    for outcome, every, where in zip(OUTCOMES, outcomes, read, strict=True):
        found, values, own = moments.correlations(outcome), every[where], active[where]
        for (i, j), value in np.ndenumerate(found):
            if values[:, j].std() and own[:, i].std():
                expected = np.corrcoef(own[:, i], values[:, j])[0, 1]
                assert value == pytest.approx(expected, abs=1e-4)
            else:
                assert value == 0
    assert moments.follows.tolist() == seen.sum(0).tolist()


def as_pairs(units, tokens):
    gaps = np.linspace(2, 1, len(units))
    return Pairs(np.array(units), np.array(tokens), *[gaps] * 4)


@pytest.mark.slow
def test_a_neuron_made_to_fire_with_a_prediction_agrees_and_permuted_pairs_do_not(pair_of_texts):
    """The last layer's neurons write straight to the logits; long writes decide the prediction."""
    subject, texts = pair_of_texts
    neurons = list(range(2 * subject.d_mlp, 2 * subject.d_mlp + 12))
    tokens = list(range(10, 22))
    with torch.no_grad():
        for unit, token in zip(neurons, tokens, strict=True):
            column = subject.W_U[:, token] - subject.W_U.mean(1)
            place = unit - 2 * subject.d_mlp
            subject.bridge.blocks[2].mlp.W_out[place] = 9 * column / column.norm()
    found = agreement(subject, [as_pairs(neurons, tokens)], (neurons[0], tokens[0]), texts)
    shuffled = as_pairs(neurons, tokens[5:] + tokens[:5])
    nothing = agreement(subject, [shuffled], (neurons[0], tokens[0]), texts)
    gained, none = found.advantage[0, 0, 0], nothing.advantage[0, 0, 0]
    assert gained[1] > 0.2  # the interval's lower end
    assert abs(none[0]) < gained[1]
    assert found.first[0, 0, 0] > 0.5 > nothing.first[0, 0, 0]
    assert found.own_counts[0, 0].sum() == 12
    assert found.other_counts[0, 0].sum(-1).tolist() == [12 * 11] * 2  # all of one layer


@pytest.fixture(params=["gpt2", "llama", "gpt_neox"])
def pair_of_texts(request):
    subject = make_subject(request.param)
    return subject, list(windows(subject, TEXTS, 20))


def test_without_texts_there_is_no_behaviour_and_it_is_told_as_none(subject, pair):
    result = census(subject, pair.contrast)
    assert (result.agreement_tokens, result.windows) == (0, 0)
    assert np.isnan(result.own_correlation).all()
    assert not result.pairs_read.any()
    assert summary(result)["behaviour"] is None


def test_one_window_of_each_document_is_drawn(subject):
    drawn = draw_windows(subject, TEXTS, 6, seed=1)
    assert [w.document for w in drawn] == [0, 1, 2]
    assert max(len(w.tokens) for w in drawn) <= 6 + subject.prepend_bos
    assert drawn == draw_windows(subject, TEXTS, 6, seed=1)
    starts = {tuple(w.start for w in draw_windows(subject, TEXTS, 6, seed=s)) for s in range(9)}
    assert len(starts) > 1


def test_the_same_seed_gives_the_same_census_and_progress_ends_at_one(subject, pair):
    texts, fractions = list(windows(subject, TEXTS, 20)), []
    first = census(subject, pair.contrast, texts, seed=3, progress=fractions.append)
    again = census(subject, pair.contrast, texts, seed=3)
    np.testing.assert_array_equal(first.advantage, again.advantage)
    assert first.pair_units == again.pair_units
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_the_embedded_models_neurons_for_an(embedded):
    """Issue numbers; the product with one token needs no census."""
    contrast = default_pair(embedded).contrast
    found = orders(embedded, scales(embedded, Block()), contrast, None)
    by = {name: (found.names[i], found.values[i]) for i, name in enumerate(ORDERS)}
    assert found.unit == 25 * 1536 + 1527
    assert by["raw"][0][:2] == ("L25N1527", "L27N554")
    assert by["raw"][1][0] == pytest.approx(11.47, abs=0.01)
    assert by["difference"][0][0] == by["embedding"][0][0] == "L25N1527"
    assert by["difference"][1][0] == pytest.approx(15.31, abs=0.01)
    assert by["centred"][0][:4] == (f"L29N645{MINUS}", f"L29N471{MINUS}", "L25N1527", "L27N554")
    assert by["standardised"][0][0] == "L29N720"
    assert found.rank.tolist() == [1, 3, 7, 1, 1]


def test_one_block_of_the_embedded_model_has_one_hub_for_most_tokens(embedded):
    surveyor = Surveyor(embedded, Block(tokens=512))
    surveyor.read(20480)  # the first tokens of the vocabulary are the commonest, and escape it
    first = surveyor.survey().units["raw"][20480:20992, 0]
    assert (first == 29 * 1536 + 645).float().mean() > 0.5


def test_the_verb_answers_in_json(answer, llama_folder):
    options = ("--no-behaviour", "--top", 3, "--token", " apple")
    found = answer("census", "--model", llama_folder, *options)
    assert {"pairs", "for_token", "hubs", "behaviour"} <= set(found)
    assert found["target"] == " apple"
    assert found["behaviour"] is None
    assert len(found["pairs"]) <= 3
    assert {"token", "neuron", "score"} <= set(found["pairs"][0])
    assert found["for_token"][0]["neuron"] == found["neuron"]


def test_neurons_that_go_with_their_word_in_both_directions_are_said_to_be_about_it():
    study = evidence(Plan())
    signs = study.census.correlation.copy()
    signs[..., 0] = 0.02
    claims = Claims(changed(study, "census", correlation=signs)).census
    assert claims.behaviour_heading.startswith("Congruence tells which word")
    assert "neurons that hold a word back" in claims.behaviour
    assert "neurons that hold a word back" not in Claims(study).census.behaviour


def test_a_census_that_read_no_text_says_so_on_page_and_in_figure():
    nothing = {"agreement_tokens": 0, "windows": 0}
    study = changed(evidence(Plan()), "census", **nothing)
    assert "was not asked" in Claims(study).census.behaviour_heading
    assert "Nothing to draw" in figures.agreement(study.census).to_json()


def test_the_figure_marks_the_asked_pair_only_where_it_is_one():
    there, missing = (
        figures.census(evidence(Plan(holds=holds)).census).to_json() for holds in (True, False)
    )
    assert "no mutual pair" not in there
    assert "no mutual pair" in missing


GAPS = st.floats(0.0, 30.0).map(lambda gap: round(gap, 2))


@given(st.lists(st.tuples(GAPS, GAPS, st.text("abc ", min_size=1, max_size=9)), max_size=30))
def test_a_name_beside_a_dot_covers_no_other_and_has_room(pairs):
    across, up, names = zip(*pairs, strict=True) if pairs else ((), (), ())
    study = changed(
        evidence(Plan(holds=False)), "census", pair_measure=np.zeros(len(pairs), int),
        pair_units=("L0N0",) * len(pairs), pair_tokens=names, pair_neuron_gap=np.array(across),
        pair_token_gap=np.array(up), pair_single_score=np.array(across),
    )  # fmt: skip
    figure = study.census.figure("census")
    dots = figure.data[0]
    assert len(dots.x) == sum(min(pair[:2]) > 0 for pair in pairs)
    places = np.log10(np.array([dots.x, dots.y], dtype=float).reshape(2, -1)).T
    for (x, y), name, side in zip(places, dots.text, dots.textposition or (), strict=False):
        if not name:
            continue
        width = figures.LETTER * len(name)
        low, high = sorted((x, x + (width if side == "middle right" else -width)))
        within = (low < places[:, 0]) & (places[:, 0] < high) & (places[:, 0] != x)
        assert not (within & (np.abs(places[:, 1] - y) < figures.APART[1] / 3)).any()
        assert high < figure.layout.xaxis.range[1]


def test_a_pair_that_another_spelling_or_neuron_spoils_has_no_score_with_every_spelling_a_rival():
    study = evidence(Plan())
    for spoilt in ((-2.0, -3.0), (-2.0, 3.0), (2.0, 0.0)):
        gaps = study.census.own_gaps.copy()
        gaps[:, 1] = spoilt
        claims = Claims(changed(study, "census", own_gaps=gaps)).census.pair
        assert claims.endswith("With every spelling a rival they would not be each other’s best.")
    assert "would be 2.25" in Claims(study).census.pair


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=12))
def test_rank_correlation_is_pearsons_of_ranks_that_equals_share(items):
    first, second = (np.array(column, dtype=float) for column in zip(*items, strict=True))
    rho, low, high = rank_correlation(first, second, seed=0)
    ranks = [[(v > x).sum() + ((v == x).sum() - 1) / 2 for v in x] for x in (first, second)]
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert np.isnan([rho, low, high]).all()
    else:
        assert rho == pytest.approx(np.corrcoef(ranks)[0, 1])
        assert -1 - 1e-9 <= low <= high <= 1 + 1e-9


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_a_neuron_that_never_changes_is_left_out_everywhere(level):
    generator = torch.Generator().manual_seed(0)
    active = torch.rand(90, 3, generator=generator)
    active[:, 1] = level
    moments = CrossMoments([0, 0, 0], [0, 1, 2], [1, 1, 1], [3, 4, 5])
    logits = torch.randn(90, 7, generator=generator)
    own, token = torch.ones(90, dtype=torch.bool), torch.arange(90) % 7
    reading = Reading(token, token, token, token, logits, {0: active}, {}, {})
    moments.add(reading, logits.logsumexp(-1), own)
    found = _by_outcome(moments, np.array([3.0, 2.0, 1.0]), "probability", 0)
    kept = moments.correlations("probability")[np.ix_([0, 2], [0, 2])]
    assert found["pairs_read"] == found["own_counts"].sum() == 2
    assert found["other_counts"][0].sum() == 2
    assert found["correlation"][0] == pytest.approx(np.diag(kept).mean())
    assert found["first"][0] == (np.diag(kept) >= kept.max(1)).mean()


def test_pairs_left_out_for_a_neuron_that_never_changes_are_counted_on_the_page():
    study = evidence(Plan())
    assert "never changes" not in Claims(study).census.behaviour
    fewer = changed(study, "census", pairs_read=study.census.pairs_read - 1)
    assert "(1 pair more cannot be asked" in Claims(fewer).census.behaviour


def test_from_one_pair_no_verdict_is_drawn():
    study = evidence(Plan())
    unknown = np.full_like(study.census.size_advantage, np.nan)
    claims = Claims(changed(study, "census", size_advantage=unknown)).census
    assert claims.behaviour_heading.startswith("Too few pairs to tell")
    assert "too few to tell from chance" in claims.behaviour


def test_close_spellings_and_other_measures_are_told_only_where_they_matter():
    study = evidence(Plan())
    claims = Claims(study).census
    assert claims.heading == "Of all neurons, none writes the word more"
    assert "close behind" not in claims.pair
    gaps, ranks = study.census.own_gaps.copy(), study.census.order_rank.copy()
    gaps[:, 1], ranks[1:3] = 0.1, 5
    other = Claims(changed(study, "census", own_gaps=gaps, order_rank=ranks)).census
    assert "close behind" in other.pair
    assert other.heading == "First of all neurons for the word, by one measure and not by another"
