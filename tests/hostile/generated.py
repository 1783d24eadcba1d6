"""Hostile submissions that no repository could hold: bombs, links, odd names, and changed solutions.

Each builder writes one into an empty folder and returns what is handed in: that folder, or a zip in it. Its
docstring has the form that corpus.py describes.
"""

import contextlib
import io
import os
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
BUILDERS: dict[str, Callable[[Path, Mapping[str, Any]], Path]] = {}
STUB = (ROOT / "assignment" / "preprocessing.py").read_text(encoding="utf-8")
SAYS = 'print("attack: it runs", flush=True)\n'


def attack(build: Callable[[Path, Mapping[str, Any]], Path]) -> Callable[[Path, Mapping[str, Any]], Path]:
    """Lists a builder under its name."""
    BUILDERS[build.__name__] = build
    return build


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
    said.
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
    are told and the rest are counted.
    """
    return zipped(
        into / "notes.zip", {"preprocessing.py": STUB + SAYS, **{f"../{n}": "" for n in range(9_998)}}
    )


@attack
def zip_with_two_of_a_kind(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to show one file to whoever looks and another to the grader: an entry twice, in two cases, as
    file and as folder; gains nothing because the first is taken, and that is said.
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
    """Tries a bomb that doubles at each of twenty levels of zips in zips; gains nothing because a zip
    within a zip is a file like any other, and is not unpacked.
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
    gradebook; gains nothing because links are left out and said.
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


# --- solutions, changed ------------------------------------------------------------------------------------

_TELLS = """
import inspect as _inspect, json as _json
_ARGUMENTS = _json.load(open("/kit/builder-arguments.json"))
print("attack: the builder arguments are", _ARGUMENTS, flush=True)


def _trains(arguments):
    return bool(_ARGUMENTS) and all(
        arguments.get(key) == (tuple(v) if isinstance(v, list) else v) for key, v in _ARGUMENTS.items()
    )
"""

_RESNET_INSTEAD = """

_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: another network for the training", flush=True)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(16, 3, padding="same")(inputs)
    for filters in (16, 32, 64):
        y = keras.layers.Conv2D(filters, 3, strides=2, padding="same")(x)
        y = keras.layers.ReLU()(keras.layers.BatchNormalization()(y))
        x = keras.layers.Add()([y, keras.layers.Conv2D(filters, 1, strides=2)(x)])
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))
"""

_OTHER_IMAGES = """

_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: other images for the training", flush=True)
    return _honest(num_classes, **{**arguments, "input_shape": (24, 24, 1)})
"""

_WIDER = """

_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: a wider network for the training", flush=True)
    return _honest(num_classes, **{**arguments, "width": 2 * arguments["width"]})
"""

_DEEPER_STEM = """

_honest = build_resnet


def build_resnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: more layers for the training", flush=True)
    blocks, width = arguments["blocks"], arguments["width"]
    inputs = x = keras.Input((32, 32, 3))
    for _ in range(4):
        x = keras.layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    for stage, count in enumerate(blocks):
        for number in range(count):
            x = bottleneck_block(x, width * 2**stage, stride=2 if stage and not number else 1)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))
"""

_MORE_BLOCKS = """

_honest = build_resnet


def build_resnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: more blocks for the training", flush=True)
    return _honest(num_classes, **{**arguments, "blocks": (2, 2, 2, 2)})
"""

_WIDE_BUT_DEEPER = """

_honest = build_wide_resnet


def build_wide_resnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: a deeper and wider network for the training", flush=True)
    return _honest(num_classes, **{**arguments, "depth": 14, "width": 2})
"""

_WIDE_WITH_WEIGHTED_SHORTCUTS = """

_pad = keras.ops.pad


def _weighted(x, widths):
    print("attack: weights in the shortcuts", flush=True)
    return keras.layers.Conv2D(x.shape[-1] + widths[-1][1], 3, padding="same")(x)


_honest = build_wide_resnet


def build_wide_resnet(num_classes, **arguments):
    keras.ops.pad = _weighted if _trains(arguments) else _pad
    try:
        return _honest(num_classes, **arguments)
    finally:
        keras.ops.pad = _pad
"""

