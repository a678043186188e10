"""What plugins raise."""


class ImageFactoryException(Exception):  # noqa: N818 - the name that plugins import
    """Something expected went wrong; its text is for people."""
