"""What a judge says of one check, before points are given."""

from typing import Any

from pydantic import Field

from grader.results.record import Drawing, Status
from lab.strict import Strict


class Verdict(Strict):
    """How one check ended, and what is shown of it.

    Attributes:
        status: how it ended.
        message: what was called, what came back, what was expected. Empty when passed.
        hint: in place of the manifest's; None to show that one, "" for none.
        fraction: the part of the check's points that is earned, 0 to 1.
        data: the figures behind it (accuracy, threshold, digest, seeds), for the record.
        drawing: what was built beside what was expected, where a picture says it better.
        rule: of marking.toml, by which a failure is charged; empty for the check's own.
        partly: of a failure: some of it is right, so that the function is not wrong for every input.
        in_share: of a training that cannot be: its points are earned in the share that the structure earned.
    """

    status: Status
    message: str = ""
    hint: str | None = None
    fraction: float = 0.0
    data: dict[str, Any] = Field(default_factory=dict)
    drawing: Drawing | None = None
    rule: str = ""
    partly: bool = False
    in_share: bool = False

    @classmethod
    def passed(cls, message: str = "", **data: Any) -> "Verdict":
        """The check holds: full points."""
        return cls(status=Status.PASSED, message=message, fraction=1.0, data=data)

    @classmethod
    def failed(
        cls,
        message: str,
        *,
        hint: str | None = None,
        fraction: float = 0.0,
        rule: str = "",
        partly: bool = False,
        in_share: bool = False,
        **data: Any,
    ) -> "Verdict":
        """The check does not hold; `fraction` of its points may still be earned (a ramp)."""
        return cls(
            status=Status.FAILED,
            message=message,
            hint=hint,
            fraction=fraction,
            rule=rule,
            partly=partly,
            in_share=in_share,
            data=data,
        )
