"""Which file is which task's: names as browsers, students and systems change them."""

import re
import unicodedata
from collections.abc import Sequence

# "evaluation (1).py", "evaluation - Copy.py", "Copy of evaluation.py", "evaluation-1.py", "evaluation.py.txt"
_BEFORE = re.compile(r"^(?:copy[ _-]of|kopie von|copie de|copia de)[ _-]+")
_AFTER = re.compile(
    r"(?:[ _]*\(\d{1,3}\)|[ _-]+(?:copy|kopie|copie|copia)(?:[ _]*\(?\d{1,3}\)?)?"
    r"|[_-]\d{1,2}|[ _-]*v\d{1,2}| +\d{1,2})$"
)
_TYPES = (".py", ".py.txt", ".txt.py", ".py.py")
# What stands beside a task's name in files that are not the work itself.
_OTHERS = {
    *(
        "test",
        "tests",
        "old",
        "backup",
        "bak",
        "util",
        "utils",
        "helper",
        "helpers",
        "draft",
        "orig",
        "original",
    ),
    *("stub", "example", "notes", "data", "plot", "plots", "main", "run", "demo", "solution", "template"),
}
NOTEBOOK = ".ipynb"


def near(name: str, modules: Sequence[str]) -> tuple[str, bool] | None:
    """The task file that another file's name stands for, and whether it is the work without doubt.

    Args:
        name: of a file, without folders.
        modules: the names of task files.

    Returns:
        None where it is none of them, or the very name of one.

    >>> near("Evaluation (1).py", ["evaluation.py"]), near("evaluation_test.py", ["evaluation.py"])
    (('evaluation.py', True), ('evaluation.py', False))
    """
    if name in modules:
        return None
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    kind = next((t for t in sorted(_TYPES, key=len, reverse=True) if folded.endswith(t)), None)
    if kind is None:
        return None
    written = folded.removesuffix(kind).strip()
    by_stem = {module.removesuffix(".py").casefold(): module for module in modules}
    bare = _BEFORE.sub("", written)
    while (shorter := _AFTER.sub("", bare).strip()) != bare and shorter:
        if bare in by_stem:
            break
        bare = shorter
    if bare in by_stem:
        return by_stem[bare], True
    for known in sorted(by_stem, key=len, reverse=True):  # wide_resnet_doe.py is not resnet.py
        found = re.fullmatch(rf"(?:(?P<a>.+)[ _-])?{re.escape(known)}(?:[ _-](?P<b>.+))?", bare)
        if found:
            words = set(re.split(r"[ _-]+", f"{found['a'] or ''} {found['b'] or ''}"))
            return by_stem[known], words.isdisjoint(_OTHERS)
    return None


def is_task_like(name: str, modules: Sequence[str]) -> bool:
    """Whether a file's name is that of a task file, or stands for one without doubt."""
    if name in modules:
        return True
    found = near(name, modules)
    return found is not None and found[1]
