"""Attacks in the form of what is handed in: zips, folders, and sources that are none."""

import contextlib
import io
import os
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hostile.generated.registry import ROOT, attack

MIB = 1024 * 1024
STUB = (ROOT / "assignment" / "preprocessing.py").read_text(encoding="utf-8")
SAYS = 'print("attack: it runs", flush=True)\n'


def zipped(path: Path, entries: Mapping[Any, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


# --- zips --------------------------------------------------------------------------------------------------


@attack
def zip_slip(into: Path, targets: Mapping[str, Any]) -> Path:
    """Tries to write over the gradebook and into the grader by entries that climb out of the zip: "..",
    absolute paths, drive letters, backslashes; gains nothing because such entries are left out and
    reported.
    """
    evil = ["../" * depth + "marks.csv" for depth in range(1, 12)]
    evil += [
        *targets["files"],
        "C:\\evil.py",
        "..\\..\\evil.py",
        "/etc/cron.d/evil",
        "a/../../evil.py",
        "//evil",
    ]
    return zipped(into / "slip.zip", {"preprocessing.py": STUB + SAYS, **dict.fromkeys(evil, "evil")})


@attack
def zip_with_links(into: Path, targets: Mapping[str, Any]) -> Path:
    """Tries to unpack symbolic links to the gradebook, and files through a link to a folder; gains nothing
    because an entry that is a link or a device is left out.
    """
    entries: dict[str | zipfile.ZipInfo, str | bytes] = {"preprocessing.py": STUB + SAYS}
    for number, path in enumerate(targets["files"]):
        link = zipfile.ZipInfo(f"stolen{number}.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        entries[link] = path
    folder = zipfile.ZipInfo("helpers")
    folder.external_attr = (stat.S_IFLNK | 0o777) << 16
    entries[folder] = targets["folders"][0]
    entries["helpers/planted.csv"] = "planted"
    device = zipfile.ZipInfo("disk")
    device.external_attr = (stat.S_IFBLK | 0o666) << 16
    entries[device] = ""
    return zipped(into / "links.zip", entries)


@attack
def zip_bomb(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to fill the disk with a zip of a few kilobytes that unpacks to hundreds of megabytes; gains
    nothing because what comes out is counted piece by piece, and more than 64 MiB are refused.
    """
    block = b"\0" * (15 * MIB)
    return zipped(into / "bomb.zip", {"preprocessing.py": STUB, **{f"{n}.bin": block for n in range(30)}})


@attack
def zip_bomb_in_one_step(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to fill the memory with bzip2, which makes gigabytes of 200 kilobytes in one step of
    unpacking; gains nothing because only stored and deflated entries are unpacked.
    """
    size = 256 * MIB
    path = zipped(into / "bomb.zip", {"preprocessing.py": bytes(size)}, zipfile.ZIP_BZIP2)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 10 * MIB)))
    return path


@attack
def zip_of_overlapping_entries(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the bomb without nesting: thousands of entries that all point at the same compressed bytes;
    gains nothing because every byte that comes out is counted, however often it lies in the file.
    """
    data = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = data.compress(b"\0" * (8 * MIB)) + data.flush()
    name = b"n0000.py"
    sizes = struct.pack("<III", zlib.crc32(b"\0" * (8 * MIB)), len(body), 8 * MIB)
    local = (
        struct.pack("<4s5H", b"PK\x03\x04", 20, 0, 8, 0, 0x21)
        + sizes
        + struct.pack("<HH", len(name), 0)
        + name
    )
    central = b"".join(
        struct.pack("<4s6H", b"PK\x01\x02", 20, 20, 0, 8, 0, 0x21)
        + sizes
        + struct.pack("<5H2I", len(name), 0, 0, 0, 0, 0, 0)
        + b"n%04d.py" % number
        for number in range(5000)
    )
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 5000, 5000, len(central), len(local) + len(body), 0)
    (into / "overlap.zip").write_bytes(local + body + central + end)
    return into / "overlap.zip"


@attack
def zip_that_lies_about_sizes(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to pass the bound on a file's size by a header that says ten bytes; gains nothing because no
    more is taken of an entry than it says, and the checksum then does not hold.
    """
    size = 40 * MIB
    path = zipped(into / "lie.zip", {"preprocessing.py": b" " * size})
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 10)))
    return path


