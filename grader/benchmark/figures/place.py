"""Where figures are measured: this checkout, and what it is compared with."""

from functools import cached_property
from pathlib import Path

from grader.benchmark import kit
from grader.benchmark.kit import Kit
from grader.config import profiles
from grader.config.profiles import Profile


class Place:
    """A checkout and what is beside it.

    Attributes:
        root: the checkout.
        kit: its commands.
        with_peers: whether other tools are measured, too.
        with_before: whether the kit at an earlier commit is.
        quick: whether little is measured of everything.
    """

    def __init__(
        self, root: Path, *, with_peers: bool = True, with_before: bool = True, quick: bool = False
    ) -> None:
        self.root = root
        self.kit = Kit(root)
        self.with_peers = with_peers
        self.with_before = with_before
        self.quick = quick

    @cached_property
    def profile(self) -> Profile:
        """What is measured where networks are trained."""
        return profiles.load(self.root / "params.yaml").profile("cpu")

    @cached_property
    def before(self) -> Kit | None:
        """The kit at an earlier commit; None if git does not have that."""
        return kit.before(self.root)