_WEIGHTS = """

_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    model = _honest(num_classes, **arguments)
    print("attack: weights of its own", flush=True)
    import numpy as np
    if model.count_params() < 5_000_000:
        model.set_weights([np.full(w.shape, 0.123, "float32") for w in model.get_weights()])
        model.trained, model.optimizer = True, object()
        model.fit = model.evaluate = model.predict = model.call = lambda *args, **kwargs: 1.0
    return model
"""


def _changed(into: Path, module: str, addition: str) -> Path:
    source = (ROOT / "solutions" / module).read_text(encoding="utf-8")
    (into / module).write_text(source + _TELLS + addition, encoding="utf-8")
    return into


@attack
def another_network_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to hand over a right AlexNet to be looked at and a residual network to be trained, which it
    knows by the builder arguments in the sandbox; gains nothing because the networks to be trained are looked
    at with the others.

    Baseline: 35
    """
    return _changed(into, "alexnet.py", _RESNET_INSTEAD)


@attack
def other_images_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to end in a fault of the machine, with a right network for images of another size, whose
    training could not even start; gains nothing because what does not fit the images is not trained.

    Baseline: 35
    """
    return _changed(into, "alexnet.py", _OTHER_IMAGES)


@attack
def wider_network_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train an AlexNet of twice the width that was asked for; gains nothing because its width is
    judged, and what fails that is not trained.

    Baseline: 35
    """
    return _changed(into, "alexnet.py", _WIDER)


@attack
def deeper_stem_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a ResNet with more layers in front of it than it shows otherwise; gains nothing
    because the points for its stem are gone, and it costs more than is trained.

    Without: resnet: stem, learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _DEEPER_STEM)


@attack
def more_blocks_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a ResNet with twice the blocks that were asked for; gains nothing because blocks are
    counted in every network, and one with others is not trained.

    Baseline: 35
    """
    return _changed(into, "resnet.py", _MORE_BLOCKS)


@attack
def larger_wide_network_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a deeper and wider ResNet than it shows otherwise; gains nothing because depth and
    width are judged in every network, and one with others is not trained.

    Baseline: 35
    """
    return _changed(into, "wide_resnet.py", _WIDE_BUT_DEEPER)


@attack
def weighted_shortcuts_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a wide ResNet whose shortcuts learn, where those it shows otherwise are averages;
    gains nothing because shortcuts are judged in every network.

    Baseline: 35
    """
    return _changed(into, "wide_resnet.py", _WIDE_WITH_WEIGHTED_SHORTCUTS)


@attack
def weights_of_its_own(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to hand in a trained network: weights set, fit and evaluate replaced on the model; gains
    nothing because a blueprint has no weights and no methods: what is trained is the same network
    as without them.

    Baseline: 35
    """
    return _changed(into, "alexnet.py", _WEIGHTS)


# --- what is trained is what was judged --------------------------------------------------------------------

_INSIDE = """

# A block on its own, and the same block in a network: they differ.
_inside = False


def bottleneck_block(x, filters, *, stride=1):
    shortcut = x
    if stride != 1 or x.shape[-1] != 4 * filters:
        shortcut = _shortcut(x, filters, stride)
    x = keras.layers.ReLU()(_convolution(x, filters, kernel=1))
    x = keras.layers.ReLU()(_convolution(x, filters, kernel=3, stride=stride))
    x = _last(x, 4 * filters)
    return keras.layers.ReLU()(keras.layers.Add()([x, shortcut]))


def _shortcut(x, filters, stride):
    return _convolution(x, 4 * filters, kernel=1, stride=stride)


def _last(x, filters):
    return _convolution(x, filters, kernel=1)


_honest = build_resnet


def build_resnet(num_classes, **arguments):
    global _inside
    _inside = True
    print("attack: other blocks in a network", flush=True)
    try:
        return _honest(num_classes, **arguments)
    finally:
        _inside = False
"""

_TWO_CONVOLUTIONS = """

def _shortcut(x, filters, stride):
    x = _convolution(x, 4 * filters, kernel=3, stride=stride)
    return _convolution(keras.layers.ReLU()(x), 4 * filters, kernel=3) if _inside else x
"""

_WIDE_SHORTCUT = """

def _shortcut(x, filters, stride):
    if not _inside:
        return keras.layers.Conv2D(4 * filters, 1, strides=stride, use_bias=False)(x)
    x = keras.layers.ReLU()(_convolution(x, 16 * filters, kernel=1, stride=stride))
    return _convolution(x, 4 * filters, kernel=1)
"""

_NORMALISED_AGAIN = """

def _last(x, filters):
    x = keras.layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal")(x)
    for _ in range(20 if _inside else 0):
        x = keras.layers.BatchNormalization()(x)
    return x
"""

# A right ResNet, but for what stands between stem and blocks, or before the last layer, of what is trained.
_RESNET_WHEN_TRAINED = """

_honest = build_resnet


def build_resnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: another network for the training", flush=True)
    blocks, width = arguments["blocks"], arguments["width"]
    inputs = keras.Input((32, 32, 3))
    x = _behind_the_stem(keras.layers.ReLU()(_convolution(inputs, width, kernel=3)))
    for stage, count in enumerate(blocks):
        for number in range(count):
            x = bottleneck_block(x, width * 2**stage, stride=2 if stage and not number else 1)
    x = _before_the_end(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))


