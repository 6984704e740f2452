"""Numbers and verdicts, read off the Result."""

from dataclasses import dataclass

from tests.toy_experiment.compute import ToyExperiment


@dataclass(frozen=True)
class Facts:
    """How many tokens are long, of how many, and whether most are."""

    long: int
    tokens: int
    least: int
    longest: str
    mostly_long: bool


def facts(result: ToyExperiment) -> Facts:
    """Count the long ones."""
    long = int((result.letters >= result.least).sum())
    return Facts(
        long=long,
        tokens=len(result.tokens),
        least=result.least,
        longest=result.tokens[int(result.letters.argmax())],
        mostly_long=2 * long > len(result.tokens),
    )
