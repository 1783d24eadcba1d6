"""What is no submission: archives of data, folders that change or that somebody looks at. Each is a door.

A door tries one thing against a command of this checkout, in a process of its own with bounds of its own, and
returns what got through: an empty text if nothing did. Its docstring has the form that corpus.py describes.
"""

import contextlib
import gzip
import inspect
import io
import os
import pickle
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader import intake
from grader.errors import SubmissionError

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
DOORS: list["Door"] = []
# What reading an archive may take: the right one is read in a few hundred MiB and some seconds.
MOST_MEMORY, MOST_SECONDS = 1024 * MIB, 30.0


@dataclass(frozen=True)
class Door:
    """One thing to try.

    Attributes:
        name: unique among doors and attacks.
        claim: what it tries, and why nothing comes of it.
        opens: tries it -> what got through; empty if nothing.
    """

    name: str
    claim: str
    opens: Callable[[], str]


def door(opens: Callable[[], str]) -> Callable[[], str]:
    """Lists a function as a door under its name."""
    claim = " ".join((inspect.getdoc(opens) or "").split("\n\n")[0].split())
    DOORS.append(Door(opens.__name__, claim, opens))
    return opens


# --- archives of data --------------------------------------------------------------------------------------


@door
def archive_of_encodings() -> str:
    """Tries to fill the memory of whoever brings the data from an archive of some kilobytes, whose pickle
    asks for the bytes of one long text again and again; gains nothing because an unknown archive is read by
    a process with limits.
    """
    text = pickle.BINUNICODE + struct.pack("<I", 8 * MIB) + b"a" * (8 * MIB) + pickle.BINPUT + b"\0"
    encode = b"c_codecs\nencode\n" + pickle.BINPUT + b"\1"
    latin = pickle.BINUNICODE + struct.pack("<I", 6) + b"latin1" + pickle.BINPUT + b"\2"
    again = b"h\1h\0h\2\x86R" * 200
    return brought(_tar({"train": b"\x80\x02" + text + encode + latin + again + b"N."}))


@door
def archive_of_memos() -> str:
    """Tries the same with one string of bytes that is doubled over and over in tuples, and with a list that
    names itself; gains nothing because four arrays are all that is read of it.
    """
    block = pickle.BINUNICODE + struct.pack("<I", 32 * MIB) + b"b" * (32 * MIB) + b"q\0"
    copies = b"c_codecs\nencode\nq\1" + b"".join(
        b"h\1h\0" + pickle.BINUNICODE + struct.pack("<I", 6) + b"latin1\x86Rq" + bytes([number])
        for number in range(2, 62)
    )
    doubled = b"]q\xf0" + b"h\xf0a" + b"h\2h\2\x86" + b"2\x86" * 40
    return brought(_tar({"train": b"\x80\x02" + block + copies + doubled + b"."}))


@door
def archive_of_one_large_array() -> str:
    """Tries the same with a part that says it has hundreds of megabytes, all zeros, hundreds of times smaller
    packed; gains nothing because sizes are bounded before they are read.
    """
    return brought(_tar({name: bytes(300 * MIB) for name in ("train", "test")}))


@door
def archive_with_a_quadratic_header() -> str:
    """Tries to take hours of the processor with a header of digits alone, which old versions of tarfile
    search again from each digit; gains nothing because an unknown archive is read in bounded time.
    """
    digits = 200_000
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, digits
    content = header.tobuf(tarfile.USTAR_FORMAT) + b"1" * digits + bytes(-digits % 512 + 1024)
    return brought(gzip.compress(content))