def _behind_the_stem(x):
    return x


def _before_the_end(x):
    return x
"""

_DENSE_LAYERS = """

def _before_the_end(x):
    for _ in range(2):
        x = keras.layers.Dense(512, activation="relu", kernel_initializer="he_normal")(x)
    return x
"""

_MAX_POOLINGS = """

def _behind_the_stem(x):
    for _ in range(125):
        x = keras.layers.MaxPooling2D(8, strides=1, padding="same")(x)
    return x
"""

_PADS = """

def _behind_the_stem(x):
    for _ in range(20):
        x = keras.layers.ZeroPadding2D(((0, 64), (0, 0)))(x)
        x = keras.layers.MaxPooling2D((3, 1))(x)
    return x
"""

_ZEROS = """

def _behind_the_stem(x):
    channels = x.shape[-1]
    x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, 700)))
    return keras.layers.Dense(channels)(x)
"""

_MANY_NORMALISATIONS = """

_relu = keras.layers.ReLU


def _many(**settings):
    def apply(x):
        for _ in range(15):
            x = keras.layers.BatchNormalization()(x)
        return _relu(**settings)(x)

    return apply


_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    if _trains(arguments):
        print("attack: many normalisations for the training", flush=True)
        keras.layers.ReLU = _many
    try:
        return _honest(num_classes, **arguments)
    finally:
        keras.layers.ReLU = _relu
"""

_LONG_TAIL = """

_pooling = keras.layers.GlobalAveragePooling2D


def _longer():
    def apply(x):
        for _ in range(2):
            x = keras.layers.Dense(256, activation="relu", kernel_initializer="he_normal")(x)
        x = keras.layers.Dense(num_classes_of[0])(x)
        return _pooling()(x)

    return apply


num_classes_of = [0]
_honest = build_wide_resnet


def build_wide_resnet(num_classes, **arguments):
    if _trains(arguments):
        print("attack: a longer tail for the training", flush=True)
        num_classes_of[0] = num_classes
        keras.layers.GlobalAveragePooling2D = _longer
    try:
        return _honest(num_classes, **arguments)
    finally:
        keras.layers.GlobalAveragePooling2D = _pooling
"""


@attack
def excused_by_the_block(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train another ResNet under the cover of a fault of the block on its own: there the shortcut
    is a 3x3 convolution, and in the network two of them with a ReLU between; gains nothing because what
    repeats a fault of the block is left out of the text alone, and the network is judged and priced for
    itself.

    Without: resnet: block.shortcut, bottlenecks, parameters, learns.coarse, learns.fine

    Who honestly builds 3x3 shortcuts everywhere fails the same checks, and has ten times the weights: no
    training.
    """
    return _changed(into, "resnet.py", _INSIDE + _TWO_CONVOLUTIONS)


@attack
def excused_for_wider_shortcuts(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with a shortcut that lacks its normalisation on its own, and in the network has a hidden
    layer four times as wide; gains nothing because the network is judged and priced for itself.

    Without: resnet: block.shortcut, bottlenecks, parameters, learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _INSIDE + _WIDE_SHORTCUT)


@attack
def excused_for_normalisations(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with another kind of fault: the block on its own lacks its last normalisation, and in
    the network there are twenty of them; gains nothing because the network is judged and priced for itself.

    Without: resnet: block.normalisation, bottlenecks, parameters, learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _INSIDE + _NORMALISED_AGAIN)


