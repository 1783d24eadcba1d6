"""The names in a folder or an archive, as far as telling layouts apart needs them. No link is followed."""

import io
import itertools
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from grader.intake import archives
from grader.intake.bounds import is_environment, is_litter, is_of_environment
from grader.intake.naming import is_task_like

MOST = 20_000  # in a folder; of a submission's, what lies beyond is for taking in to count
_MOST_LOOKED_AT = 5_000
RESULTS = {"results.json", "report.txt"}  # what grading leaves of a submission
TABLES = {"marks.csv", "gradebook.db"}  # and of a class


class Node:
    """A name and what is below it.

    Attributes:
        name: the last part of its path.
        path: where it lies; in an archive, where it would.
        kind: "folder", "file", "link" or "other".
        listed: for what is in an archive, its children; a folder's are looked up when they are asked for.
    """

    def __init__(self, name: str, path: Path, kind: str, listed: "dict[str, Node] | None" = None) -> None:
        self.name, self.path, self.kind, self.listed = name, path, kind, listed
        self.is_cut = False  # whether it has more children than are looked at

    @cached_property
    def children(self) -> "list[Node]":
        """All that is in a folder, in order of name; none for what is no folder, or cannot be read."""
        if self.kind != "folder":
            return []
        if self.listed is not None:
            return [self.listed[name] for name in sorted(self.listed)]
        try:
            with os.scandir(self.path) as found:
                entries = list(itertools.islice(found, MOST + 1))
        except OSError:
            return []  # taking it in says why
        self.is_cut = len(entries) > MOST
        return [
            Node(entry.name, self.path / entry.name, _kind(entry))
            for entry in sorted(entries[:MOST], key=lambda entry: entry.name)
        ]

    @cached_property
    def visible(self) -> "list[Node]":
        """What is in a folder, without what systems, tools and environments put there."""
        inside = is_environment(child.name for child in self.children)
        return [
            child
            for child in self.children
            if not is_litter(child.name) and not is_of_environment(child.name, inside=inside)
        ]

    @property
    def folders(self) -> "list[Node]":
        """The folders among what is visible."""
        return [child for child in self.visible if child.kind == "folder"]

    def child(self, name: str) -> "Node | None":
        """What is in a folder under this name, visible or not."""
        return next((child for child in self.children if child.name == name), None)

    def files(self, depth: int = 4) -> Iterator[tuple[PurePosixPath, "Node"]]:
        """What is below and is no folder, the shallow first: some thousand at most."""
        level = [(PurePosixPath(), self)]
        looked_at = 0
        for _ in range(depth):
            below = []
            for where, folder in level:
                for child in folder.visible:
                    looked_at += 1
                    if looked_at > _MOST_LOOKED_AT:
                        return
                    if child.kind == "folder":
                        below.append((where / child.name, child))
                    else:
                        yield where / child.name, child
            level = below


def of_path(path: Path) -> Node:
    """A folder that somebody named: it may be a link."""
    return Node(path.name, path, "folder")


def opened(path: Path, *, named: bool = False) -> io.FileIO:
    """Opens a file to be read: no link is followed but one that somebody named, and no pipe waited for."""
    follow = 0 if named else getattr(os, "O_NOFOLLOW", 0)
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | follow
    return io.FileIO(path, opener=lambda name, mode: os.open(name, mode | flags))


def start(node: Node, most: int) -> bytes:
    """The first bytes of a file, if it still is one.

    Raises:
        OSError: it cannot be read.
    """
    if node.kind != "file":
        return b""
    with opened(node.path) as file:
        data = b""
        while len(data) < most and (piece := file.read(most - len(data))):
            data += piece
        return data


def of_names(root: Path, names: Sequence[str]) -> Node:
    """What an archive would unpack to: its files' paths from the top, with `/` between folders."""
    top = Node(root.name, root, "folder", {})
    for name in names:
        node = top
        parts = name.split("/")
        for part in parts[:-1]:
            assert node.listed is not None
            node = node.listed.setdefault(part, Node(part, node.path / part, "folder", {}))
            if node.listed is None:
                break  # a file of that name came before
        if node.listed is not None:
            node.listed.setdefault(parts[-1], Node(parts[-1], node.path / parts[-1], "file"))
    return top


def _kind(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


def is_archive(node: Node) -> bool:
    """Whether a name says that it is an archive, of a kind that is read or not; a folder is none."""
    return node.kind != "folder" and bool(archives.suffix(node.name))


def tasks(node: Node, modules: Sequence[str]) -> list[str]:
    """The task files at a folder's top, under their very names."""
    return [child.name for child in node.visible if child.kind == "file" and child.name in modules]


def direct_tasks(node: Node, modules: Sequence[str]) -> list[str]:
    """The task files at a folder's top, or in the only folder that is in it, and so on."""
    for _ in range(4):
        found = tasks(node, modules) or [
            child.name for child in node.visible if child.kind == "file" and is_task_like(child.name, modules)
        ]
        if found:
            return found
        if len(node.folders) != 1:
            return []
        node = node.folders[0]
    return []


def has_work(node: Node, modules: Sequence[str]) -> bool:
    """Whether there may be something to grade in it: an archive, a task file under some name, a notebook."""
    if is_archive(node):
        return True
    return any(
        is_archive(child) or is_task_like(child.name, modules) or child.name.endswith((".py", ".ipynb"))
        for _, child in node.files(3)
    )


def is_results(node: Node, modules: Sequence[str]) -> bool:
    """Whether a folder is what grading has written, of a class or of one submission."""
    names = {child.name for child in node.children}
    if node.kind != "folder" or tasks(node, modules):
        return False
    if names >= RESULTS:
        return True
    written = any({c.name for c in folder.children} & RESULTS for folder in node.folders)
    return bool(names & TABLES) and (written or not node.folders)
