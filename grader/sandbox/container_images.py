"""The container images: what they are called, whether they are here, and how they are built.

    container_images.tag("sandbox")            the name of the image that fits this checkout
    container_images.find("podman", name)      what the engine has under that name, or None
    container_images.build("podman", "sandbox")  builds it; takes seconds where nothing has changed

A name holds the digest of the lock and of everything else that decides what the image is. Change any of it
and the image of that name is missing: a stale one is never used.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grader.errors import GraderFault, UsageError

ROOT = Path(__file__).resolve().parents[2]

Target = Literal["sandbox", "trainer"]
TensorFlow = Literal["gpu", "cpu"]
TARGETS: tuple[Target, ...] = ("sandbox", "trainer")

# The same on both engines: docker takes a name that begins like this for a registry's, but never asks it.
_PREFIX = "localhost/cifar100-course-kit"
INSTALL = {
    "podman": "Install it: apt-get install --no-install-recommends podman buildah runc uidmap slirp4netns "
    "fuse-overlayfs catatonit netavark",
    "docker": "Install it: apt-get install docker.io, and start its daemon",
}
_NO_REGISTRY = (
    "What it printed above says why. Where no registry can be reached, make a base image first: "
    ".ci/base-image {engine} && nox -s image -- --engine {engine} --base localhost/python-base:bookworm"
)


@dataclass(frozen=True)
class Image:
    """An image that an engine has.

    Attributes:
        tag: its name.
        id: SHA-256 of its configuration, which names its layers: the same bytes have the same one.
        digest: SHA-256 of its manifest, as a registry would call it; None where the engine has none yet.
        size: bytes, all layers together.
        labels: what was written on it.
    """

    tag: str
    id: str
    digest: str | None
    size: int
    labels: Mapping[str, str]


def tag(target: Target, *, tensorflow: TensorFlow = "gpu", root: Path = ROOT) -> str:
    """The name of the image that fits this checkout; `tensorflow` is the trainer's."""
    content = hashlib.sha256()
    for path in inputs(target, root):
        content.update(f"{path.relative_to(root).as_posix()}\0{_sha256(path)}\n".encode())
    variant = f"-{tensorflow}" if target == "trainer" else ""
    return f"{_PREFIX}-{target}:{lock_digest(root)[:12]}-{content.hexdigest()[:12]}{variant}"


def lock_digest(root: Path = ROOT) -> str:
    """SHA-256 of uv.lock, hexadecimal."""
    return _sha256(root / "uv.lock")


def command(engine: str) -> list[str]:
    """How the engine is called; UsageError if it is not here."""
    if engine not in INSTALL:
        raise UsageError(f"no container engine is called {engine!r}", fix="Choose podman or docker.")
    program = shutil.which(engine)
    if program is None:
        raise UsageError(f"{engine} is not installed", fix=INSTALL[engine])
    # On a machine that has both kinds of cgroups, podman's default runtime, crun, cannot start anything.
    hybrid = Path("/sys/fs/cgroup/unified").is_dir()
    if engine == "podman" and hybrid:
        if shutil.which("runc") is None:
            raise UsageError("podman needs runc on this machine's cgroups", fix=INSTALL[engine])
        return [program, "--runtime", "runc"]
    return [program]


def choose(name: str) -> str:
    """An engine by its name on the command line; `auto` is podman, or docker where there is none."""
    if name == "auto":
        name = next((engine for engine in INSTALL if shutil.which(engine)), "podman")
    command(name)
    return name


