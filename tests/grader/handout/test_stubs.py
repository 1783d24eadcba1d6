"""assignment/ is what solutions/ gives, and a solution that cannot be handed out is refused with its line."""

import ast
import doctest
import importlib.util
import json
from pathlib import Path

import pytest

from grader.errors import ManifestError
from grader.handout import stubs

ROOT = Path(__file__).parents[3]

MODULES = ("preprocessing", "alexnet", "resnet", "wide_resnet", "evaluation")

MANIFEST = """
title = "One task"
[[tasks]]
id = "sums"
title = "Sums"
module = "sums.py"
functions = ["add"]
[[tasks.checks]]
id = "adds"
title = "It adds"
rule = "values"
functions = ["add"]
hint = "Use the plus sign."
"""
MARKING = """
format = 1
each_check = 0.5
levels = { small = 0.1 }
[tasks.sums]
points = 2
functions = { add = 2 }
[[rules]]
id = "values"
level = "small"
says = "values are wrong"
"""
SUMS = '''"""Sums."""


def add(a, b):
    """Adds."""
    # BEGIN SOLUTION
    return _same(a + b)
    # END SOLUTION


# BEGIN SOLUTION
def _same(a):
    return a


# END SOLUTION
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with one task."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions/tasks.toml").write_text(MANIFEST)
    (tmp_path / "solutions/marking.toml").write_text(MARKING)
    (tmp_path / "solutions/sums.py").write_text(SUMS)
    return tmp_path


class TestThisCheckout:
    def test_assignment_is_what_solutions_gives(self) -> None:
        assert stubs.check(ROOT) == [], "run: nox -s stubs"

    @pytest.mark.parametrize("module", [f"{module}.py" for module in MODULES])
    def test_a_stub_has_the_solutions_signatures_and_docstrings(self, module: str) -> None:
        def outline(folder: str) -> dict[str, tuple[str, str | None]]:
            tree = ast.parse((ROOT / folder / module).read_text())
            return {
                node.name: (ast.unparse(node.args), ast.get_docstring(node))
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            }

        assert outline("assignment") == outline("solutions")
        assert "SOLUTION" not in (ROOT / "assignment" / module).read_text()

    @pytest.mark.parametrize("module", MODULES)
    def test_the_examples_in_the_docstrings_are_true(self, module: str) -> None:
        spec = importlib.util.spec_from_file_location(module, ROOT / "solutions" / f"{module}.py")
        assert spec
        assert spec.loader
        solution = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(solution)
        results = doctest.testmod(solution)
        assert results.attempted
        assert not results.failed


class TestGenerate:
    def test_a_body_becomes_one_line_that_raises_and_a_private_helper_vanishes(self, root: Path) -> None:
        stubs.generate(root)
        assert (root / "assignment/sums.py").read_text() == (
            '"""Sums."""\n\n\ndef add(a, b):\n    """Adds."""\n'
            '    raise NotImplementedError("add is not written yet: replace this line")\n'
        )

    def test_other_files_are_copied_and_litter_is_not(self, root: Path) -> None:
        (root / "solutions/README.md").write_text("# Brief\n")
        (root / "solutions/__pycache__").mkdir()
        (root / "solutions/__pycache__/sums.pyc").touch()
        stubs.generate(root)
        names = sorted(path.name for path in (root / "assignment").iterdir())
        assert names == ["README.md", "marking.toml", "sums.py", "tasks.toml"]

    def test_a_second_run_changes_nothing(self, root: Path) -> None:
        assert stubs.generate(root)
        assert stubs.generate(root) == []

    def test_work_that_is_replaced_is_kept(self, root: Path) -> None:
        stubs.generate(root)
        (root / "assignment/sums.py").write_text("def add(a, b): return a + b\n")
        stubs.generate(root)
        kept = list((root / ".kit/replaced").rglob("sums.py"))
        assert [path.read_text() for path in kept] == ["def add(a, b): return a + b\n"]


class TestCheck:
    def test_it_names_the_file_the_line_and_the_difference(self, root: Path) -> None:
        stubs.generate(root)
        stub = root / "assignment/sums.py"
        stub.write_text(stub.read_text().replace("Adds.", "Subtracts."))
        assert stubs.check(root) == [
            'assignment/sums.py:5 is \'"""Subtracts."""\', and solutions/ gives \'"""Adds."""\''
        ]

    def test_it_finds_files_that_are_missing_or_too_many(self, root: Path) -> None:
        stubs.generate(root)
        (root / "assignment/sums.py").rename(root / "assignment/old.py")
        assert stubs.check(root) == [
            "assignment/sums.py is missing",
            "assignment/old.py has no counterpart in solutions/",
        ]

    def test_a_checkout_without_assignment_lacks_all_of_it(self, root: Path) -> None:
        assert len(stubs.check(root)) == 3


class TestFaults:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (
                SUMS.replace("    # END SOLUTION\n", ""),
                "sums.py:10: # BEGIN SOLUTION inside the fence that line 6",
            ),
            (SUMS.removesuffix("# END SOLUTION\n"), "sums.py:11: # BEGIN SOLUTION is never closed"),
            (
                SUMS.replace("    # BEGIN SOLUTION\n", ""),
                "sums.py:7: # END SOLUTION without a # BEGIN SOLUTION",
            ),
            (SUMS.replace("# BEGIN SOLUTION", "# Begin solution:", 1), "sums.py:6: a fence is written"),
            (
                SUMS.replace("    # BEGIN", "    a = b\n    # BEGIN"),
                "sums.py:4: all of add below its docstring",
            ),
            (
                SUMS.replace("    # END SOLUTION", "    # END SOLUTION\n    return 3"),
                "sums.py:4: all of add below",
            ),
            (SUMS.replace('    """Adds."""\n', ""), "sums.py:4: add has no docstring"),
            (SUMS.replace("def add", "def plus"), "lists add, which is not in solutions/sums.py"),
            (
                SUMS + "x = [\n    # BEGIN SOLUTION\n    1\n    # END SOLUTION\n]\n",
                "sums.py:18: an indented fence",
            ),
            (SUMS + "def (:\n", "sums.py:17: not Python"),
            (
                SUMS + "x = (\n# BEGIN SOLUTION\n1)\n# END SOLUTION\n",
                "sums.py: without its fences it is not Python",
            ),
        ],
    )
    def test_a_fault_is_refused_with_its_file_and_line(self, root: Path, source: str, message: str) -> None:
        (root / "solutions/sums.py").write_text(source)
        with pytest.raises(ManifestError) as caught:
            stubs.generate(root)
        assert message in str(caught.value)
        assert not (root / "assignment").exists()

    def test_a_module_that_the_manifest_names_must_be_there(self, root: Path) -> None:
        (root / "solutions/sums.py").unlink()
        with pytest.raises(ManifestError, match=r"names sums\.py, which is not in solutions/"):
            stubs.check(root)

    def test_a_notebook_with_outputs_is_refused_for_they_may_show_cifar_images(self, root: Path) -> None:
        cell = {"cell_type": "code", "source": "1", "outputs": [{"data": "…"}], "execution_count": 1}
        (root / "solutions/lab.ipynb").write_text(json.dumps({"cells": [cell]}))
        with pytest.raises(ManifestError, match="holds outputs"):
            stubs.generate(root)

    def test_a_file_that_only_claims_to_be_a_notebook_is_refused(self, root: Path) -> None:
        (root / "solutions/lab.ipynb").write_text("[]")
        with pytest.raises(ManifestError, match="is not a notebook"):
            stubs.generate(root)
