"""The zip that a student hands in: the task files, and submission.json, by which they are recognised.

    content = pack(files, kit="0.1.0")                  # the same files give the same bytes, on any day
    note = compare(files, files.get(NAME))              # for whoever grades: it matches, or what differs

The digest finds accidents (a file that was changed after it was handed in, half a download). It proves
nothing: whoever can write the files can write it anew.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from grader.text import plain
from lab.strict import Strict

NAME = "submission.json"
FORMAT = 1
MATCHES = "The digest of `nox -s submit` matches"  # so begins the note that nobody has to look at
MOST_BYTES = 256 * 1024  # of submission.json
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can hold


class Record(Strict):
    """What submission.json says.

    Attributes:
        format: of this file.
        kit: the version of the kit that wrote it.
        digest: over all files, as `digest` works it out.
        files: the SHA-256 of each, by name.
    """

    format: int = Field(ge=1)
    kit: str = Field(max_length=100)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    files: dict[str, str] = Field(max_length=200)


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and bytes, hexadecimal; line ends count as they are."""
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(f"{name}\0{len(content)}\0".encode(errors="surrogateescape"))
        whole.update(content)
    return whole.hexdigest()


def pack(files: Mapping[str, bytes], *, kit: str) -> bytes:
    """A zip of files and of the record of them; nothing in it depends on the time or the machine.

    Args:
        files: by name.
        kit: the version of the kit.
    """
    record = Record(
        format=FORMAT,
        kit=kit,
        digest=digest(files),
        files={name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    )
    said = (json.dumps(record.model_dump(), indent=1) + "\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sorted({**files, NAME: said}.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # as on Unix, wherever this runs
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return out.getvalue()


def compare(files: Mapping[str, bytes], record: bytes | None) -> str:
    """What a grader notes of what was handed in; empty if it came without a record. For any input.

    Args:
        files: what was handed in, by name; only those that the record names are compared.
        record: the content of submission.json; None if there is none.
    """
    if record is None:
        return ""
    try:
        if len(record) > MOST_BYTES:
            raise ValueError("too large")
        known = Record.model_validate_json(record)
    except (ValueError, ValidationError):
        return f"{NAME} cannot be read: whether files were changed after `nox -s submit` is not known."
    there = {name: hashlib.sha256(files[name]).hexdigest() for name in known.files if name in files}
    parts = []
    if missing := [name for name in known.files if name not in there]:
        parts.append(f"missing: {_named(missing)}")
    if changed := [name for name, found in there.items() if found != known.files[name]]:
        parts.append(f"changed: {_named(changed)}")
    if more := [name for name in files if name.endswith(".py") and name not in known.files]:
        parts.append(f"added: {_named(more)}")
    if parts:
        return f"Files differ from what `nox -s submit` wrote: {'; '.join(parts)}."
    if known.digest != digest({name: files[name] for name in known.files}):
        return f"{NAME} was changed after `nox -s submit` wrote it."
    return f"{MATCHES}: {known.digest[:12]}."


def recognise(folder: Path) -> str:
    """`compare` of a submission that was taken in: regular files within bounds."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (path.name == NAME or path.suffix == ".py")
    }
    return compare(files, files.pop(NAME, None))


def _named(names: list[str]) -> str:
    shown = ", ".join(plain(name, 60) for name in sorted(names)[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
