"""The images: what decides their names, what enters a build, and what an engine is asked to do."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from grader.cli import app
from grader.errors import GraderFault, UsageError
from grader.sandbox import container_images
from grader.sandbox.container_images import Target

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))

# Stands in for an engine: notes what it is asked, fails where told to, and has one image.
ENGINE = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "asked").open("a") as asked:
    asked.write(json.dumps([sys.argv[1:], os.environ.get("DOCKER_BUILDKIT")]) + "\\n")
words = [word for word in sys.argv[1:] if word not in ("--runtime", "runc")]
if (here / "broken").exists():
    sys.exit("Error: cannot connect")
if words == ["--version"]:
    print("Docker version 20.10.24+dfsg1, build 297e128")
if words[:2] == ["image", "inspect"]:
    if (here / "empty").exists():
        sys.exit("Error: no such image")
    image = {{"Id": "sha256:aa", "Digest": "sha256:bb", "Size": 7, "Config": {{"Labels": {{"a": "b"}}}}}}
    print(json.dumps([image]))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of all that an image is made of."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("Dockerfile", ".dockerignore", "uv.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    for path in container_images.inputs("trainer", ROOT):
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return root


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH: a podman that only notes what it is asked, and no git."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("podman", "runc"):
        (folder / name).write_text(ENGINE.format(python=sys.executable))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def imported_by(path: Path) -> set[Path]:
    """The files of this checkout that importing one takes, itself and what is imported in functions too."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.module
                assert not node.level, "a relative import"
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            waiting += [file for name in names for file in files_of(name)]
    return found


def files_of(module: str) -> list[Path]:
    """A module's file and those of the packages that it is in; nothing for one that is not ours."""
    parts = module.split(".")
    places = [ROOT.joinpath(*parts[:count]) for count in range(1, len(parts) + 1)]
    files = [
        file
        for place in places
        for file in (place / "__init__.py", place.with_suffix(".py"))
        if file.is_file()
    ]
    return files if parts[0] in ("grader", "lab") else []


class TestTag:
    """tag."""

    @pytest.mark.parametrize("target", container_images.TARGETS)
    def test_begins_with_the_lock(self, target: Target) -> None:
        """The name says which lock the image has."""
        assert (
            container_images.tag(target).split(":")[1].startswith(container_images.lock_digest()[:12] + "-")
        )

    @pytest.mark.parametrize("target", container_images.TARGETS)
    @pytest.mark.parametrize("name", ["uv.lock", "Dockerfile"])
    def test_changes_with_what_both_are_made_of(self, checkout: Path, target: Target, name: str) -> None:
        """Another lock or Dockerfile is another image."""
        before = container_images.tag(target, root=checkout)
        append(checkout / name, "\n# changed\n")
        assert container_images.tag(target, root=checkout) != before

    def test_changes_with_the_code_that_trains(self, checkout: Path) -> None:
        """The trainer's does; the sandbox holds none of it."""
        sandbox, trainer = (
            container_images.tag(target, root=checkout) for target in container_images.TARGETS
        )
        append(checkout / "lab" / "training.py", "\n# changed\n")
        assert container_images.tag("sandbox", root=checkout) == sandbox
        assert container_images.tag("trainer", root=checkout) != trainer

    def test_stays_with_the_settings_of_tools(self, checkout: Path) -> None:
        """The lock says all that matters of pyproject.toml."""
        before = container_images.tag("sandbox", root=checkout)
        append(checkout / "pyproject.toml", "\n# changed\n")
        assert container_images.tag("sandbox", root=checkout) == before

    def test_tells_the_trainers_apart(self) -> None:
        """One with CUDA is never taken for one without."""
        assert container_images.tag("trainer") != container_images.tag("trainer", tensorflow="cpu")


