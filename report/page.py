"""The page as one HTML text."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.claims import make_claims
from analysis.claims.wording import token
from analysis.evidence import Evidence
from analysis.figures.tokens import token_rows
from report.links import LOCAL
from report.panels import panels, themes


def environment() -> Environment:
    """Templates that escape everything, and fail on a name that is not there."""
    return Environment(
        loader=PackageLoader("report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(evidence: Evidence, app: str = LOCAL) -> str:
    """Write the page about one study; its figures link to where ``app`` asks the same."""
    claims = make_claims(evidence)
    return (
        environment()
        .get_template("post.html")
        .render(
            claims=claims,
            figures=panels(evidence, claims, app),
            token_rows=token_rows(evidence.activations, ("Clean prompt", "Corrupted prompt")),
            themes=themes(),
            token=token,
        )
    )
