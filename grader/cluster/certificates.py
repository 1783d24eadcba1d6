"""Certificates of a cluster: made by one command, and checked before they are used.

    make(Path(".kit/cluster"))          # nox -s certificates
    find(Path(".kit/cluster")).key      # or a UsageError that says what to do

A certificate authority is made for one cluster, signs one certificate for all of its machines, and is
forgotten: its key is written nowhere, so that nobody can make another certificate later. Whoever is to be
shut out is shut out by new ones.
"""

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from grader.errors import UsageError
from grader.text import plain

DAYS = 366  # a course is graded within a year
_AUTHORITY, _CERTIFICATE, _KEY = "ca.pem", "certificate.pem", "key.pem"


@dataclass(frozen=True)
class Certificates:
    """Paths of the three files that each machine needs.

    Attributes:
        authority: the authority's certificate: what others' certificates are checked by.
        certificate: that every machine shows.
        key: its private key.
    """

    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def of(cls, folder: Path) -> "Certificates":
        """Those of a folder, whether they are there or not."""
        return cls(folder / _AUTHORITY, folder / _CERTIFICATE, folder / _KEY)

    @property
    def files(self) -> tuple[Path, ...]:
        """All three."""
        return self.authority, self.certificate, self.key


def make(folder: Path, *, days: int = DAYS, now: datetime | None = None) -> Certificates:
    """Makes certificates for a new cluster: files of mode 0600 in a folder of mode 0700.

    Args:
        folder: made if need be; certificates that lie there are not replaced.
        days: how long they are valid.
        now: from when; the present if None.

    Raises:
        UsageError: there are some already, or the folder cannot be written to.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    made = Certificates.of(folder)
    if there := next((path for path in made.files if path.exists() or path.is_symlink()), None):
        raise UsageError(
            f"{plain(there)} is there already",
            fix="Use these certificates, or remove them first: then every machine needs the new ones",
        )
    begins = (now or datetime.now(UTC)) - timedelta(minutes=5)  # clocks differ
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cifar100-course-kit authority")])
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cifar100-course-kit cluster")])
    signing, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(signing.public_key())

    def built(subject: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not authority,
                    key_cert_sign=authority,
                    crl_sign=False,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)
        )
        if not authority:  # the same one for whoever listens and whoever connects
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
            builder = builder.add_extension(usage, False)
        return builder.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    key = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        _write(made.authority, built(name, signing.public_key(), authority=True))
        _write(made.certificate, built(own_name, own.public_key(), authority=False))
        _write(made.key, key)
    except OSError as error:
        raise UsageError(
            f"certificates cannot be written to {plain(folder)}: {error.strerror}",
            fix="Name a folder that you may write to",
        ) from error
    return made


def find(folder: Path) -> Certificates:
    """The certificates in a folder.

    Raises:
        UsageError: there are none, they cannot be used, are no longer valid, or are not private.
    """
    from cryptography import x509

    found = Certificates.of(folder)
    missing = [path.name for path in found.files if not path.is_file()]
    if missing:
        raise UsageError(
            f"{plain(folder)} has no {', '.join(missing)}",
            fix=f"Copy the folder from the machine of the scheduler, or make one: nox -s certificates -- "
            f"{plain(folder)}",
        )
    try:
        own = x509.load_pem_x509_certificate(found.certificate.read_bytes())
        x509.load_pem_x509_certificate(found.authority.read_bytes())
        state = found.key.stat()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the certificates in {plain(folder)} cannot be read: {error}",
            fix="Copy the folder from the machine of the scheduler again",
        ) from error
    # What is root's, as in a Kubernetes secret, is read through the group.
    closed = 0o077 if state.st_uid == os.getuid() else 0o007
    if stat.S_IMODE(state.st_mode) & closed:
        raise UsageError(
            f"{plain(found.key)} can be read by others: mode {stat.S_IMODE(state.st_mode):04o}",
            fix=f"Whoever has it can do all that you can. Run: chmod 600 {plain(found.key)}",
        )
    now = datetime.now(UTC)
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        raise UsageError(
            f"the certificate in {plain(folder)} is valid from {own.not_valid_before_utc:%Y-%m-%d} "
            f"to {own.not_valid_after_utc:%Y-%m-%d}",
            fix="Make new ones into an empty folder, and copy that to every machine: nox -s certificates",
        )
    return found


def _write(path: Path, content: bytes) -> None:
    """Writes a file that nobody else could read at any moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(content)
