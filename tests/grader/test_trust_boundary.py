"""The source shows it: nothing on the trusted side runs what it reads, and no judge is in a sandbox."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUEST = sorted([*(ROOT / "grader/sandbox/guest").glob("*.py"), *(ROOT / "grader/tasks").glob("*/probe.py")])
TRUSTED = sorted(
    path
    for folder in ("grader", "lab")
    for path in (ROOT / folder).rglob("*.py")
    if path.parent != ROOT / "grader/sandbox/guest"
)

# What turns data into code or objects. A name counts wherever it stands: called, handed on or imported.
FORBIDDEN_MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "marshal",
    "shelve",
    "joblib",
    "jsonpickle",
}
FORBIDDEN_MODULES |= {"imp", "runpy", "code", "codeop", "pty", "h5py"}
FORBIDDEN_BUILTINS = {"eval", "exec", "compile", "__import__", "breakpoint"}
FORBIDDEN_ATTRIBUTES = {
    *("load_model", "model_from_json", "model_from_config", "from_config", "load_weights", "clone_model"),
    *("deserialize", "deserialize_keras_object", "enable_unsafe_deserialization", "unpickle", "Unpickler"),
    *("_Unpickler", "unsafe_load", "full_load", "UnsafeLoader", "FullLoader"),
}


def violations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where and how a source breaks the rules."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for name in _imported(node):
            if name.split(".")[0] in FORBIDDEN_MODULES:
                yield line, f"import {name}"
        if isinstance(node, ast.ImportFrom):
            yield from (
                (line, f".{alias.name}") for alias in node.names if alias.name in FORBIDDEN_ATTRIBUTES
            )
        if isinstance(node, ast.Name) and node.id in FORBIDDEN_BUILTINS | FORBIDDEN_ATTRIBUTES:
            yield line, f".{node.id}" if node.id in FORBIDDEN_ATTRIBUTES else node.id
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_ATTRIBUTES:
            yield line, f".{node.attr}"
        if isinstance(node, ast.Call):
            yield from ((line, fault) for fault in _call(node))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


def _call(node: ast.Call) -> Iterator[str]:
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    function = ast.unparse(node.func)
    if function in ("np.load", "numpy.load") and not _is(keywords.get("allow_pickle"), False):
        yield "np.load without allow_pickle=False"
    if "allow_pickle" in keywords and not _is(keywords["allow_pickle"], False):
        yield "allow_pickle"
    if "shell" in keywords and not _is(keywords["shell"], False):
        yield "shell="
    if function in ("os.system", "os.popen"):
        yield function
    if "safe_mode" in keywords:
        yield "safe_mode="
    if (
        function in ("yaml.load", "yaml.load_all")
        and ast.unparse(keywords.get("Loader", node)) not in SAFE_LOADERS
    ):
        yield f"{function} without a safe loader"
    if function.endswith("import_module") and not _of_a_task(node.args[0]):
        yield f"import_module({ast.unparse(node.args[0])})"


SAFE_LOADERS = {"yaml.SafeLoader", "_NoDuplicates", "_PlainValues"}  # the others are, see below


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _of_a_task(node: ast.expr) -> bool:
    """Whether it names a module of ours, with nothing but a task's id put in."""
    if isinstance(node, ast.Constant):
        return str(node.value).startswith(("grader.", "lab."))
    return isinstance(node, ast.JoinedStr) and ast.unparse(node) in {
        f"f'grader.tasks.{{{task}.id}}.{module}'"
        for task in ("task", "case.task")
        for module in ("probe", "judge")
    }


