"""The way every endpoint answers."""

from typing import Any

from analysis.errors import UserError
from space import service
from space.view import make_view


def tell(name: str, options: dict[str, Any], **parts: Any) -> str:
    """The answer as JSON; the parts of the view that are not named are as at the start."""
    try:
        if not parts.get("model"):
            parts["model"] = service.session().settings.models[0]
        return service.ask(name, make_view(**parts), options).json
    except UserError as error:
        raise service.told(error) from error
