"""The hint of a check: which one it has, and when it is shown."""

from grader.results.record import CheckResult, Status


def of_check(own: str | None, general: str) -> str:
    """The hint that a check's result carries, on one line; "" for none.

    Args:
        own: the verdict's: None leaves it to the general one, "" says that no hint would help.
        general: the manifest's, for whatever fails this check.
    """
    return " ".join(general.split()) if own is None else own


def to_show(check: CheckResult) -> str:
    """The hint to show with a check: "" unless it failed, since there is nothing to fix otherwise."""
    return check.hint if check.status is Status.FAILED else ""
