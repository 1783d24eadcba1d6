"""Certificates: private files, and nobody gets in without one of the same authority."""

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from grader.cluster import certificates, settings
from grader.cluster.certificates import Certificates
from grader.cluster.client import Cluster
from grader.cluster.passport import Passport, difference
from grader.config import profiles
from grader.errors import UsageError
from grader.training.job import pin
from lab import data
from tests.grader.cluster.running import ROOT, Process, scheduler, worker

PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")


class TestFiles:
    """What `make` writes and `find` takes."""

    def test_are_private(self, tmp_path: Path) -> None:
        """Files of mode 0600 in a folder of mode 0700, whatever the umask is."""
        before = os.umask(0)
        try:
            made = certificates.make(tmp_path / "new" / "certs")
        finally:
            os.umask(before)
        assert (tmp_path / "new" / "certs").stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode & 0o777 for path in made.files] == [0o600] * 3
        assert sorted(path.name for path in (tmp_path / "new" / "certs").iterdir()) == sorted(
            path.name for path in made.files
        )
        assert certificates.find(tmp_path / "new" / "certs") == made

    def test_are_not_replaced(self, tmp_path: Path) -> None:
        """A second call would shut every machine out."""
        certificates.make(tmp_path)
        with pytest.raises(UsageError, match="is there already"):
            certificates.make(tmp_path)

    def test_others_may_not_read_the_key(self, tmp_path: Path) -> None:
        made = certificates.make(tmp_path)
        made.key.chmod(0o644)
        with pytest.raises(UsageError, match="can be read by others"):
            certificates.find(tmp_path)

    def test_old_or_missing_ones(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="has no ca"):
            certificates.find(tmp_path / "none")
        certificates.make(tmp_path / "old", now=datetime.now(UTC) - timedelta(days=400))
        with pytest.raises(UsageError, match="is valid from"):
            certificates.find(tmp_path / "old")


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "127.0.0.1:8786", "tls://x", "tls://x:99999", ""]
)
def test_addresses_that_are_none(address: str) -> None:
    """Without encryption above all."""
    with pytest.raises(UsageError):
        settings.address(address)
    assert settings.address("tls://127.0.0.1:8786") == "tls://127.0.0.1:8786"


def test_difference() -> None:
    """Each thing that has to be equal is named when it is not."""
    here = Passport.of(ROOT, PROFILE, "pin")
    assert difference(here, here) == ""
    for field, said in {
        "kit": "version of the kit",
        "lock": "uv.lock",
        "profile": "profile",
        "pin": "pin",
    }.items():
        other = here.model_copy(update={field: "f" * 64})
        assert said in difference(here, other)
    other = here.model_copy(update={"settings": "f" * 64})
    assert "params.yaml" in difference(here, other)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, str, Path]]:
    """A scheduler, its address and its certificates."""
    folder = tmp_path_factory.mktemp("cluster")
    certificates.make(folder / "certs")
    with scheduler(folder, folder / "certs") as (process, address):
        yield process, address, folder / "certs"


def answered(address: str, own: Certificates | None, *, plain: bool = False) -> bytes:
    """What a scheduler sends to a socket with a certificate, or without one."""
    place = urlsplit(address)
    assert place.hostname
    assert place.port
    with socket.create_connection((place.hostname, place.port), timeout=10) as connected:
        if plain:
            connected.sendall(b"\0" * 64)
            return connected.recv(100)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if own:
            context.load_cert_chain(own.certificate, own.key)
        with context.wrap_socket(connected) as wrapped:
            return wrapped.recv(100)


class TestNobodyWithoutACertificate:
    """Real sockets, on loopback."""

    def test_with_one(self, running: tuple[Process, str, Path]) -> None:
        """The scheduler speaks first: so silence in the other tests is not for want of a word."""
        assert answered(running[1], Certificates.of(running[2]))

    def test_without_one(self, running: tuple[Process, str, Path]) -> None:
        with pytest.raises(ssl.SSLError):
            answered(running[1], None)

    def test_of_another_authority(self, running: tuple[Process, str, Path], tmp_path: Path) -> None:
        with pytest.raises(ssl.SSLError):
            answered(running[1], certificates.make(tmp_path))

    def test_without_encryption(self, running: tuple[Process, str, Path]) -> None:
        """Nothing but the alert of TLS, or an end."""
        try:
            said = answered(running[1], None, plain=True)
        except ConnectionError:
            said = b""
        assert said[:1] in (b"", b"\x15")

    def test_a_grader(self, running: tuple[Process, str, Path], tmp_path: Path) -> None:
        """Another authority's certificate: a usage error, and no traceback."""
        with pytest.raises(UsageError, match="lets this machine in"):
            Cluster(running[1], certificates.make(tmp_path), Passport.of(ROOT, PROFILE, pin("embedded")))


def test_one_port_on_one_address(running: tuple[Process, str, Path]) -> None:
    """No dashboard and no other web server."""
    listening = set()
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                listening.add((fields[1], fields[9]))
    links = [str(one.readlink()) for one in Path("/proc", str(running[0].process.pid), "fd").iterdir()]
    own = {link[8:-1] for link in links if link.startswith("socket:")}
    place = urlsplit(running[1])
    assert [one for one, inode in listening if inode in own] == [f"0100007F:{place.port:04X}"]


class TestRefused:
    """Whoever is of another kit gets the reason, and nothing else."""

    def test_a_grader(self, running: tuple[Process, str, Path]) -> None:
        other = Passport.of(ROOT, PROFILE, pin("embedded")).model_copy(update={"kit": "0.1.0+another"})
        with pytest.raises(UsageError, match=r"the version of the kit is 0\.1\.0\+another there"):
            Cluster(running[1], certificates.find(running[2]), other)

    @pytest.mark.slow
    @pytest.mark.skipif(not data.available(ROOT), reason="CIFAR-100 is not here: nox -s data")
    def test_a_worker(self, running: tuple[Process, str, Path], tmp_path: Path) -> None:
        """A worker of another profile ends with exit code 2 and the reason."""
        process = worker(tmp_path, "other", running[1], running[2], "--profile", "cpu")
        assert process.process.wait(timeout=60) == 2
        assert "profile" in process.said
        assert "Traceback" not in process.said
