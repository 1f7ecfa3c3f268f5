"""A variant that cannot be made, and why. Self-contained, Python 3.8 syntax."""


class Rejected(Exception):
    """The message is the reason that a person reads, in one line."""


def reject(reason):
    """Give up this variant."""
    raise Rejected(reason)
