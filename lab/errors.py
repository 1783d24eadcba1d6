"""The errors a person is meant to read.

KitError                what every error of this kit derives from
├── DataError           a data set that is missing, wrong or cannot be fetched
└── (grader.errors has the grader's own branches)
"""


class KitError(Exception):
    """An error with one clear line and, where there is one, the command that fixes it.

    Args:
        message: what is wrong, naming the thing and what was expected.
        fix: what to do about it, as a sentence or a command.
    """

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  {self.fix}" if self.fix else self.message


class DataError(KitError):
    """A data set is missing, does not match its pin, or could not be read or fetched."""
