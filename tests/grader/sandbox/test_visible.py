"""What of this machine's files a bubblewrap sandbox shows, and what it does not."""

import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from grader.commands import grade
from grader.errors import UsageError
from grader.sandbox import ENGINES, visible
from tests.grader.sandbox.running import runner, usable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap runs on Linux only")
BESIDE = ("/usr/local", "/usr/src", "/usr/share", "/opt", "/srv", "/usr/lib/systemd", "/usr/games")


@pytest.fixture(params=["/usr/local", "/usr/src", "/opt", "/srv"])
def neighbour(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A class with another student's work, in a place where Docker's images have theirs."""
    folder = Path(request.param, f"kit-test-class-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip(f"{request.param} cannot be written by this user")
    (folder / "alice.py").write_text("ANSWER = 42\n")
    yield folder
    shutil.rmtree(folder)


def test_neighbour(neighbour: Path, tmp_path: Path) -> None:
    """Work beside the sandbox is neither read nor listed, wherever a class lies."""
    code = """
import json, os, sys
def tried(action):
    try: return action()
    except OSError as error: return type(error).__name__
print(json.dumps([tried(lambda: open(sys.argv[1]).read()), tried(lambda: os.listdir(sys.argv[2]))]))
"""
    run = runner(usable("bubblewrap"), tmp_path)
    outcome = run(code, arguments=(str(neighbour / "alice.py"), str(neighbour))).outcome
    assert json.loads(outcome.printed) == ["FileNotFoundError", "FileNotFoundError"]
    assert visible.shows(neighbour) is None


def test_little_of_the_system(tmp_path: Path) -> None:
    """Four programs, libraries and this Python; nothing else of /usr unless Python itself lies there."""
    code = (
        f"import json, os; print(json.dumps([os.listdir('/usr/bin'), [os.path.exists(p) for p in {BESIDE}]]))"
    )
    programs, beside = json.loads(runner(usable("bubblewrap"), tmp_path)(code).outcome.printed)
    assert {name for name in programs if not name.startswith("python")} == {"sh", "env", "setpriv", "prlimit"}
    if not Path(sys.base_prefix).is_relative_to("/usr"):
        assert beside == [False] * len(BESIDE)


def test_modules_in_c_are_found(tmp_path: Path) -> None:
    """Every extension module of the standard library that can be imported outside can be inside."""
    code = """
import importlib, json
found = []
for name in ("ssl", "sqlite3", "ctypes", "lzma", "bz2", "zlib", "hashlib", "decimal", "readline", "curses"):
    try: found.append(importlib.import_module(name) and name)
    except ImportError: pass
"""
    outside: dict[str, list[str]] = {}
    exec(code, outside)
    printed = runner(usable("bubblewrap"), tmp_path)(f"{code}\nprint(json.dumps(found))").outcome.printed
    assert json.loads(printed) == outside["found"]


class TestShows:
    def test_folders_of_python(self) -> None:
        """The standard library, the environment's packages and the system's libraries; no others."""
        for scheme in ("stdlib", "purelib"):
            folder = Path(sysconfig.get_path(scheme))
            assert visible.shows(folder / "class" / "alice") is not None
        for path in (Path("/usr/src/course"), Path("/home/teacher"), Path("/"), Path(sys.prefix)):
            assert visible.shows(path) is None

    def test_through_a_link(self, tmp_path: Path) -> None:
        """A path that leads there lies there."""
        (tmp_path / "class").symlink_to(sysconfig.get_path("purelib"))
        assert visible.shows(tmp_path / "class" / "alice") == visible.shows(
            Path(sysconfig.get_path("purelib"))
        )


class TestGrade:
    """What `grade` makes of it."""

    def test_refuses_what_every_sandbox_shows(self, tmp_path: Path) -> None:
        """A class or its results among the packages: the path, the folder, and what to do."""
        engine = ENGINES["bubblewrap"]
        packages = Path(sysconfig.get_path("purelib"))
        with pytest.raises(UsageError, match="every submission can read") as refused:
            grade._check_hidden(engine, [tmp_path, packages / "results"])
        assert "results" in refused.value.message
        assert "Move it" in refused.value.fix
        grade._check_hidden(engine, [tmp_path])
        grade._check_hidden(ENGINES["podman"], [packages / "results"])

    @pytest.mark.parametrize("soft", ["", "nothing counts"])
    def test_states_that_limits_are_soft(self, capsys: pytest.CaptureFixture[str], soft: str) -> None:
        """One line, where it is so."""
        run = SimpleNamespace(profile="cpu", data="", data_pin="", engine="x", seed=1, provisional=False)
        engine = SimpleNamespace(isolates=True, soft=lambda: soft)
        grade._announce(Console(width=100), [SimpleNamespace(name="a")], run, engine)  # type: ignore
        assert ("Limits are soft: nothing counts." in capsys.readouterr().out) == bool(soft)


class TestLibraryFolders:
    def test_folder_of_their_own(self) -> None:
        """As on Debian, or in /usr/lib64 as on Fedora: it is shown whole."""
        (folder,) = set(visible._library_folders([Path("/kit-test/lib64x/libc.so.6")]))
        assert folder == Path("/kit-test/lib64x")

    def test_flat(self, tmp_path: Path) -> None:
        """Libraries in /usr/lib between everything else, as on Arch: single files, those that wheels need."""
        folder = tmp_path / "lib"
        folder.mkdir()
        for name in ("libc.so.6", "libstdc++.so.6", "libother.so.1"):
            (folder / name).touch()
        assert set(visible._library_folders([folder / "libc.so.6"])) == {folder / "libstdc++.so.6"}


class TestLibrariesOfModules:
    """All at once, and the same as one by one."""

    MODULES = sorted(Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so"))

    def test_are_those_that_ldd_names(self) -> None:
        assert len(self.MODULES) > 20
        libraries = visible._libraries_of_modules(self.MODULES)
        assert libraries == [path for path in visible._libraries(self.MODULES) if path not in self.MODULES]
        assert any("libc." in path.name for path in libraries)

    def test_where_the_loader_cannot_be_asked_ldd_is(self, tmp_path: Path) -> None:
        """A name with a space, which a list of modules to preload cannot have."""
        spaced = shutil.copy(self.MODULES[0], tmp_path / "a module.so")
        assert visible._libraries_of_modules([spaced]) == visible._libraries([spaced]) != []

    def test_a_file_that_is_no_module_is_left_to_ldd(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.so"
        broken.write_text("nothing")
        assert visible._libraries_of_modules([self.MODULES[0], broken]) == visible._libraries(
            [self.MODULES[0], broken]
        )