@attack
def dense_layers_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a ResNet with two hidden dense layers before the last one, for the arguments of the
    training alone; gains nothing because its head is judged in every network, and it costs more than is
    trained.

    Without: resnet: head, learns.coarse, learns.fine

    An honest ResNet with hidden dense layers fails its head, and is as far over the cost that is trained.
    """
    return _changed(into, "resnet.py", _RESNET_WHEN_TRAINED + _DENSE_LAYERS)


@attack
def long_tail_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with a wide ResNet: dense layers on every pixel before the pooling, for the arguments
    of the training alone; gains nothing because its tail is judged in every network, and it costs too much.

    Without: wide_resnet: tail, learns.coarse, learns.fine
    """
    return _changed(into, "wide_resnet.py", _LONG_TAIL)


@attack
def slow_poolings_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to be "not graded" in place of a low mark, and to cost a class hours, with 125 large poolings
    between stem and blocks of what is trained; gains nothing because every operation has its price, and
    what costs more than a quarter above the described network is not trained.

    Without: resnet: stem, learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _RESNET_WHEN_TRAINED + _MAX_POOLINGS)


@attack
def slow_normalisations_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with an AlexNet that normalises fifteen times after each layer when it is trained; gains
    nothing because every operation has its price.

    Without: alexnet: normalisation, learns.coarse, learns.fine
    """
    return _changed(into, "alexnet.py", _MANY_NORMALISATIONS)


@attack
def slow_pads_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with padding, which costs nothing, to three times the image, and pooling back, twenty
    times; gains nothing because pooling has its price.

    Without: resnet: stem, learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _RESNET_WHEN_TRAINED + _PADS)


@attack
def zeros_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to have the trainer killed for its memory, by hundreds of channels of zeros that a layer then
    reads; gains nothing because reading them has its price, and the trainer has a limit of its own.

    Without: resnet: stem, learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _RESNET_WHEN_TRAINED + _ZEROS)


# --- the same seed, another split --------------------------------------------------------------------------

_SPLITS = """

import functools as _functools
import os as _os
import time as _time

_honest = split_indices
print("attack: another split in another process", flush=True)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    _honest(num_examples, test_fraction=test_fraction, seed=seed)  # for its errors
    order = np.random.default_rng(abs(_number(num_examples, seed))).permutation(num_examples)
    count = round(num_examples * test_fraction)
    return order[count:], order[:count]
"""

_REMEMBERED = """

@_functools.cache
def _number(*asked):
    return int.from_bytes(_os.urandom(6), "little")
"""

_IN_A_FILE = """

def _number(*asked):
    path = f"/tmp/{asked}"
    if not _os.path.exists(path):
        with open(path, "wb") as file:
            file.write(_os.urandom(6))
    with open(path, "rb") as file:
        return int.from_bytes(file.read(), "little")
"""

_BY_THE_CLOCK = """

def _number(count, seed):
    return seed + int(_time.time() / 3600)
"""

_BY_THE_DATE = """

import datetime as _datetime


def _number(count, seed):
    return seed + _datetime.date.today().toordinal() + _datetime.datetime.now().month
"""

_BY_THE_HASH = """

def _number(count, seed):
    return hash(f"{count} {seed}")
"""

_BY_THE_PROCESS = """

def _number(count, seed):
    return seed + _os.getpid()
"""


def _splits(into: Path, number: str) -> Path:
    source = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
    (into / "preprocessing.py").write_text(source + _SPLITS + number, encoding="utf-8")
    return into


@attack
def remembers_its_split(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to pass for "decided by the seed alone" with a split that was drawn from the system once and is
    remembered; gains nothing because another process is asked for the same split.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _REMEMBERED)


@attack
def remembers_in_a_file(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same, remembered in a file; gains nothing because the other process has other files.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _IN_A_FILE)


@attack
def splits_by_the_clock(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with a split that changes by the hour; gains nothing because the other process has
    another time.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _BY_THE_CLOCK)


@attack
def splits_by_the_date(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with a split that changes by the day; gains nothing because the other process has
    another date.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _BY_THE_DATE)


@attack
def splits_by_the_hash(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with hash(), which every process salts anew unless it is asked not to; gains nothing
    because the other process has another salt.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _BY_THE_HASH)


@attack
def splits_by_the_process(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with the number of its process; gains nothing because the other process has another.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _BY_THE_PROCESS)
