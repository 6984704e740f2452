"""The one error a user can cause."""


class UserError(ValueError):
    """One clear sentence: what was wrong and what would be right."""
