"""What of this machine's files a bubblewrap sandbox shows: shared libraries, a few programs, this Python.

Of /usr nothing else is there, nor of /usr/local, /opt or /srv: a class, its results or a checkout that lie
below one of these are not seen. A folder of libraries, Python's own and the environment's are shown whole,
so that nothing private may lie in one of them: `shows` tells.
"""

import os
import re
import shutil
import site
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_SYSTEM = "/usr/bin:/bin:/usr/sbin:/sbin"
_PROGRAMS = ("sh", "env", "setpriv", "prlimit")  # that run inside, before Python
_TOPS = tuple(Path("/", name) for name in ("bin", "sbin", "lib", "lib32", "lib64"))
# What wheels may take from a system (manylinux), where its libraries do not lie in a folder of their own.
_MANYLINUX = (
    *("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "librt.so.1", "libdl.so.2", "libpthread.so.0"),
    *("libutil.so.1", "libresolv.so.2", "libz.so.1"),
)


def tool(name: str) -> str | None:
    """Where a program lies that has to run inside: in the system's folders."""
    return shutil.which(name, path=_SYSTEM)


def links() -> dict[Path, Path]:
    """The links at the root that programs and libraries are found by, and where they lead: /bin, /lib64."""
    return {top: top.readlink() for top in _TOPS if top.is_symlink()}


@cache
def paths() -> tuple[tuple[Path, Path | None], ...]:
    """What is shown, outer paths first: where, and which file, folder or link (None: an empty folder)."""
    shown: dict[Path, Path | None] = {}

    def show(path: Path, source: Path | None = None) -> None:
        """Adds a path unless a folder that it lies in is there."""
        path = _placed(path)
        if not any(path.is_relative_to(folder) for folder in shown):
            shown[path] = source or path

    python = Path(sys.executable)
    extensions = [Path(folder, "lib-dynload") for folder in _standard_library()]
    libraries = _libraries([*_programs(), python.resolve()])
    for folder in _library_folders(libraries):
        show(folder)
    for folder in (*_standard_library(), *map(Path, site.getsitepackages())):
        for path in (folder, folder.resolve()):
            if path.is_dir():
                show(path)
    if sys.prefix != sys.base_prefix:
        # Not the whole folder: nothing says that the environment is not the checkout itself.
        for name in ("bin", "lib", "lib64", "pyvenv.cfg"):
            if (path := Path(sys.prefix, name)).exists():
                shown[path] = path.resolve()  # bwrap follows no link out of its own root
    for program in _programs():
        show(program, program.resolve())
    # The executable may be a link to a link, each in a folder of its own.
    show(python)
    while python.is_symlink():
        python = Path(os.path.normpath(python.parent / python.readlink()))
        show(python)
    modules = [module for folder in extensions for module in folder.glob("*.so")]
    for library in (*libraries, *_libraries_of_modules(modules)):
        show(library, library.resolve())
    for name in ("/etc/ld.so.cache", "/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8"):
        if Path(name).exists():
            show(Path(name))
    # Where the checkout lies in a folder that is shown, it is covered up again.
    if any(_CHECKOUT.is_relative_to(path) for path in shown):
        shown[_CHECKOUT] = None
    return tuple(sorted(shown.items(), key=lambda item: len(item[0].parts)))


def shows(path: Path) -> Path | None:
    """The folder that every sandbox shows and in which a path lies; None if it lies in none."""
    path = path.resolve()
    folders = (source for _, source in paths() if source is not None and source.is_dir())
    return next((folder for folder in folders if path.is_relative_to(folder.resolve())), None)


def _programs() -> list[Path]:
    return [Path(found) for name in _PROGRAMS if (found := tool(name)) is not None]


def _standard_library() -> list[Path]:
    """Python's own modules; on some systems, those in C have a folder of their own."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [Path(os.__file__).parent, Path(sys.base_exec_prefix, sys.platlibdir, version)]


def _library_folders(libraries: Iterable[Path]) -> Iterable[Path]:
    """The folders of the system that hold libraries and little else, as /usr/lib/x86_64-linux-gnu does.

    Where libraries lie in /usr/lib itself, between everything else, single ones are shown: here, those that
    wheels need.
    """
    for library in libraries:
        if not re.match(r"libc\.|ld-musl", library.name):
            continue
        folder = _placed(library).parent
        if folder.name == "lib":
            yield from (path for name in _MANYLINUX if (path := folder / name).exists())
        else:
            yield from (
                path for top in ("/lib", "/usr/lib", "/") if (path := Path(top, folder.name)).is_dir()
            )
            yield folder


def _libraries(programs: Iterable[Path]) -> list[Path]:
    """The shared libraries that programs and modules are linked with, under the names they are found by."""
    ldd = tool("ldd")
    if ldd is None:
        return []
    done = subprocess.run([ldd, *map(str, programs)], capture_output=True, text=True, check=False, env={})
    return _listed(done.stdout)


def _libraries_of_modules(modules: Sequence[Path]) -> list[Path]:
    """The same for modules in C, of which Python has some 80: by one process, where ldd starts two for each.

    The loader is asked what it would load, as ldd asks it, for a program that has all of them preloaded.
    """
    program = tool("true")
    names = [str(module) for module in modules]
    if program is not None and not any(re.search(r"[\s:$]", name) for name in names):
        asked = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_PRELOAD": ":".join(names)}
        done = subprocess.run([program], capture_output=True, text=True, check=False, env=asked)
        found = _listed(done.stdout)
        # A loader that does not know one of the two says nothing of the modules themselves.
        if done.returncode == 0 and not done.stderr and set(modules) <= set(found):
            return [library for library in found if library not in set(modules)]
    return _libraries(modules)


def _listed(said: str) -> list[Path]:
    """The paths in what ldd prints."""
    return sorted({Path(name) for name in re.findall(r"^\s+(?:\S+ => )?(/.*) \(0x", said, re.MULTILINE)})


def _placed(path: Path) -> Path:
    """A path past the links at the root: /lib/x as /usr/lib/x."""
    for top, target in links().items():
        if path.is_relative_to(top):
            return Path("/", target) / path.relative_to(top)
    return path