@attack
def zip_of_a_hundred_thousand_entries(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to keep the grader busy with a hundred thousand empty files; gains nothing because ten
    thousand entries are looked at, and a zip with more is refused by their number.
    """
    return zipped(into / "many.zip", {f"{n}/{n}.py": b"" for n in range(100_000)}, zipfile.ZIP_STORED)


@attack
def zip_of_millions_of_entries(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to fill the memory with a list of entries of a hundred megabytes; gains nothing because the
    list is refused by its size, before it is read.
    """
    entry = (
        struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    )
    count = 2_000_000
    with (into / "millions.zip").open("wb") as file:
        for _ in range(count // 10_000):
            file.write(entry * 10_000)
        size = len(entry) * count
        file.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 65535, 65535, size, 0, 0))
    return into / "millions.zip"


@attack
def zip_with_nameless_entries(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to end the grader with entries called nothing, ".", or a zero byte, on which Python's own
    zipfile raises IndexError; gains nothing because what has no name is left out.
    """
    entries = {"preprocessing.py": STUB + SAYS, ".": "x", "./.": "x", "?": "x", "!ab": "x"}
    path = zipped(into / "nameless.zip", entries)
    path.write_bytes(path.read_bytes().replace(b"?", b"\0").replace(b"!ab", b"\0ab"))
    return path


@attack
def zip_with_odd_names(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to bring names with newlines, ANSI codes, markup, formulas and reversed text into notes and
    tables; gains nothing because names are shown without control characters, in text, and the odd
    ones are left out.
    """
    odd = [
        "\x1b[2J\x1b]0;x\x07.py",
        "a\nb.py",
        "\u202egpj.py",
        "=cmd|' /C calc'!A0",
        "<script>.py",
        "[bold red].py",
    ]
    odd += [
        "-rf",
        "x" * 300,
        "a" * 30_000,
        "\ufeff.py",
        "CON",
        "NUL.py",
        "con.py:stream",
        "a//b.py",
        "\ud7ff.py",
    ]
    return zipped(into / "odd.zip", {"preprocessing.py": STUB + SAYS, **dict.fromkeys(odd, "odd")})


@attack
def zip_with_ten_thousand_notes(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to flood reports: every one of ten thousand entries earns a note; gains nothing because twenty
    are shown and the rest are counted.
    """
    return zipped(
        into / "notes.zip", {"preprocessing.py": STUB + SAYS, **{f"../{n}": "" for n in range(9_998)}}
    )


@attack
def zip_with_two_of_a_kind(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to show one file to whoever looks and another to the grader: an entry twice, in two cases, as
    file and as folder; gains nothing because the first is taken, and that is reported.
    """
    entries: dict[str | zipfile.ZipInfo, str | bytes] = {zipfile.ZipInfo("preprocessing.py"): STUB + SAYS}
    entries[zipfile.ZipInfo("preprocessing.py/evil.py")] = "evil"
    entries[zipfile.ZipInfo("Preprocessing.py")] = "evil"
    path = zipped(into / "twice.zip", entries)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            zipfile.ZipInfo("preprocessing.py"), (ROOT / "solutions" / "preprocessing.py").read_text()
        )
    return path


@attack
def zip_that_is_none(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to end the grader with a damaged zip: cut off, with bytes of noise, and an end that says the
    list begins elsewhere; gains nothing because a zip that cannot be read is refused in words, and
    is no zero.
    """
    path = zipped(into / "damaged.zip", {"preprocessing.py": STUB * 20, "other.py": os.urandom(5000)})
    data = bytearray(path.read_bytes())
    data[200:2000] = os.urandom(1800)
    data[-6:-2] = struct.pack("<I", 0x7FFFFFF0)
    path.write_bytes(bytes(data))
    return path


@attack
def zip_with_a_password(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to have the grader ask for a password and wait; gains nothing because an encrypted zip is
    refused.
    """
    path = zipped(into / "secret.zip", {"preprocessing.py": STUB})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    return path


@attack
def zips_in_zips(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries a bomb that doubles at each of twenty levels of zips in zips; gains nothing because no
    more than two levels are unpacked, within the bounds of one submission.
    """
    inner = b"\0" * MIB
    for _ in range(20):
        level = io.BytesIO()
        with zipfile.ZipFile(level, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(2):
                archive.writestr(f"{number}.zip", inner)
        inner = level.getvalue()
    return zipped(into / "nested.zip", {"preprocessing.py": STUB + SAYS, "more.zip": inner})


# --- folders -----------------------------------------------------------------------------------------------


@attack
def folder_with_links(into: Path, targets: Mapping[str, Any]) -> Path:
    """Tries to hand in links: task files that are links to another's work, a folder that is the class, the
    gradebook; gains nothing because links are left out and reported.
    """
    victim = next(path for path in targets["files"] if "victim" in path)
    (into / "preprocessing.py").write_text(STUB + SAYS)
    for name, target in {
        "alexnet.py": victim,
        "resnet.py": "/dev/zero",
        "marks": targets["files"][0],
        "class": targets["folders"][1],
        "root": "/",
        "loop": str(into),
    }.items():
        (into / name).symlink_to(target)
    return into


@attack
def task_file_is_a_link(into: Path, targets: Mapping[str, Any]) -> Path:
    """Tries to be graded for another's file by a task file that is a link to it; gains nothing because the
    link is left out, and the file is missing.

    Silent: no file is left to run
    """
    victim = next(path for path in targets["files"] if "victim" in path)
    (into / "assignment").mkdir()
    (into / "assignment" / "preprocessing.py").symlink_to(victim)
    (into / "alexnet.py").write_text("")
    return into


@attack
def folder_with_pipes_and_devices(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to make the grader wait for ever on a pipe, or read a device without end; gains nothing
    because what is no regular file is left out before it is opened.
    """
    (into / "preprocessing.py").write_text(STUB + SAYS)
    os.mkfifo(into / "alexnet.py")
    os.mkfifo(into / "pipe")
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            os.mknod(into / "resnet.py", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    return into


@attack
def folder_of_depth(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to overflow whatever walks folders, with hundreds of levels and names of 250 bytes; gains
    nothing because eight levels are walked, without recursion.
    """
    (into / "preprocessing.py").write_text(STUB + SAYS)
    here = os.open(into, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d" * 100, dir_fd=here)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    return into


@attack
def folder_of_many_files(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to keep the grader busy with twelve thousand files; gains nothing because it stops looking at
    ten thousand, and says so.
    """
    (into / "preprocessing.py").write_text(STUB)
    for number in range(12_000):
        (into / f"{number}.txt").touch()
    return into


@attack
def folder_with_a_terabyte(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to fill disk and memory with a task file of a terabyte, all holes, and more beside it; gains
    nothing because a file over 16 MiB is left out by its size.

    Silent: no file is left to run
    """
    for name in ("preprocessing.py", "data.bin"):
        with (into / name).open("wb") as file:
            file.truncate(10**12)
    return into


@attack
def folder_with_odd_names(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to bring odd names into notes and tables from a folder: no UTF-8, newlines, ANSI codes,
    markup; gains nothing because names are shown as plain text.
    """
    (into / "preprocessing.py").write_text(STUB + SAYS)
    (into / "alexne\u200bt.py").write_text("")
    for name in (b"\xff\xfe.py", b"a\nb", b"\x1b[2J", b"<b>", b"[red]", b"=1+1", b"-rf", b"*", b"%s"):
        path = into / os.fsdecode(name)
        path.write_bytes(b"odd")
        path.with_name(f"link to {path.name}").symlink_to("/")
    return into


@attack
def called_like_the_table(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to take the place of marks.csv, by a submission of that name, and to look like another by
    case, dots, markup and formulas in its name; gains nothing because names are tidied, made
    distinct, and the table's is taken.
    """
    names = [
        "marks.csv",
        "MARKS.csv",
        "results.json",
        "=cmd|'!A0",
        "<b>x",
        "[red]x",
        "-rf",
        "a;=1+1",
        "\uff1d1",
    ]
    names += [
        "x" * 200,
        "a",
        "A",
        "a.",
        " a",
        "\x1b[2J",
        "b\nb",
        "\u202eb",
        "CON",
        "~",
        "$(id)",
        "`id`",
        "%s{0}",
    ]
    for name in names:
        folder = into / name
        folder.mkdir()
        (folder / "preprocessing.py").write_text(STUB + SAYS)
    return into


@attack
def class_entries_that_are_links(into: Path, targets: Mapping[str, Any]) -> Path:
    """Tries to be graded for other work by entries of a class that are links: to another's folder, to a zip
    elsewhere, to the class itself, to nothing; gains nothing because such an entry is refused with a line,
    and the others are graded.

    Beside: the class is graded without them
    """
    victim = next(Path(path) for path in targets["files"] if "victim" in path)
    (into / "mallory").mkdir()
    (into / "mallory" / "preprocessing.py").write_text(STUB + SAYS)
    kept = zipped(into.parent / "kept.zip", {"preprocessing.py": victim.read_text(encoding="utf-8")})
    for name, target in {
        "eve": victim.parent,
        "eve.zip": kept,
        "again": into,
        "nobody": into / "gone",
        "nothing.zip": into / "gone.zip",
        "zero.zip": Path("/dev/zero"),
        "relative": Path("..", "..", "victim"),
    }.items():
        (into / name).symlink_to(target)
    return into


# --- sources that are none ---------------------------------------------------------------------------------


@attack
def source_bomb(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to break the compiler with a source of fifteen megabytes, nested and chained beyond all
    bounds; gains nothing because it is compiled in the sandbox alone.

    Silent: nothing of it runs
    """
    source = "x = " + "(" * 500_000 + ")" * 500_000 + "\n" + "y = " + "+".join("1" * 1_000_000) + "\n"
    (into / "preprocessing.py").write_text(source + "z = " + "lambda: " * 100_000 + "0\n")
    return into


@attack
def source_of_bytes(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries sources that are no text: zero bytes, no UTF-8, a codec of its own choice, a compiled module
    under a source's name; gains nothing because Python refuses them in the sandbox, and the message
    is plain text.

    Silent: nothing of it runs
    """
    (into / "preprocessing.py").write_bytes(b"# coding: rot13\ncevag('nggnpx')\n\0\0\xff\xfe")
    (into / "alexnet.py").write_bytes(b"\xa7\r\r\n" + bytes(12) + b"\xe3" + os.urandom(2000))
    (into / "resnet.py").mkdir()
    return into


@attack
def compiled_behind_the_source(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to run other code than its source shows, from a .pyc in __pycache__ and an extension module
    beside it; gains nothing because caches are left out, and the file itself is what is imported.
    """
    (into / "preprocessing.py").write_text(STUB + SAYS)
    cache = into / "__pycache__"
    cache.mkdir()
    tag = sys.implementation.cache_tag
    (cache / f"preprocessing.{tag}.pyc").write_bytes(os.urandom(500))
    (into / "preprocessing.pyc").write_bytes(os.urandom(500))
    (into / f"preprocessing.{tag}.so").write_bytes(b"\x7fELF" + os.urandom(500))
    return into
