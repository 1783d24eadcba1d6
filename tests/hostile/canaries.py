"""What must not get out: planted where a hostile submission might look, and looked for in all it produces.

A submission has a list of where everything lies, targets.json beside its own files: nothing here rests on a
path that is hard to guess.
"""

import base64
import json
import os
import secrets
import selectors
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np

ROOT = Path(__file__).parents[2]
REAL = ROOT / "grader" / "hidden" / "images.npy"
VARIABLE = "KIT_GRADEBOOK_PASSWORD"
_CHUNK = 1 << 22
# Where programs lie and classes sometimes do: a common layout of containers has both below /usr/src.
_SYSTEM = ("/usr/local", "/usr/src", "/opt", "/srv")
_PLANTED = "kit-attack-"


class Canaries:
    """A gradebook, hidden labels, other submissions, a variable and servers, each with a word of its own.

    Where the user may write there, a submission is planted below /usr and the like, for as long as this
    lasts.

    Attributes:
        folder: the class, with `victim/` in it; submissions to be graded go beside it.
        words: by where each was planted.
    """

    def __init__(self) -> None:
        places = ("gradebook", "hidden labels", "other submission", "environment", "network", "checkout")
        places += ("neighbour",)
        self.words = {place: f"CANARY{secrets.token_hex(12)}" for place in places}
        self._needles = {place: list(_disguises(word.encode())) for place, word in self.words.items()}
        if REAL.is_file():  # the real hidden set, where it is: a few of its pixels
            with REAL.open("rb") as images:
                images.seek(1_000_000)
                self._needles["hidden images"] = [images.read(48)]
        self._before: dict[Path, bytes] = {}
        self._cleanup = ExitStack()
        self._sockets: list[socket.socket] = []
        self.connections = 0

    def __enter__(self) -> Self:
        with ExitStack() as cleanup:
            world = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="kit-attack-")))
            (ROOT / ".kit").mkdir(exist_ok=True)
            inside = Path(
                cleanup.enter_context(tempfile.TemporaryDirectory(prefix="attacked-", dir=ROOT / ".kit"))
            )
            self.folder = world / "class"
            self.gradebook = world / "results" / "gradebook.csv"
            self.hidden = world / "hidden" / "fine_labels.npy"
            self._write(self.gradebook, f"mallory,0\n{self.words['gradebook']},100\n".encode())
            labels = np.frombuffer(self.words["hidden labels"].encode(), np.uint8)
            self.hidden.parent.mkdir()
            np.save(self.hidden, labels)
            self._before[self.hidden] = self.hidden.read_bytes()
            victim = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
            mark = f"# {self.words['other submission']}\n"
            self._write(self.folder / "victim" / "preprocessing.py", (mark + victim).encode())
            self._write(inside / "gradebook.csv", self.words["checkout"].encode())
            self._neighbours = [
                path for top in _SYSTEM if (path := self._plant_below(Path(top), victim, cleanup))
            ]
            os.environ[VARIABLE] = self.words["environment"]
            cleanup.callback(os.environ.pop, VARIABLE, None)
            self._listen(cleanup)
            self._inside = inside
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def targets(self) -> dict[str, Any]:
        """What targets.json holds: everything there is to steal, and where."""
        return {
            "files": [
                *map(str, (self.gradebook, self.hidden, self.folder / "victim" / "preprocessing.py")),
                str(self._inside / "gradebook.csv"),
                *map(str, self._neighbours),
                str(REAL),
            ],
            "folders": [str(self.gradebook.parent), str(self.folder), str(ROOT)],
            "variable": VARIABLE,
            "tcp": self._tcp,
            "udp": self._udp,
            "abstract": self._abstract,
            "word": "CANARY",
        }

    def leaked(self, produced: Iterable[bytes]) -> set[str]:
        """Which of the words, in whatever disguise, are in these pieces of one stream."""
        found: set[str] = set()
        longest = max(len(needle) for needles in self._needles.values() for needle in needles)
        rest = b""
        for piece in produced:
            text = rest + piece
            for place, needles in self._needles.items():
                if place not in found and any(needle in text for needle in needles):
                    found.add(place)
            rest = text[-longest:]
        return found

    def leaked_in(self, folder: Path) -> set[str]:
        """Likewise in all files of a folder, and in their names."""
        found = set()
        for path in sorted(folder.rglob("*")):
            found |= self.leaked([os.fsencode(path.name)])
            if path.is_file() and not path.is_symlink():
                found |= self.leaked(_pieces(path))
        return found

    def tampered(self) -> list[str]:
        """The planted files that are not as they were."""
        return [path.name for path, content in self._before.items() if _content(path) != content]

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._before[path] = content

    def _plant_below(self, top: Path, victim: str, cleanup: ExitStack) -> Path | None:
        """A class with an honest submission below one of the system's folders; None where nobody may."""
        if not (top.is_dir() and os.access(top, os.W_OK)):
            return None
        for left in top.glob(f"{_PLANTED}*"):  # by a run that was killed
            if not Path("/proc", left.name.removeprefix(_PLANTED).split("-")[0]).exists():
                shutil.rmtree(left, ignore_errors=True)
        name = f"{_PLANTED}{os.getpid()}-"
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix=name, dir=top)))
        path = folder / "class" / "alice" / "preprocessing.py"
        self._write(path, f"# {self.words['neighbour']}\n{victim}".encode())
        for shown in (folder, *path.parents[:2]):  # not to be hidden by its mode alone
            shown.chmod(0o755)
        return path

    def _listen(self, cleanup: ExitStack) -> None:
        """Servers on every kind of socket that a way out might have; whoever connects is sent the word."""
        tcp = socket.create_server(("0.0.0.0", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("0.0.0.0", 0))
        self._tcp, self._udp = tcp.getsockname()[1], udp.getsockname()[1]
        listening = [tcp, udp]
        self._abstract = f"kit-canary-{secrets.token_hex(4)}"
        if hasattr(socket, "AF_UNIX"):
            abstract = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            abstract.bind(f"\0{self._abstract}")
            abstract.listen()
            listening.append(abstract)
        stop, stopping = socket.socketpair()
        for one in (*listening, stop, stopping):
            cleanup.callback(one.close)
        server = threading.Thread(target=self._serve, args=(listening, stopping), daemon=True)
        server.start()
        cleanup.callback(server.join, 5)
        cleanup.callback(stop.send, b"x")

    def _serve(self, listening: list[socket.socket], stopping: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            for one in (*listening, stopping):
                selector.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is stopping:
                        return
                    self._answer(key.fileobj)  # type: ignore[arg-type]

    def _answer(self, one: socket.socket) -> None:
        self.connections += 1
        word = self.words["network"].encode()
        try:
            if one.type == socket.SOCK_DGRAM:
                _, sender = one.recvfrom(4096)
                one.sendto(word, sender)
            else:
                connection, _ = one.accept()
                with connection:
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + word)
        except OSError:
            pass  # gone already


def plant(targets: Mapping[str, Any], folder: Path) -> None:
    """Puts targets.json into a submission's folder."""
    (folder / "targets.json").write_text(json.dumps(targets), encoding="utf-8")


def _disguises(word: bytes) -> Iterator[bytes]:
    yield word
    yield word[::-1]
    yield word.decode().encode("utf-16-le")
    yield word.hex().encode()
    yield word.hex().upper().encode()
    for shift in range(3):  # base64 depends on where in a text a word begins
        yield base64.b64encode(b"-" * shift + word)[4 if shift else 0 :][:28]


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
