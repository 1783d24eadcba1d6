"""The chain of hashes over records: what they mean, not how they are stored.

    digest  sha256 of the canonical JSON of {student, name, salt, body}
    hash    sha256 of the canonical JSON of [the hash before, kind, at, run, digest]

The hash covers the digest and not the body, so that a body can be erased and the chain stays whole. The salt,
erased with it, keeps anybody from guessing what stood there. There is no secret in it: whoever rewrites all
records can make a chain that fits. It finds accidents, and edits of the file.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

START = "0" * 64  # what comes before the first record


@dataclass(frozen=True)
class Link:
    """What of a record is in the chain.

    Attributes:
        number: its place, from 1.
        kind, at, run: of the record; strings.
        student, name: as recorded, empty when erased.
        salt, body: None when erased; the body is JSON text.
        digest, hash: as stored, 64 hex digits.
    """

    number: int
    kind: str
    at: str
    run: str
    student: str
    name: str
    salt: str | None
    body: str | None
    digest: str
    hash: str


@dataclass(frozen=True)
class Fault:
    """Where a chain is broken.

    Attributes:
        number: the first record that is not as it was written, or is missing.
        what: what became of it.
    """

    number: int
    what: str

    def __str__(self) -> str:
        return f"record {self.number} {self.what}"


def canonical(value: Any) -> str:
    """JSON that is the same for the same value: sorted, without spaces, ASCII. ValueError for NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(student: str, name: str, salt: str, body: Any) -> str:
    """The digest of a record's content; body: what its JSON stands for."""
    return _sha256({"student": student, "name": name, "salt": salt, "body": body})


def link(before: str, kind: str, at: str, run: str, content: str) -> str:
    """The hash of a record: `before` is that of the one before it, `content` its own digest."""
    return _sha256([before, kind, at, run, content])


def first_fault(links: Iterable[Link], erased: Collection[int], entries: int, head: str) -> Fault | None:
    """The first record that was changed, removed or put in; None if the chain is unbroken.

    Args:
        links: all records in the order of their numbers. Read once.
        erased: the numbers whose content was erased by a `forgotten` record.
        entries, head: how many records there should be, and the hash of the last.
    """
    before_that, before = "", START
    number = 0
    stream = iter(links)
    one = next(stream, None)
    while one is not None:
        number += 1
        after = next(stream, None)
        if one.number != number:
            return Fault(number, "was removed" if one.number > number else "was put in")
        if one.body is None and number not in erased:
            return Fault(number, "has lost its content, and no record says that it was to be forgotten")
        if _hash_of(one, before) != one.hash:
            return Fault(*_broken(one, after, before_that, before))
        if one.body is not None and not _content_fits(one):
            return Fault(number, "was changed")
        before_that, before = before, one.hash
        one = after
    if number < entries:
        return Fault(number + 1, "was removed")
    if number > entries:
        return Fault(entries + 1, "was put in at the end")
    if before != head:
        return Fault(max(number, 1), "was changed: it is not the one that was written last")
    return None


def _broken(one: Link, after: Link | None, before_that: str, before: str) -> tuple[int, str]:
    """What became of a record that does not fit the one before it."""
    if after is not None and _hash_of(after, before) == after.hash:
        return one.number, "was put in between"
    if before_that and _hash_of(one, before_that) == one.hash:
        return one.number - 1, "was put in between"
    if after is not None and _hash_of(after, one.hash) != after.hash:
        return one.number, "was changed or put in between"
    if one.body is not None and not _content_fits(one):
        return one.number, "was changed"
    return one.number, "was changed, or one before it was removed"


def _hash_of(one: Link, before: str) -> str:
    return link(before, one.kind, one.at, one.run, one.digest)


def _content_fits(one: Link) -> bool:
    try:
        body = json.loads(one.body or "")
    except ValueError:
        return False
    return digest(one.student, one.name, one.salt or "", body) == one.digest


def _sha256(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()