def find(engine: str, name: str) -> Image | None:
    """What the engine has under that name, or None."""
    done = subprocess.run(
        [*command(engine), "image", "inspect", name], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        if "no such image" in done.stderr.lower() or "not known" in done.stderr.lower():
            return None
        raise GraderFault(f"{engine} does not answer: {done.stderr.strip()[-300:]}", fix=_daemon(engine))
    (found,) = json.loads(done.stdout)
    return Image(
        tag=name,
        id=found["Id"].removeprefix("sha256:"),
        digest=(found.get("Digest") or "").removeprefix("sha256:") or None,
        size=found["Size"],
        labels=(found.get("Config") or {}).get("Labels") or {},
    )


def build(
    engine: str,
    target: Target,
    *,
    tensorflow: TensorFlow = "gpu",
    base: str | None = None,
    ca_bundle: Path | None = None,
    root: Path = ROOT,
) -> tuple[Image, float]:
    """Builds an image under its name; what the engine prints goes to the terminal.

    Args:
        engine: podman or docker.
        target: of the Dockerfile.
        tensorflow: what the trainer gets: CUDA's several GB, or the CPU's.
        base: the image to build on; the Dockerfile's own if None.
        ca_bundle: certificates to trust while packages are fetched, where the network has its own.
        root: the checkout.

    Returns:
        the image, and how many seconds it took.

    Raises:
        UsageError: the engine is not here.
        GraderFault: it could not build.
    """
    began = time.monotonic()
    name = tag(target, tensorflow=tensorflow, root=root)
    arguments = {
        "VERSION": tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"],
        "LOCK": lock_digest(root),
        "REVISION": revision(target, root),
    }
    if target == "trainer":
        arguments["TENSORFLOW"] = tensorflow
    if base:
        arguments["BASE_IMAGE"] = base
    # The host's network, to fetch packages: docker may have been started without another.
    order = [*_builder(engine), "build", "--network=host", f"--target={target}", f"--tag={name}"]
    order += [f"--build-arg={key}={value}" for key, value in arguments.items()]
    if ca_bundle is not None:
        order.append(f"--secret=id=ca_bundle,src={ca_bundle}")
    done = subprocess.run([*order, str(root)], env={**os.environ, "DOCKER_BUILDKIT": "1"}, check=False)
    if done.returncode:
        fix = _NO_REGISTRY.format(engine=engine)
        raise GraderFault(f"{engine} could not build the image {target}", fix=fix)
    built = find(engine, name)
    if built is None:
        raise GraderFault(f"{engine} said that it built {name}, but does not have it")
    return built, time.monotonic() - began


def revision(target: Target, root: Path = ROOT) -> str:
    """The last commit that changed what the image is made of, so that any other commit leaves it alone."""
    paths = [str(path.relative_to(root)) for path in inputs(target, root)]

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments, "--", *paths],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    try:
        commit = git("log", "-1", "--format=%H")
        return (commit + ("-dirty" if git("status", "--porcelain") else "")) if commit else "unknown"
    except OSError:
        return "unknown"


def inputs(target: Target, root: Path) -> list[Path]:
    """The files that decide what an image is. The lock stands for what matters of pyproject.toml.

    What the trainer holds of this checkout is read from .dockerignore, which lets nothing else in.
    """
    files = [root / "Dockerfile", root / "uv.lock"]
    if target == "trainer":
        for line in (root / ".dockerignore").read_text(encoding="utf-8").splitlines():
            if line.startswith(("!lab", "!grader")):
                path = root / line.removeprefix("!")
                files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return files


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _builder(engine: str) -> list[str]:
    """The command that can build: the Dockerfile needs docker's newer builder, BuildKit.

    Clients before version 23 have it on demand, later ones as the plugin buildx; a machine may have several.
    """
    usual = command(engine)
    if engine != "docker":
        return usual
    for folder in os.get_exec_path():
        if client := shutil.which("docker", path=folder):
            version = re.search(r"version (\d+)", _output(client, "--version"))
            if (version and int(version[1]) < 23) or _output(client, "buildx", "version"):
                return [client]
    raise UsageError(
        "this docker has no buildx, which builds images",
        fix="Install docker's buildx plugin, or build with podman: nox -s image -- --engine podman",
    )


def _output(*words: str) -> str:
    """What a command prints; nothing if it fails."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout if done.returncode == 0 else ""


def _daemon(engine: str) -> str:
    return "Start it: dockerd (or: systemctl start docker)" if engine == "docker" else ""
