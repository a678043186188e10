"""Why a plugin did not start."""


class StartError(Exception):
    """The text is for people: it goes to standard error, and the status is 1."""
