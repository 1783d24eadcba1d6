"""Whether a file is the stub that was handed out: then nothing has to run to know what its functions do.

A submission's file is read here by Python's own parser, in the grader's process, and never compiled or run.
What a parser can be made to do is bounded before it is asked: a file that is much longer than the stub, in
bytes or in tokens, is not the stub, and nothing in it nests deeper than it has tokens.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from grader.config.manifest import Task
from grader.grading.evidence import Call, Evidence

ASSIGNMENT = Path(__file__).parents[2] / "assignment"  # what was handed out; students work in it, too
MORE_BYTES = 16 * 1024  # than the stub has: notes in comments and docstrings
MORE_TOKENS = 64  # than the stub has: parentheses and commas that mean nothing

# What a stub may import: what is there wherever it is graded, and has no effect.
_IMPORTED = {"__future__", "collections", "keras", "math", "numpy", "typing"}
_OTHER_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*+(?!utf-?8\b)", re.IGNORECASE)
_UNREADABLE = (SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError)


def evidence(task: Task, submission: Path, assignment: Path = ASSIGNMENT) -> Evidence | None:
    """What a probe would find of a task of which nothing is written yet.

    Args:
        task: which.
        submission: the folder that was taken in.
        assignment: the folder of the files that were handed out.

    Returns:
        evidence that each function says it is not written; None for anything but the stub: it has to be
        probed.
    """
    if not is_untouched(submission / task.module, assignment / task.module, task.functions):
        return None
    calls = {name: Call(name, "", "not implemented") for name in task.functions}
    return Evidence(True, True, None, "ok", None, calls)


def is_untouched(file: Path, stub: Path, functions: tuple[str, ...]) -> bool:
    """Whether a file is a stub, and has the syntax tree of the one that was handed out.

    Comments, docstrings and layout may differ. Where students work in the folder itself, a file is compared
    with itself: what makes it a stub is that all of these functions do nothing but say they are not written.
    """
    try:
        handed_out = stub.read_bytes()
        with file.open("rb") as opened:
            found = opened.read(len(handed_out) + MORE_BYTES + 1)
    except OSError:
        return False
    if len(found) > len(handed_out) + MORE_BYTES:
        return False
    try:
        tokens = sum(1 for _ in _tokens(_text(handed_out)))
        wanted = _tree(handed_out, tokens)
        return _is_stub(wanted, set(functions)) and (
            found == handed_out or ast.dump(_tree(found, tokens + MORE_TOKENS)) == ast.dump(wanted)
        )
    except _UNREADABLE:
        return False


def _text(content: bytes) -> str:
    """A source file as Python reads it; ValueError if it asks for another encoding than UTF-8."""
    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    if any(_OTHER_CODING.match(line) for line in text.split("\n", 2)[:2]):
        raise ValueError("another encoding")
    return text


def _tree(content: bytes, most_tokens: int) -> ast.Module:
    """The syntax tree of a source file without its docstrings; ValueError if it has more tokens than this."""
    text = _text(content)
    for number, token in enumerate(_tokens(text), start=1):
        # The parser prints a warning about some backslashes, in the name of this process.
        if number > most_tokens or (token.type == tokenize.STRING and "\\" in token.string):
            raise ValueError("more than the stub has")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a source file that mean something."""
    silent = (tokenize.COMMENT, tokenize.NL)
    return (t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in silent)


def _is_stub(module: ast.Module, functions: set[str]) -> bool:
    """Whether importing a module does nothing, and calling any of these functions says it is not written."""
    written = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    return written == functions and all(map(_does_nothing, module.body))


def _does_nothing(node: ast.stmt) -> bool:
    match node:
        case ast.Import():
            return all(name.name.partition(".")[0] in _IMPORTED for name in node.names)
        case ast.ImportFrom():
            return node.level == 0 and (node.module or "").partition(".")[0] in _IMPORTED
        case ast.ClassDef():  # a table of fields
            return not node.decorator_list and all(
                isinstance(line, ast.AnnAssign | ast.Pass) for line in node.body
            )
        case ast.FunctionDef(decorator_list=[], body=[ast.Raise(exc=ast.Call(func=ast.Name(id=name)))]):
            return name == "NotImplementedError"
    return False
