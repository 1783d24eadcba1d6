"""Makes assignment/ from solutions/, so that a stub and its solution cannot drift apart.

What lies between `# BEGIN SOLUTION` and `# END SOLUTION` is left out of the handout:

- inside a function it is the body after the docstring, and becomes `raise NotImplementedError(...)`;
- at the left margin it is a private helper of the solution, and vanishes.

Every other file is copied as it is. A notebook must have been saved without outputs: they would be pictures
of CIFAR-100, which is not ours to publish.
"""

import ast
import itertools
import json
import re
import shutil
import time
from pathlib import Path

from grader.config import manifest
from grader.errors import ManifestError
from grader.text import plain

BEGIN = "# BEGIN SOLUTION"
END = "# END SOLUTION"
_LITTER = {"__pycache__", ".ipynb_checkpoints"}


def generate(root: Path) -> list[Path]:
    """Writes root/assignment from root/solutions and returns the files that changed.

    What a changed file held before is kept in root/.kit/replaced: it may be somebody's work.

    Raises:
        ManifestError: a solution or the manifest breaks a rule; nothing was written then.
    """
    kept = root / ".kit" / "replaced" / time.strftime("%Y%m%d-%H%M%S")
    changed = []
    for name, content in _handout(root).items():
        target = root / "assignment" / name
        if target.is_file():
            if target.read_bytes() == content:
                continue
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(target, kept / name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        changed.append(target)
    return changed


def check(root: Path) -> list[str]:
    """Says where root/assignment differs from what root/solutions gives: a line a file, none if it is right.

    Raises:
        ManifestError: a solution or the manifest breaks a rule.
    """
    differences = []
    wanted = _handout(root)
    for name, content in wanted.items():
        target = root / "assignment" / name
        if not target.is_file():
            differences.append(f"assignment/{name} is missing")
        elif target.read_bytes() != content:
            differences.append(_first_difference(name, target.read_bytes(), content))
    for name in _files(root / "assignment"):
        if name not in wanted:
            differences.append(f"assignment/{name} has no counterpart in solutions/")
    return differences


def stub(source: str, name: str) -> str:
    """A solution's source text with what is fenced left out; `name` is for messages.

    Raises:
        ManifestError: naming the file and the line at fault.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ManifestError(f"solutions/{name}:{error.lineno}: not Python: {error.msg}") from error
    lines: list[str] = []
    opened = 0  # the line of the fence that is open, counted from 1
    for number, line in enumerate(source.split("\n"), start=1):
        fence = line.strip()
        if fence == BEGIN:
            if opened:
                raise _broken(name, number, f"{BEGIN} inside the fence that line {opened} opens")
            opened = number
            if indent := line[: -len(line.lstrip())]:
                function = _function_at(tree, number, name)
                message = f"{function} is not written yet: replace this line"
                lines.append(f'{indent}raise NotImplementedError("{message}")')
        elif fence == END:
            if not opened:
                raise _broken(name, number, f"{END} without a {BEGIN} above it")
            opened = 0
        elif _NEARLY_A_FENCE.fullmatch(fence):
            raise _broken(name, number, f"a fence is written {BEGIN!r} or {END!r}, not {fence!r}")
        elif not opened:
            lines.append(line)
    if opened:
        raise _broken(name, opened, f"{BEGIN} is never closed by {END}")
    return _tidy(lines)


_NEARLY_A_FENCE = re.compile(r"#+\s*(BEGIN|END)[\s_]*SOLUTIONS?\W*", re.IGNORECASE)


def _handout(root: Path) -> dict[str, bytes]:
    """What assignment/ has to hold, by name."""
    solutions = root / "solutions"
    listed = {task.module: task.functions for task in manifest.load(solutions / "tasks.toml").tasks}
    for module in listed:
        if not (solutions / module).is_file():
            raise ManifestError(f"solutions/tasks.toml names {module}, which is not in solutions/")
    handout = {}
    for name in _files(solutions):
        content = (solutions / name).read_bytes()
        if name.endswith(".py"):
            source = content.decode("utf-8")
            text = stub(source, name)
            _assert_stubbed(source, text, name, listed.get(name, ()))
            content = text.encode()
        elif name.endswith(".ipynb"):
            _assert_no_outputs(content, name)
        handout[name] = content
    return handout


def _files(folder: Path) -> list[str]:
    """The files below a folder by their relative names, without what tools leave behind."""
    relative = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        path.as_posix()
        for path in relative
        if not any(part in _LITTER or part.startswith(".") for part in path.parts)
    ]


def _function_at(tree: ast.Module, line: int, name: str) -> str:
    """The innermost function around a line."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.lineno < line <= (node.end_lineno or 0) + 1
    ]
    if not around:
        raise _broken(name, line, "an indented fence must be the body of a function")
    return max(around, key=lambda node: node.lineno).name


def _assert_stubbed(source: str, text: str, name: str, functions: tuple[str, ...]) -> None:
    """Each listed function must come out as its docstring and the line that raises, nothing more or less."""
    try:
        solved, stubs = _functions(source), _functions(text)
    except SyntaxError as error:
        raise ManifestError(f"solutions/{name}: without its fences it is not Python: {error.msg}") from error
    for function in functions:
        if function not in solved:
            raise ManifestError(f"solutions/tasks.toml lists {function}, which is not in solutions/{name}")
        line = solved[function].lineno
        if not ast.get_docstring(solved[function]):
            raise _broken(name, line, f"{function} has no docstring, and the student has nothing else")
        left = stubs[function].body if function in stubs else []
        if len(left) != 2 or not isinstance(left[1], ast.Raise):
            raise _broken(name, line, f"all of {function} below its docstring must be in one fence")


def _functions(source: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def _assert_no_outputs(content: bytes, name: str) -> None:
    try:
        cells = json.loads(content)["cells"]
        dirty = any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"solutions/{name} is not a notebook: {error}") from error
    if dirty:
        raise ManifestError(
            f"solutions/{name} holds outputs, which may show CIFAR-100 images",
            fix=f"Run: jupyter nbconvert --clear-output --inplace solutions/{name}",
        )


def _tidy(lines: list[str]) -> str:
    """At most two blank lines in a row, one newline at the end: as the formatter wants it."""
    text = "\n".join(lines).rstrip("\n") + "\n"
    while "\n\n\n\n" in text:
        text = text.replace("\n\n\n\n", "\n\n\n")
    return text


def _first_difference(name: str, there: bytes, wanted: bytes) -> str:
    pairs = itertools.zip_longest(there.splitlines(), wanted.splitlines())
    for number, (is_, should) in enumerate(pairs, start=1):
        if is_ != should:
            return f"assignment/{name}:{number} is {_shown(is_)}, and solutions/ gives {_shown(should)}"
    return f"assignment/{name} differs in its line ends"


def _shown(line: bytes | None) -> str:
    return "not there" if line is None else repr(plain(line.decode("utf-8", "replace"), 60))


def _broken(name: str, line: int, fault: str) -> ManifestError:
    return ManifestError(f"solutions/{name}:{line}: {fault}")
