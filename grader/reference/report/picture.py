"""A figure as the page shows it and as a file."""

import base64
from dataclasses import dataclass

from matplotlib.figure import Figure

from grader.reference import figures as draw


@dataclass(frozen=True)
class Picture:
    """A figure; what to see in it is written where it is shown.

    Attributes:
        name: of its file, without ending: small letters, digits and hyphens.
        png: the file.
        shareable: whether it may be kept in git: no photograph is in it.
    """

    name: str
    png: bytes
    shareable: bool = True

    @classmethod
    def of(cls, name: str, figure: Figure, *, shareable: bool = True) -> "Picture":
        """Draws it."""
        return cls(name, draw.png(figure), shareable)

    @property
    def width(self) -> int:
        """In pixels, from the file's own head: so that nothing jumps while a page is laid out."""
        return int.from_bytes(self.png[16:20])

    @property
    def height(self) -> int:
        """Likewise."""
        return int.from_bytes(self.png[20:24])

    @property
    def source(self) -> str:
        """The file as an address, so that a page needs no other file."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")
