"""Ridge regression from sums is ridge regression, and its held-out error is the true one."""

import torch

from analysis.engines.ridge import Sums, fit

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(120, 6, generator=GENERATOR, dtype=torch.float64)
Y = X @ torch.randn(6, 2, generator=GENERATOR, dtype=torch.float64) + torch.randn(
    120, 2, generator=GENERATOR, dtype=torch.float64
)


def sums(x, y):
    made = Sums.empty(x.shape[1], y.shape[1])
    for begin in range(0, len(x), 7):
        made.add(x[begin : begin + 7], y[begin : begin + 7])
    return made


def obvious(x, y, penalty):
    """Ridge regression as least squares with rows for the penalty."""
    scale = (penalty * x.square().sum() / x.shape[1]).sqrt()
    rows = torch.cat([x, scale * torch.eye(x.shape[1], dtype=x.dtype)])
    padded = torch.cat([y, torch.zeros(x.shape[1], y.shape[1], dtype=y.dtype)])
    return torch.linalg.lstsq(rows, padded).solution.T


def test_sums_give_the_weights_and_errors_of_the_samples_themselves():
    made = sums(X, Y)
    for penalty in (1e-6, 0.1, 3.0):
        weights = made.solved(penalty)
        torch.testing.assert_close(weights, obvious(X, Y, penalty))
        torch.testing.assert_close(made.error(weights), (Y - X @ weights.T).square().sum(0))


def test_the_penalty_is_that_of_the_least_error_on_samples_held_out():
    parts = X[:40], X[40:80], X[80:]
    values = Y[:40], Y[40:80], Y[80:]
    penalties = (1e-6, 1e-2, 0.3, 10.0)
    errors = torch.zeros(len(penalties), 2, dtype=torch.float64)
    for i, penalty in enumerate(penalties):
        for held in range(3):
            rest = [j for j in range(3) if j != held]
            x, y = (torch.cat([part[j] for j in rest]) for part in (parts, values))
            weights = obvious(x, y, penalty)
            errors[i] += (values[held] - parts[held] @ weights.T).square().sum(0)
    found = fit([sums(x, y) for x, y in zip(parts, values, strict=True)], penalties)
    spread = (Y - Y.mean(0)).square().sum(0)
    torch.testing.assert_close(found.explained, 1 - errors.min(0).values / spread)
    assert found.penalty.tolist() == [penalties[i] for i in errors.argmin(0)]


def test_a_value_that_no_feature_knows_is_explained_in_no_part():
    noise = torch.randn(120, 1, generator=GENERATOR, dtype=torch.float64)
    halves = [sums(X[:60], noise[:60]), sums(X[60:], noise[60:])]
    assert float(fit(halves).explained) < 0.05


def test_a_weight_counts_a_sample_so_many_times():
    weighted, repeated = Sums.empty(6, 2), Sums.empty(6, 2)
    times = torch.arange(120) % 3
    weighted.add(X, Y, times.float())
    repeated.add(X.repeat_interleave(times, 0), Y.repeat_interleave(times, 0))
    for found, expected in zip(weighted.parts, repeated.parts, strict=True):
        torch.testing.assert_close(found, expected)
