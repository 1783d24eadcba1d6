"""Which modules of this checkout a module imports, and those in turn: read from their text, none is run."""

import ast
from collections.abc import Iterable, Sequence
from pathlib import Path

PACKAGES = ("grader", "lab")


def closure(root: Path, modules: Iterable[str]) -> list[Path]:
    """The files of these modules, of all that they import of PACKAGES, and of the packages these lie in.

    Imports within functions count too.

    Args:
        root: the checkout.
        modules: names, such as `grader.packaging.autograde`.

    Returns:
        Paths relative to the root, sorted.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] not in PACKAGES:
            continue
        file = _file(root, name)
        if file is None:
            continue  # a name in a module, not a module
        found[name] = file.relative_to(root)
        waiting += [name.rpartition(".")[0], *_imports(file, name)]
    return sorted(found.values())


def _file(root: Path, name: str) -> Path | None:
    path = root.joinpath(*name.split("."))
    candidates: Sequence[Path] = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


def _imports(file: Path, name: str) -> list[str]:
    """The names that a module imports, each of which may be a module."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found = []
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return found