class TestContent:
    """What enters the images."""

    def test_suffices_to_train(self, checkout: Path) -> None:
        """With what .dockerignore lets in and nothing else of the grader, the trainer starts."""
        started = subprocess.run(
            [sys.executable, "-P", "-m", "grader.training.child", "--help"],
            cwd=checkout.parent,
            env={**os.environ, "PYTHONPATH": str(checkout), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert started.returncode == 0, started.stderr
        assert "JOB" in started.stdout.upper()

    def test_is_what_a_training_imports(self) -> None:
        """No more, so that other code can change without another image; no less, wherever it is imported."""
        held = {path for path in container_images.inputs("trainer", ROOT) if path.suffix == ".py"}
        assert held == imported_by(ROOT / "grader/training/child.py")

    def test_is_code_alone(self) -> None:
        """No data, no solution, no judge, no manifest; all else is kept out by the first line."""
        assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "**"
        names = {path.relative_to(ROOT).as_posix() for path in container_images.inputs("trainer", ROOT)}
        assert {"lab/training.py", "grader/training/child.py", "grader/blueprint/reading.py"} <= names
        assert not [name for name in names - {"Dockerfile", "uv.lock"} if not name.endswith(".py")]
        assert not [name for name in names if re.search("hidden|judge|solution|sandbox|cli", name)]

    def test_is_pinned(self) -> None:
        """The base image by its digest, every package by its hashes, uv as well."""
        assert re.search(
            r"^ARG BASE_IMAGE=docker\.io/\S+:3\.11\.\d+-\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.M
        )
        assert re.search(r"uv==\d+\.\d+\.\d+ \\' \\\n\s+'  --hash=sha256:[0-9a-f]{64}", DOCKERFILE)
        assert DOCKERFILE.count("--require-hashes") == 1
        assert DOCKERFILE.count("uv sync --project /lock --locked") == 2
        for package in LOCK["package"]:
            if "registry" in package["source"]:
                files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
                assert files, package["name"]
                assert all(file["hash"].startswith("sha256:") for file in files), package["name"]

    def test_one_tensorflow_for_all(self) -> None:
        """The CPU's and CUDA's are the same version, and there is one Keras."""
        versions = {
            (package["name"].removesuffix("-cpu"), package["version"])
            for package in LOCK["package"]
            if package["name"] in ("tensorflow", "tensorflow-cpu", "keras")
        }
        assert len(versions) == 2

    @pytest.mark.parametrize("target", container_images.TARGETS)
    def test_runs_as_nobody_in_particular(self, target: Target) -> None:
        """Each target ends as user 1000, and nothing is installed after that."""
        (stage,) = re.findall(rf"^FROM runtime AS {target}$(.*?)(?=^FROM|\Z)", DOCKERFILE, re.M | re.S)
        assert stage.count("USER 1000:1000") == 1
        assert "RUN" not in stage.split("USER 1000:1000")[1]


class TestBuild:
    """build, find and the command."""

    def test_asks_the_engine(self, engine: Path, checkout: Path, tmp_path: Path) -> None:
        """With the base, the lock and the certificates as a secret, which no layer keeps."""
        bundle = tmp_path / "ca.pem"
        image, _ = container_images.build(
            "podman", "trainer", tensorflow="cpu", base="localhost/b:1", ca_bundle=bundle, root=checkout
        )
        assert (image.id, image.digest, image.size, image.labels) == ("aa", "bb", 7, {"a": "b"})
        (words, buildkit), _ = (json.loads(line) for line in (engine / "asked").read_text().splitlines())
        assert buildkit == "1"
        assert words[-1] == str(checkout)
        assert {
            "--target=trainer",
            f"--tag={container_images.tag('trainer', tensorflow='cpu', root=checkout)}",
            "--build-arg=BASE_IMAGE=localhost/b:1",
            "--build-arg=TENSORFLOW=cpu",
            f"--build-arg=LOCK={container_images.lock_digest(checkout)}",
            "--build-arg=REVISION=unknown",
            f"--secret=id=ca_bundle,src={bundle}",
        } <= set(words)

    def test_leaves_the_base_to_the_dockerfile(self, engine: Path, checkout: Path) -> None:
        """No argument, no secret, unless asked for."""
        container_images.build("podman", "sandbox", root=checkout)
        asked = (engine / "asked").read_text()
        assert "BASE_IMAGE" not in asked
        assert "secret" not in asked

    def test_says_what_fixes_a_failed_one(self, engine: Path, checkout: Path) -> None:
        """Such as a registry that cannot be reached."""
        (engine / "broken").touch()
        with pytest.raises(GraderFault, match=r"could not build[^\n]*sandbox\n.*\.ci/base-image podman"):
            container_images.build("podman", "sandbox", root=checkout)

    def test_passes_over_a_docker_that_cannot_build(
        self, engine: Path, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A machine may have several clients; if none can, the message says what to do."""
        lame = tmp_path / "lame"
        lame.mkdir()
        (lame / "docker").write_text(
            "#!/bin/sh\n[ $1 = --version ] && echo Docker version 28.2.2, build e6\n"
        )
        (lame / "docker").chmod(0o755)
        monkeypatch.setenv("PATH", str(lame))
        with pytest.raises(UsageError, match=r"no buildx[^\n]*\n.*--engine podman"):
            container_images.build("docker", "sandbox", root=checkout)
        (engine / "podman").rename(engine / "docker")
        monkeypatch.setenv("PATH", f"{lame}:{engine}")
        with pytest.raises(
            GraderFault, match="does not answer"
        ):  # the first one, which is good enough to ask
            container_images.build("docker", "sandbox", root=checkout)
        assert '["build", ' in (engine / "asked").read_text()

    def test_finds_nothing(self, engine: Path) -> None:
        """An image that is not there is None, an engine that does not answer a fault."""
        (engine / "empty").touch()
        assert container_images.find("podman", "localhost/x:1") is None
        (engine / "broken").touch()
        with pytest.raises(GraderFault, match="does not answer: Error: cannot connect"):
            container_images.find("podman", "localhost/x:1")

    @pytest.mark.parametrize("name", ["auto", "podman", "docker"])
    def test_names_the_package_of_a_missing_engine(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Wrong usage, with the command that fixes it."""
        monkeypatch.setenv("PATH", str(tmp_path))
        assert app.main(["image", "--engine", name]) == 2
        said = " ".join(capsys.readouterr().out.split())
        assert "is not installed" in said
        assert "apt-get install" in said

    def test_prints_what_came_out(self, engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Engine, name, size, id, digest, lock and time of each."""
        assert app.main(["image", "--engine", "podman", "--cpu-trainer"]) == 0
        said = capsys.readouterr().out
        for target in container_images.TARGETS:
            assert re.search(rf"^{target}: 0\.00 GB with podman in \d+\.\d s$", said, re.M)
            assert container_images.tag(target, tensorflow="cpu") in said
        assert said.count("sha256:aa") == said.count("sha256:bb") == 2
        assert container_images.lock_digest() in said

    def test_refuses_certificates_that_are_not_there(
        self, engine: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A path that is wrong is named, before anything is built."""
        assert app.main(["image", "--engine", "podman", "--ca-bundle", "/no/such.pem"]) == 2
        assert "/no/such.pem" in capsys.readouterr().out
        assert not (engine / "asked").exists()

    def test_knows_two_engines(self) -> None:
        """Any other is wrong usage."""
        with pytest.raises(UsageError, match="lxc"):
            container_images.command("lxc")
