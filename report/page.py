"""The page as one HTML text."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.claims import make_claims
from analysis.claims.wording import token
from analysis.evidence import Evidence
from analysis.figures.tokens import token_rows
from report.panels import panels, themes
from report.place import Place

ALONE = Place()


def environment() -> Environment:
    """Templates that escape everything, and fail on a name that is not there."""
    return Environment(
        loader=PackageLoader("report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(evidence: Evidence, place: Place = ALONE) -> str:
    """Write the page about one study, for the place where it will stand."""
    claims = make_claims(evidence)
    return (
        environment()
        .get_template("post.html")
        .render(
            claims=claims,
            figures=panels(evidence, claims, place.app),
            token_rows=token_rows(evidence.activations, ("Clean prompt", "Corrupted prompt")),
            themes=themes(),
            token=token,
            place=place,
        )
    )