@door
def archive_with_headers_without_end() -> str:
    """Tries the same with a hundred thousand members of no size and long names, each with a header before it;
    gains nothing because an unknown archive is read in bounded time.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=1) as tar:
        header = tarfile.TarInfo("x/" * 200)
        block = header.tobuf(tarfile.PAX_FORMAT) * 1000
        assert tar.fileobj is not None
        for _ in range(100):
            tar.fileobj.write(block)
    return brought(packed.getvalue())


def brought(archive: bytes) -> str:
    """What it took to refuse an archive, where that was too much; or that it was not refused."""
    with tempfile.TemporaryDirectory(prefix="kit-door-") as folder:
        checkout, path = Path(folder, "checkout"), Path(folder, "archive.tar.gz")
        (checkout / "grader").mkdir(parents=True)
        for pinned in ("data.dvc", "grader/hidden.dvc"):  # and no data yet
            shutil.copy(ROOT / pinned, checkout / pinned)
        path.write_bytes(archive)
        code = (
            "import sys\nfrom pathlib import Path\nfrom lab.errors import DataError\n"
            "from lab.fetch import bring\n"
            "try:\n    bring(Path(sys.argv[1]), Path(sys.argv[2]), print)\n"
            "except DataError as error:\n    print('refused:', str(error)[:200])"
        )
        command = [sys.executable, "-c", code, str(checkout), str(path)]
        # Measured by a process between, which has no other children.
        with _measured(command, seconds=MOST_SECONDS + 5, memory=3 * MOST_MEMORY) as (printed, cpu, peak):
            if peak > MOST_MEMORY:
                return f"it took {peak // MIB} MiB"
            if cpu > MOST_SECONDS:
                return f"it took {cpu:.0f} s"
            return "" if "refused:" in printed else f"it was not refused: {printed[-200:]}"


_MEASURE = """
import resource, subprocess, sys
cpu, memory = int(sys.argv[1]), int(sys.argv[2])
def bound():
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
ran = subprocess.run(sys.argv[3:], preexec_fn=bound, **out)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(ran.stdout[-2000:], used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, sep="\\0")
"""


@contextmanager
def _measured(command: Sequence[str], *, seconds: float, memory: int) -> Iterator[tuple[str, float, int]]:
    """Runs a command and gives what it printed, its processor seconds, and the most bytes it ever had."""
    measuring = [sys.executable, "-c", _MEASURE, str(int(seconds)), str(memory), *command]
    with _bounded(measuring, 60 + 6 * seconds) as printed:
        text, cpu, peak = printed.rsplit("\0", 2)
        yield text, float(cpu), int(peak)


@contextmanager
def _bounded(command: Sequence[str], seconds: float) -> Iterator[str]:
    """Runs a command of this checkout in a session of its own and gives what it printed; all of it is
    ended.
    """
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process.communicate(timeout=seconds)[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()


def _tar(parts: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name, content in parts.items():
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


# --- folders that somebody looks at ------------------------------------------------------------------------


@door
def inspected_by_the_instructor() -> str:
    """Tries to run on the machine of whoever inspects it: leaves a file beside itself and in a folder that
    all may write to; gains nothing because somebody's folder is inspected in a sandbox.
    """
    return leaves_a_mark([sys.executable, "-m", "grader", "inspect", "--profile", "offline", "--folder"])


@door
def checked_by_the_instructor() -> str:
    """Tries the same with whoever checks it; gains nothing because somebody's folder is checked in a
    sandbox.
    """
    return leaves_a_mark([sys.executable, "-m", "grader", "check", "preprocessing", "--folder"])


@door
def checked_through_a_link() -> str:
    """Tries the same under the name of the instructor's own folder, which is a link to somebody's; gains
    nothing because what decides is where the files lie.
    """
    with tempfile.TemporaryDirectory(prefix="kit-door-") as folder:
        link = Path(folder, "assignment")
        command = [sys.executable, "-m", "grader", "check", "preprocessing", "--folder"]
        return leaves_a_mark(command, under=link)


def leaves_a_mark(command: Sequence[str], *, under: Path | None = None) -> str:
    """Has a command run on a folder, and says where the folder's code left a mark, or that it did not run.

    Args:
        command: what the folder's path is added to.
        under: a link to make to the folder, which is named in its place.
    """
    with tempfile.TemporaryDirectory(prefix="kit-door-") as folder:
        here, open_to_all = Path(folder, "somebody"), Path(folder, "shared")
        here.mkdir()
        open_to_all.mkdir()
        for path in (Path(folder), open_to_all):
            path.chmod(0o777)
        marks = [here / "mark", open_to_all / "mark"]
        leaving = (
            "def prepare(*args, **kwargs):\n"
            f"    for path in {[str(mark) for mark in marks]}:\n"
            "        try:\n            open(path, 'w').write('ran')\n"
            "        except OSError:\n            pass\n"
            "    raise ValueError('prepare was called')\n"
        )
        (here / "preprocessing.py").write_text(leaving, encoding="utf-8")
        if under is not None:
            under.symlink_to(here)
        with _bounded([*command, str(under or here)], 240.0) as printed:
            left = [mark.parent.name for mark in marks if mark.exists()]
            if left:
                return f"its code wrote into {' and '.join(left)}"
            called = "prepare was called" in " ".join(printed.split())
            return "" if called else f"the command did not call it: {printed[-200:]}"


@door
def class_entries_that_are_pipes() -> str:
    """Tries to have a whole class wait for ever: entries called .zip that are a pipe, a device or a folder;
    gains nothing because what is no regular file is not opened, and the others are taken in.
    """
    with tempfile.TemporaryDirectory(prefix="kit-door-") as folder:
        (Path(folder) / "honest").mkdir()
        (Path(folder) / "honest" / "preprocessing.py").write_text("x = 1\n")
        os.mkfifo(Path(folder, "pipe.zip"))
        Path(folder, "folder.zip").mkdir()
        if os.geteuid() == 0:
            with contextlib.suppress(OSError):
                os.mknod(Path(folder, "device.zip"), stat.S_IFCHR | 0o666, os.makedev(1, 5))
        code = (
            "import sys, tempfile\nfrom pathlib import Path\nfrom grader import intake\n"
            "from grader.errors import SubmissionError\n"
            "for source in intake.find([Path(sys.argv[1])], ['preprocessing.py']):\n"
            "    with tempfile.TemporaryDirectory() as into:\n"
            "        try:\n            one = intake.take_in(source, ['preprocessing.py'], Path(into))\n"
            "            print('missing' if one.missing else 'taken in:', source.name, flush=True)\n"
            "        except SubmissionError as error:\n            print('refused:', error, flush=True)\n"
        )
        try:
            with _bounded([sys.executable, "-c", code, folder], 20.0) as printed:
                return "" if "taken in: honest" in printed else f"the class was not graded: {printed[-200:]}"
        except subprocess.TimeoutExpired:
            return "the class waited until it was stopped"


# --- folders that change while they are read ---------------------------------------------------------------


@door
def folder_that_becomes_a_link() -> str:
    """Tries to have a file from elsewhere taken in, by a folder inside a submission that is a link every
    other moment; gains nothing because each level is opened without following links.
    """
    return _raced(lambda here, secret: (here / "eve" / "work", secret))


@door
def submission_that_becomes_a_link() -> str:
    """Tries the same with the submission's own folder; gains nothing because that is opened in the same
    way.
    """
    return _raced(lambda here, secret: (here / "eve", secret), inside=False)


@door
def file_that_becomes_a_link() -> str:
    """Tries the same with the task file; gains nothing because a file is opened once, without following
    links.
    """
    return _raced(
        lambda here, secret: (here / "eve" / "work" / "preprocessing.py", secret / "preprocessing.py")
    )


_RACE_SECONDS = 4.0
_SWAP = """
import ctypes, sys, time
libc, end = ctypes.CDLL(None), time.monotonic() + float(sys.argv[3])
one, other = (path.encode() for path in sys.argv[1:3])
while time.monotonic() < end:
    libc.renameat2(-100, one, -100, other, 2)  # RENAME_EXCHANGE
