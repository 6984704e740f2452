import ast
import dataclasses
import gc
import os
import shutil
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import code_version as code
from analysis import results
from analysis.code_version import code_version, imported, path_of, reached
from analysis.errors import UserError
from analysis.experiments import named
from analysis.experiments.logit_lens.compute import LogitLens
from analysis.numbers.estimates import mean_of_groups
from analysis.numbers.statistics import for_few, ratio_interval, share_interval
from analysis.result import Result

MADE = results.Provenance(
    "logit_lens", "tiny", "random weights", "seed 0", {"clean": "x"}, {"torch": "2"},
    "cpu", "float32", "c0de", "2023-02-12T00:00:00+00:00", 1.5,
)  # fmt: skip


def lens(texts=("a", "b"), values=((0.5, 1.0, 2.0), (0.0, -1.0, 3.25))):
    return LogitLens(
        tuple(texts), " an", " a", ("0_pre", "0_mid", "final_post"),
        np.array(values, dtype=np.float32), np.array([2.0, 3.25], dtype=np.float32),
    )  # fmt: skip


@pytest.mark.slow
@given(st.lists(st.text(), min_size=2, max_size=2))
def test_a_result_is_read_back_as_it_was(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("results")
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    results.save(folder, "logit_lens", lens(texts), MADE)
    back = results.load(folder, "logit_lens", LogitLens)
    for field in dataclasses.fields(LogitLens):
        np.testing.assert_array_equal(
            getattr(back, field.name), getattr(lens(texts), field.name), strict=False
        )
    assert results.provenance(folder, "logit_lens") == MADE


class Parses:
    """Garbage that has Python parse something when it is collected."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        ast.parse("(1, [2, (3,)])")


def test_what_is_parsed_at_the_same_time_spoils_neither_a_result_nor_a_checksum(tmp_path):
    """Python up to 3.11.7 and 3.12.1 loses count of two trees that it makes at one time."""
    results.save(tmp_path, "logit_lens", lens(), MADE)
    shape = code._read("analysis.results")
    often = gc.get_threshold()
    gc.set_threshold(20)
    try:
        for _ in range(20):
            Parses()
            assert results.load(tmp_path, "logit_lens", LogitLens).prompts == lens().prompts
            Parses()
            assert code._read.__wrapped__("analysis.results") == shape
    finally:
        gc.set_threshold(*often)


def test_a_link_stays_a_link_and_what_is_no_file_is_not_written_over(tmp_path):
    target, link, pipe = (tmp_path / name for name in ("target", "link", "pipe"))
    target.write_text("old")
    link.symlink_to(target)
    with results.atomic(link) as scratch:
        scratch.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    os.mkfifo(pipe)
    with pytest.raises(UserError, match="is no file, and is not written over"):
        results.atomic(pipe).__enter__()
    assert pipe.is_fifo()
    assert len([*tmp_path.iterdir()]) == 3


def test_a_disk_that_is_full_names_the_file_that_did_not_fit(tmp_path):
    with pytest.raises(OSError, match="No space left") as found, results.atomic(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert found.value.filename == str(tmp_path / "a")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "verb"), [("lens", "study"), ("transplant.back", "transplant")])
def test_a_damaged_result_names_the_verb_that_makes_it(name, verb, tmp_path):
    (tmp_path / f"{name}.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match=f"delete it and run `an-neuron {verb}"):
        results.load_plain(tmp_path, name)


def test_fields_of_many_numbers_are_kept_to_four_digits_and_others_as_they_are(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Many(Result):
        rounded = ("drawn",)
        drawn: np.ndarray
        exact: np.ndarray

    values = np.random.default_rng(0).normal(size=1000).astype(np.float32) * np.float32(1e-3)
    special = np.array([0, -np.inf, np.nan], np.float32)
    results.save(tmp_path, "many", Many(np.append(values, special), values), MADE)
    back = results.load(tmp_path, "many", Many)
    np.testing.assert_array_equal(back.exact, values)
    np.testing.assert_array_equal(back.drawn[1000:], special)
    error = np.abs(back.drawn[:1000] - values) / np.abs(values)
    assert 0 < error.max() <= 2**-14  # half of the last of 13 binary places
    assert len(np.unique(back.drawn.view(np.uint32) % 2**10)) == 1


def test_an_interrupted_save_leaves_the_old_result_and_no_litter(tmp_path, monkeypatch):
    results.save(tmp_path, "lens", lens(), MADE)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(np, "savez_compressed", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        results.save(tmp_path, "lens", lens(values=((9, 9, 9), (9, 9, 9))), MADE)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("damage", ["json", "npz", "form", "pair"])
def test_a_damaged_result_is_named_with_its_cure(tmp_path, damage):
    results.save(tmp_path, "lens", lens(), MADE)
    if damage == "form":
        (tmp_path / "lens.json").write_text('{"provenance": {}, "result": {"surprise": 1}}')
    elif damage == "pair":
        results.save(tmp_path, "other", lens(values=((9, 9, 9), (9, 9, 9))), MADE)
        (tmp_path / "other.npz").replace(tmp_path / "lens.npz")
    else:
        path = tmp_path / f"lens.{damage}"
        os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(UserError, match="damaged or of another version: delete it and run"):
        results.load(tmp_path, "lens", LogitLens)


def test_a_missing_result_is_named_with_its_cure(tmp_path):
    with pytest.raises(UserError, match="run `an-neuron study` first"):
        results.load(tmp_path, "lens", LogitLens)


def test_code_version_follows_imports_but_not_comments(tmp_path, monkeypatch):
    from analysis import code_version as module

    def version(a, b):
        (tmp_path / "a.py").write_text(a)
        (tmp_path / "b.py").write_text(b)
        module._read.cache_clear()
        return code_version("a")

    with monkeypatch.context() as patch:
        patch.setattr(module, "ROOT", tmp_path)
        first = version("from b import f\n", "def f():\n    return 1\n")
        said = version("# why\nfrom b import f\n", 'def f():\n    """One."""\n    return 1\n')
        changed = version("from b import f\n", "def f():\n    return 2\n")
    module._read.cache_clear()
    assert first == said != changed


def test_constants_that_count_as_nothing_are_five_different_ones():
    from analysis import code_version as module

    constants = ("None", "0", "0.0", "False", "''", "()", "-1")
    shapes = [module._shape(ast.parse(f"x.sum({constant})")) for constant in constants]
    assert all(shapes.count(shape) == 1 for shape in shapes)
    assert module._shape(ast.parse("f( 0 )  # why")) == module._shape(ast.parse("f(0)"))


def test_the_sweeps_code_reaches_its_engine_but_no_figure():
    modules = reached("analysis.experiments.neuron_sweep.compute")
    assert {"analysis.engines.tail", "analysis.engines.patcher", "analysis.subject"} <= modules
    assert not any("figures" in name for name in modules)
    assert "analysis.engines.tail" in imported("analysis.engines.patcher")
    assert path_of("analysis").name == "__init__.py"


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """Edits a copy of the code, whose checksums are taken from then on."""
    shutil.copytree(code.ROOT / "analysis", tmp_path / "analysis")

    def edit(module, old, new):
        path = tmp_path / "analysis" / module
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))
        code._read.cache_clear()

    with monkeypatch.context() as patched:
        patched.setattr(code, "ROOT", tmp_path)
        code._read.cache_clear()
        yield edit
    code._read.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "constant"),
    [("experiments/comparison/compute.py", "SHOWN"), ("numbers/statistics.py", "RESAMPLES")],
)
def test_a_step_is_stale_when_what_computes_it_changes(edited, module, constant):
    before = named("comparison").code
    edited(module, f"\n{constant} = ", f"\n{constant} = 2 * ")
    assert named("comparison").code != before


@pytest.mark.slow
def test_a_step_is_not_stale_when_only_what_shows_it_changes_or_what_it_does_not_read(edited):
    before = named("comparison").code
    edited("experiments/comparison/compute.py", '"""Neurons told per', '"""Neurons named per')
    edited("experiments/comparison/__init__.py", 'title="', 'title="The ')
    edited("experiments/comparison/figures.py", "import numpy", "import re, numpy")
    edited("experiments/census/compute.py", "FOLLOWED = ", "FOLLOWED = 2 * ")
    edited("result.py", "def figure(", "def drawn(")
    assert named("comparison").code == before


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(1, 5)), min_size=2, max_size=30))
def test_an_interval_holds_its_ratio_and_of_like_samples_has_no_width(samples):
    parts, wholes = (np.array(column) for column in zip(*samples, strict=True))
    low, high = ratio_interval(parts, wholes, seed=0)
    assert low - 1e-9 <= parts.sum() / wholes.sum() <= high + 1e-9
    same = ratio_interval(2 * wholes, wholes, seed=0)
    assert same == pytest.approx((2, 2))


@pytest.mark.slow
@pytest.mark.parametrize("samples", [2, 3, 4, 6, 10, 20])
@pytest.mark.parametrize(("comparisons", "most"), [(1, 0.09), (12, 0.02)])
def test_of_noise_hardly_more_intervals_leave_out_zero_than_they_say(samples, comparisons, most):
    noise = np.random.default_rng(samples).normal(0, 1, (400, samples))
    spans = np.array([ratio_interval(row, np.ones(samples), 0, comparisons) for row in noise])
    assert ((spans[:, 0] > 0) | (spans[:, 1] < 0)).mean() <= most


@pytest.mark.parametrize(
    ("tail", "freedom", "tabulated"),
    [(0.025, 1, 12.706), (0.025, 4, 2.776), (0.005, 9, 3.250), (0.0005, 19, 3.883)],
)
def test_student_s_t_is_that_of_the_tables(tail, freedom, tabulated):
    """Ends that lie one normal quantile from the estimate end up at t, but for the bias of few."""
    z = NormalDist().inv_cdf(1 - tail)
    low, high = for_few(0.0, np.array([-z, z]), freedom + 1, tail)
    assert high == pytest.approx(tabulated * np.sqrt((freedom + 1) / freedom), rel=2e-4)
    assert low == -high


@pytest.mark.slow
def test_intervals_of_several_comparisons_hold_together_where_single_ones_do_not():
    """Ten changes that are all nothing: some interval leaves out zero in 5 % of the trials."""
    changes = np.random.default_rng(1).normal(0, 1, (30, 10, 60))
    wholes = np.ones(60)

    def misses(comparisons):
        spans = [[ratio_interval(c, wholes, 0, comparisons) for c in trial] for trial in changes]
        return sum(any(low > 0 or high < 0 for low, high in trial) for trial in spans)

    assert misses(10) <= 3 < 10 <= misses(1)


def test_there_is_no_interval_of_shares_of_a_whole_that_may_be_nothing():
    wholes = np.array([1.0, -1.0, 1.0, -1.0])
    assert np.isnan(ratio_interval(np.ones(4), wholes, seed=0)).all()
    assert np.isnan(ratio_interval(np.zeros(0), np.zeros(0), seed=0)).all()


def test_one_sample_gives_no_interval():
    assert np.isnan(ratio_interval(np.array([2.0]), np.array([3.0]), seed=0)).all()
    one_group = mean_of_groups(np.array([1.0, 3.0]), np.array([7, 7]))
    assert one_group.mean == 2.0
    assert np.isnan(one_group[1:]).all()


def test_a_share_never_seen_still_has_an_upper_limit():
    low, high = share_interval(0, 300)
    assert low == 0.0
    assert 0.01 < high < 0.013  # about z^2 / n = 3.84 / 300


def test_half_is_in_the_middle_of_its_interval():
    low, high = share_interval(50, 100)
    assert (low + high) / 2 == pytest.approx(0.5)
    assert high - low == pytest.approx(0.19, abs=0.005)  # about 2 * 1.96 * sqrt(0.25 / 104)
