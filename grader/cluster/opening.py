"""How a grader joins a cluster: its address, certificates and passport, checked before anything is graded."""

from collections.abc import Callable
from pathlib import Path

from grader.cluster import certificates, settings
from grader.cluster.client import Cluster
from grader.cluster.passport import Passport
from grader.config.profiles import Profile


def connect(
    root: Path, address: str, folder: Path, profile: Profile, pin: str, *, say: Callable[[str], None]
) -> Cluster:
    """The cluster behind a scheduler.

    Args:
        root: the checkout.
        address: as it was typed.
        folder: of certificates.
        profile: that is graded by.
        pin: of its data.
        say: called with lines that people should see.

    Raises:
        UsageError: the address or the certificates cannot be used, or as of Cluster.
    """
    return Cluster(
        settings.address(address), certificates.find(folder), Passport.of(root, profile, pin), say=say
    )