"""


def _raced(aim: Callable[[Path, Path], tuple[Path, Path]], *, inside: bool = True) -> str:
    """Takes a submission in over and over while one of its paths is swapped for a link.

    Args:
        aim: (the class, a folder elsewhere) -> the path to be swapped, and what the link is to.
        inside: the task file lies in a folder within the submission.
    """
    with tempfile.TemporaryDirectory(prefix="kit-door-") as folder:
        here, secret = Path(folder, "class"), Path(folder, "elsewhere")
        work = here / "eve" / "work" if inside else here / "eve"
        for place, content in ((work, "print('own')\n"), (secret, "SECRET = 1\n")):
            place.mkdir(parents=True)
            (place / "preprocessing.py").write_text(content)
        (here / "zoe").mkdir()
        swapped, target = aim(here, secret)
        link = Path(folder, "link")
        link.symlink_to(target)
        swapping = [sys.executable, "-c", _SWAP, str(swapped), str(link), str(_RACE_SECONDS)]
        with _beside(swapping):
            tried, taken = _takes_in(here, time.monotonic() + _RACE_SECONDS)
        if tried < 20:
            return f"it was taken in {tried} times only"
        return f"read through the link {taken} of {tried} times" if taken else ""


def _takes_in(path: Path, end: float) -> tuple[int, int]:
    """How often a class was taken in until then, and how often with what is not its own."""
    tried = taken = 0
    modules = ["preprocessing.py"]
    while time.monotonic() < end:
        tried += 1
        for source in intake.find([path], modules):
            with tempfile.TemporaryDirectory(prefix="kit-door-") as into:
                with contextlib.suppress(SubmissionError):
                    intake.take_in(source, modules, Path(into))
                taken += any("SECRET" in file.read_text() for file in Path(into).rglob("*.py"))
    return tried, taken


@contextmanager
def _beside(command: Sequence[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
