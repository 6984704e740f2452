"""The activations as a table, token by token."""

from analysis.experiments.activations.compute import Activations
from analysis.tables import Listing, Rows


def _tokens(result: Activations) -> Rows:
    where = result.text(0)
    columns = zip(
        result.tokens[where],
        result.activations[where].tolist(),
        result.p_target[where].tolist(),
        strict=True,
    )
    names = ("token", "activation", "probability of target")
    return [dict(zip(names, row, strict=True)) for row in columns]


LISTING = Listing("The text's numbers, token by token", _tokens, folded=True)
