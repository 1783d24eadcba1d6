"""Which modules a module needs: read from its text, compared with what is really imported."""

import subprocess
import sys
from pathlib import Path

from grader.handout.closure import closure

ROOT = Path(__file__).resolve().parents[3]


def test_it_has_all_that_is_imported() -> None:
    code = (
        "import sys, grader.packaging.autograde\n"
        "for name, module in sys.modules.items():\n"
        "    if name.split('.')[0] in ('grader', 'lab'): print(module.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {Path(line).relative_to(ROOT) for line in done.stdout.split()}
    assert imported <= {*closure(ROOT, ["grader.packaging.autograde"])}


def test_the_supervisor_needs_the_standard_library_alone() -> None:
    names = {path.as_posix() for path in closure(ROOT, ["grader.packaging.supervise"])}
    assert names == {
        "grader/__init__.py",
        "grader/packaging/__init__.py",
        "grader/packaging/rules.py",
        "grader/packaging/supervise.py",
    }
    code = "before = set(sys.modules); import grader.packaging.supervise; "
    code += "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) <= {*sys.stdlib_module_names, "grader"}


def test_relative_and_late_imports_count(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "__init__.py").write_text("")
    (tmp_path / "lab" / "a.py").write_text("def f():\n    from . import b\n    from lab.c import x\n")
    for name in "bcd":
        (tmp_path / "lab" / f"{name}.py").write_text("x = 1\n")
    names = [path.as_posix() for path in closure(tmp_path, ["lab.a"])]
    assert names == ["lab/__init__.py", "lab/a.py", "lab/b.py", "lab/c.py"]