class TestTrustedSide:
    """grader/ (but for grader/sandbox/guest) and lab/."""

    @pytest.mark.parametrize("path", TRUSTED, ids=lambda path: str(path.relative_to(ROOT)))
    def test_nothing_becomes_code(self, path: Path) -> None:
        """No pickle, no eval, no exec, no Keras deserialisation, no shell."""
        assert list(violations(ast.parse(path.read_text(encoding="utf-8")))) == []

    def test_the_reader_of_pickles_makes_data_alone(self) -> None:
        """lab/pickled.py looks nothing up by the names in a pickle: no attribute, no module, no class."""
        tree = ast.parse((ROOT / "lab" / "pickled.py").read_text(encoding="utf-8"))
        assert {name for node in ast.walk(tree) for name in _imported(node)} == {
            *("codecs", "struct", "collections.abc", "dataclasses", "enum", "typing")
        }
        called = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)}
        assert not called & {
            "getattr",
            "setattr",
            "vars",
            "globals",
            "type",
            "codecs.lookup",
            "codecs.decode",
        }

    def test_the_loader_of_params_is_a_safe_one(self) -> None:
        import yaml

        from grader.config import profiles

        assert issubclass(profiles._NoDuplicates, yaml.SafeLoader)

    def test_the_loader_of_a_platforms_list_is_a_safe_one(self) -> None:
        """With what Ruby marks read as plain values: nothing that any tag names is looked up."""
        import yaml

        from grader.intake.layouts import gradescope

        loader = gradescope._PlainValues
        assert issubclass(loader, yaml.constructor.SafeConstructor)
        assert not issubclass(loader, yaml.constructor.FullConstructor)
        assert set(loader.yaml_multi_constructors) == {"!ruby/"}

    def test_nothing_leads_imports_to_a_submission(self) -> None:
        """sys.path and what Python reads by itself are left alone."""
        for path in TRUSTED:
            source = path.read_text(encoding="utf-8")
            for word in (
                "sys.path",
                "spec_from_file_location",
                "SourceFileLoader",
                "sys.meta_path",
                "site.addsitedir",
            ):
                assert word not in source, f"{path} has {word}"

    def test_dependencies_point_one_way(self) -> None:
        """lab knows nothing of the grader; neither knows assignment, bank, solutions or tests."""
        for path in TRUSTED:
            ours = {"assignment", "bank", "solutions", "tests"} | (
                {"grader"} if "lab" in path.parts else set()
            )
            imported = {
                name.split(".")[0]
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                for name in _imported(node)
            }
            assert not imported & ours, f"{path} imports {imported & ours}"


class TestWhatIsHandedOut:
    """assignment/, solutions/ and bank/: what students write, or could have written."""

    @pytest.mark.parametrize("folder", ["assignment", "solutions", "bank"])
    def test_imports_nothing_of_the_grader(self, folder: str) -> None:
        """A student has no grader beside the work; nor may right code need one."""
        files = sorted((ROOT / folder).rglob("*.py"))
        assert files
        for path in files:
            tree = ast.parse(path.read_text(encoding="utf-8-sig"))
            imported = {name.split(".")[0] for node in ast.walk(tree) for name in _imported(node)}
            assert not imported & {"grader", "bank", "solutions", "tests"}, path


class TestInsideASandbox:
    """grader/sandbox/guest and every probe.py: all of the grader that lies beside a submission."""

    @pytest.mark.parametrize("path", GUEST, ids=lambda path: str(path.relative_to(ROOT)))
    def test_imports_nothing_of_ours(self, path: Path) -> None:
        """The standard library, NumPy and Keras alone: no judge, no manifest, no solution is within reach."""
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.ImportFrom) and node.level), "a relative import"
            for name in _imported(node):
                assert name.split(".")[0] in {*sys.stdlib_module_names, "numpy", "keras"}

    @pytest.mark.parametrize("path", GUEST, ids=lambda path: str(path.relative_to(ROOT)))
    def test_says_nothing_of_what_is_right(self, path: Path) -> None:
        """A probe has no word of points, checks or expected values."""
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        assert not names & {"expected", "points", "passed", "CHECKS", "Verdict"}


class TestTheRules:
    """The rules themselves: each finds what it is there for."""

    @pytest.mark.parametrize(
        "source",
        [
            "import pickle",
            "import numpy, dill.source",
            "from marshal import loads",
            "from keras.models import load_model",
            "eval('1')",
            "run = exec",
            "__import__('os')",
            "compile('', '', 'exec')",
            "keras.models.load_model(path)",
            "layer.from_config(config)",
            "keras.models.model_from_json(text)",
            "keras.saving.deserialize_keras_object(data)",
            "np.load(path)",
            "np.load(path, allow_pickle=True)",
            "np.load(path, allow_pickle=flag)",
            "np.lib.format.read_array(file, allow_pickle=True)",
            "subprocess.run(command, shell=True)",
            "os.system(command)",
            "yaml.load(text)",
            "yaml.load(text, Loader=yaml.Loader)",
            "yaml.unsafe_load(text)",
            "importlib.import_module(name)",
            "importlib.import_module(f'grader.tasks.{name}')",
            "keras.models.load_model(path, safe_mode=False)",
        ],
    )
    def test_finds(self, source: str) -> None:
        assert list(violations(ast.parse(source)))

    @pytest.mark.parametrize(
        "source",
        [
            "re.compile('x')",
            "np.load(path, allow_pickle=False)",
            "yaml.safe_load(text)",
            "importlib.import_module(f'grader.tasks.{task.id}.probe')",
            "subprocess.run(['ls'], check=True)",
            "# eval, exec and pickle in words",
        ],
    )
    def test_leaves_alone(self, source: str) -> None:
        assert not list(violations(ast.parse(source)))
