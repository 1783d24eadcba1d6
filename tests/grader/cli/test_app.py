"""The command line: its help, what it refuses and how it says so, and what it hands to the commands."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from grader.cli import app, base, options, stages
from grader.reference import WORKERS

ROOT = Path(__file__).parents[3]
COMMANDS = [*app.group.commands.values()]
STAGES = [*stages.group.commands.values()]
DOCUMENTS = [ROOT / "README.md", ROOT / "assignment" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Ran:
    """The exit code of a command, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that was printed, its line breaks aside."""
        return " ".join((self.out + self.err).split())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Ran]:
    """Runs one command line of `python -m grader`, or of `python -m grader.reference` if it begins so."""
    monkeypatch.setenv("COLUMNS", "100")

    def ran(line: str) -> Ran:
        words = shlex.split(line)
        main = app.main if words[:1] != ["grader.reference"] else stages.main
        code = main(words[1:] if words[:1] == ["grader.reference"] else words)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return ran


def examples(command: click.Command) -> list[str]:
    """The lines of a command's examples, as its help shows them."""
    lines = (command.epilog or "").splitlines()
    return [line.strip() for line in lines if re.match(r" +(nox -s|python -m) ", line)]


def as_typed(line: str) -> list[str]:
    """The words of an example without the remark behind it, which stands apart by two spaces or a #."""
    return shlex.split(re.split(r"  +|\s#", line.strip())[0])


def parse(words: list[str]) -> None:
    """Has a command line of nox or of Python read, without running it; click.UsageError if it is wrong."""
    start, rest = words[:3], words[3:]
    if start[:2] == ["nox", "-s"]:
        if start[2] not in app.group.commands:
            return  # a session of its own, such as data
        group: click.Group = app.group
        name, rest = start[2], rest[1:] if rest[:1] == ["--"] else rest
    else:
        module = start[2]
        group = stages.group if module == "grader.reference" else app.group
        name, rest = ("estimates", rest) if module == "grader.thresholds" else (rest[0], rest[1:])
    with contextlib.suppress(click.exceptions.Exit):  # --help
        group.commands[name].make_context(name, rest)


class TestHelp:
    """--help."""

    def test_three_groups(self, run: Callable[[str], Ran]) -> None:
        """Commands stand with those who need them."""
        shown = run("--help")
        assert shown.code == 0
        students, instructors, authors = re.split(r"Students:|Instructors:|Authors:", shown.out)[1:]
        assert re.findall(r"^  ([a-z]+) ", students, re.M) == [
            *("check", "hint", "inspect", "train", "runs", "submit")
        ]
        assert re.findall(r"^  ([a-z]+) ", instructors, re.M) == [
            *("grade", "gradebook", "export", "marking", "doctor", "image", "package", "collect"),
            *("certificates", "scheduler", "worker"),
        ]
        assert re.findall(r"^  ([a-z]+) ", authors.partition("examples")[0], re.M) == [
            *("stubs", "handout", "prove", "ratings", "bench", "reference", "report", "estimates", "stages")
        ]
        assert "..." not in authors, "a summary was cut off"

    @pytest.mark.parametrize(
        "command", [one for one in COMMANDS if one.name != "stages"], ids=lambda c: c.name
    )
    def test_each_command(self, command: base.Command, run: Callable[[str], Ran]) -> None:
        """The name to call it by, every option, and the examples line by line."""
        for flag in ("-h", "--help"):
            shown = run(f"{command.name} {flag}")
            assert shown.code == 0
            assert shown.out.startswith(f"Usage: {command.prog}")
        second = shown.out.splitlines()[1]
        if isinstance(command, base.Command) and command.prog.startswith("nox "):
            assert second.startswith(f"   or: python -m grader {command.name} [OPTIONS]")
        lines = [line.strip() for line in shown.out.splitlines()]
        assert examples(command)
        assert set(examples(command)) <= set(lines)
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or parameter.opts[0] in shown.out

    @pytest.mark.parametrize("stage", STAGES, ids=lambda c: c.name)
    def test_each_stage(self, stage: base.Command, run: Callable[[str], Ran]) -> None:
        """By both of its names."""
        shown = run(f"grader.reference {stage.name} --help")
        assert shown.code == 0
        assert shown.out.startswith(f"Usage: {stage.prog}")
        again = run(f"stages {stage.name} --help")
        assert again.code == 0
        assert again.out.replace(f"grader stages {stage.name}", f"grader.reference {stage.name}") == shown.out

    def test_defaults(self, run: Callable[[str], Ran]) -> None:
        """They are shown, those that depend on the machine in words."""
        for line, shown in {
            "check": "(assignment/)",
            "inspect": "0.99",
            "grade": "(one a core, 8 at most)",
            "prove": "auto",
            "reference": "offline",
            "report": "(.kit/report/<profile>/)",
        }.items():
            assert f"[default: {shown}]" in run(f"{line} --help").text

    def test_waits_for_nothing(self) -> None:
        """No help, of any command, imports what takes seconds."""
        names = [[], *([name] for name in app.group.commands), *(["stages", one.name] for one in STAGES)]
        code = f"""if True:
            import sys
            from grader.cli import app
            assert [app.main([*name, "--help"]) for name in {names}] == [0] * {len(names)}
            slow = {{"numpy", "keras", "tensorflow", "scipy", "matplotlib", "pydantic", "yaml"}}
            print(sorted(slow & set(sys.modules)), file=sys.stderr)
        """
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr.strip() == "[]"

    @pytest.mark.parametrize("command", [*COMMANDS, *STAGES], ids=lambda c: c.name)
    def test_examples_are_right(self, command: click.Command) -> None:
        """Each is a command line that is accepted."""
        for line in examples(command):
            parse(as_typed(line))

    @pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
    def test_documents_are_right(self, path: Path) -> None:
        """So are those of the documents, in backticks and in blocks."""
        text = path.read_text(encoding="utf-8")
        found = re.findall(r"`(nox -s \w+ [^`\n]+)`", text)
        found += re.findall(r"^ {0,4}(?:[^\s`]*/)?((?:nox -s|python -m grader\S*) .*)$", text, re.M)
        for words in map(as_typed, found):
            if "augmentation" not in words:  # the task that docs/adding-a-task.md adds
                parse(words)


class TestWrongUsage:
    """Exit code 2, what is wrong in one line, and below it what to do."""

    @pytest.mark.parametrize(
        ("line", "shown"),
        [
            ("chek", "python -m grader: No such command 'chek'. Did you mean 'check'?"),
            ("stages trian", "python -m grader.reference: No such command 'trian'. Did you mean 'train'?"),
            ("check --fodler x", "nox -s check: No such option '--fodler'. Did you mean '--folder'?"),
            ("grade", "nox -s grade: Missing argument 'PATH...'."),
            ("grade x --out", "nox -s grade: Option '--out' requires an argument."),
            ("stubs now", "nox -s stubs: Got unexpected extra argument (now)"),
            ("grade x --engine lxc", "'lxc' is not one of 'auto', 'bubblewrap', 'podman', 'docker', 'none'."),
            ("image --engine none", "'none' is not one of 'auto', 'podman', 'docker'."),
            ("image --target all-of-it", "'all-of-it' is not one of 'sandbox', 'trainer', 'all'."),
            ("inspect --momentum 1", "'--momentum': a number from 0 to below 1 is expected, not 1"),
            ("inspect --momentum much", "a number from 0 to below 1 is expected, not much"),
            ("estimates", "python -m grader.thresholds: Missing argument 'FOLDER...'."),
            ("grader.reference train --task alexnet", "grader.reference train: Missing option '--profile'"),
            ("grader.reference train --profile cpu", "Missing option '--task'"),
            ("stages candidates --profile cpu --labels rough", "'rough' is not one of 'fine', 'coarse'"),
            ("stages candidates --profile cpu --seeds 1", "of seeds is a whole number from 2 to 20, not 1"),
            ("stages confirm --profile cpu --seeds 0", "of seeds is a whole number from 1 to 1000, not 0"),
            *(
                (f"{line} --seed {seed}", f"a seed is a whole number from 0 to 2147483647, not {seed}")
                for line in ("check", "inspect", "grade x", "prove")
                for seed in ("-1", "2147483648", "seven", "1.5", "''")
            ),
            *(
                (f"{line} --workers {number}", f"of workers is a whole number from 1 to 64, not {number}")
                for line in ("grade x", "prove", "reference", "stages images --profile cpu")
                for number in ("0", "65", "many")
            ),
        ],
    )  # fmt: skip
    def test_is_said(self, line: str, shown: str, run: Callable[[str], Ran]) -> None:
        ran = run(line)
        assert ran.code == 2
        assert shown.replace("''", "").strip() in ran.text
        first, *second = ran.err.splitlines()
        assert re.match(r"(nox -s \w+|python -m [\w. ]+): ", first)
        if "Invalid value" not in first:  # which says what was expected
            (fix,) = second
            assert re.fullmatch(r"  (nox -s \w+ --|python -m [\w. ]+) --help shows what it takes\.", fix)
        assert ran.out == ""

    @pytest.mark.parametrize("line", ["", "grader.reference", "stages"])
    def test_no_command(self, line: str, run: Callable[[str], Ran]) -> None:
        """The help says which there are."""
        ran = run(line)
        assert ran.code == 2
        assert ran.err.startswith("Usage: python -m grader")

    @pytest.mark.parametrize(
        "line",
        [
            *("inspect --profile moon", "grade x --profile moon", "prove --profile moon"),
            *("reference --profile moon", "report --profile moon"),
            *(f"grader.reference {stage} --profile moon" for stage in ("images", "calibrate", "candidates")),
            *("grader.reference confirm --profile moon", "stages train --task alexnet --profile moon"),
        ],
    )
    def test_unknown_profile(self, line: str, run: Callable[[str], Ran]) -> None:
        """Those that params.yaml has are named."""
        ran = run(line)
        assert ran.code == 2
        first, second = ran.out.splitlines()
        assert re.fullmatch(r"(nox -s \w+|python -m grader.reference \w+): there is no profile 'moon'", first)
        known = yaml.safe_load((ROOT / "params.yaml").read_text())["profiles"]
        assert second == f"  The profiles are: {', '.join(known)}"

    @pytest.mark.parametrize("line", ["check lexnet", "check resnet lexnet.py", "prove lexnet"])
    def test_unknown_task(self, line: str, run: Callable[[str], Ran]) -> None:
        """Those that there are are named."""
        ran = run(line)
        assert ran.code == 2
        assert f"nox -s {line.split()[0]}: there is no task 'lexnet'" in ran.text
        assert "The tasks are: preprocessing, alexnet, resnet, wide_resnet, evaluation" in ran.text

    @pytest.mark.parametrize(
        "line",
        [
            "train --profile cpu --task evaluation",
            "describe --profile cpu --task evaluation",
            "candidates --profile cpu --tasks alexnet evaluation",
            "confirm --profile cpu --tasks evaluation",
        ],
    )
    def test_task_that_does_not_train(self, line: str, run: Callable[[str], Ran]) -> None:
        """Those that do are named."""
        ran = run(f"grader.reference {line}")
        assert ran.code == 2
        assert "there is no task 'evaluation' that trains" in ran.text
        assert "Those that do are: alexnet, resnet, wide_resnet" in ran.text

    def test_unknown_folder(self, run: Callable[[str], Ran]) -> None:
        """The commands themselves say what they need a path for."""
        for line in ("check --folder nowhere", "inspect --folder nowhere", "grade nowhere"):
            ran = run(line)
            assert ran.code == 2
            assert "there is no" in ran.text
            assert "nowhere" in ran.text
            assert len(ran.out.splitlines()) == 2


class TestErrors:
    """Everything else that goes wrong."""

    def test_a_fault_of_the_course_s_own_files(
        self, run: Callable[[str], Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Exit code 1, with the command that was called, though its options were not read yet."""
        (tmp_path / "params.yaml").write_text("profiles: []")
        monkeypatch.setattr(options, "ROOT", tmp_path)
        ran = run("grade x --profile cpu")
        assert ran.code == 1
        assert ran.out.startswith(f"nox -s grade: {tmp_path}/params.yaml: profiles:")

    def test_a_missing_file(self, run: Callable[[str], Ran], tmp_path: Path) -> None:
        """Of a command that is nothing but its option."""
        ran = run(f"estimates {tmp_path}")
        assert ran.code == 1
        assert "estimates.yaml cannot be read: No such file or directory" in ran.text

    def test_a_mistake_of_ours_is_not_hidden(
        self, run: Callable[[str], Ran], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An error that nobody foresaw keeps its traceback."""
        from grader.handout import stubs

        monkeypatch.setattr(stubs, "check", lambda root: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run("stubs --check")

    @pytest.mark.parametrize(
        ("line", "kept"),
        [
            ("stubs --check", "Networks that were trained to the end are kept"),
            ("grader.reference failure", "What was trained to the end is kept"),
        ],
    )
    def test_ctrl_c(
        self, line: str, kept: str, run: Callable[[str], Ran], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One sentence, and 130; test_grade.py presses it for real."""
        from grader.handout import stubs
        from grader.reference import stages as bodies

        def interrupted(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(stubs, "check", interrupted)
        monkeypatch.setattr(bodies, "failure", interrupted)
        assert run(line) == Ran(130, f"\nStopped. {kept}: the same command goes on from there.\n", "")


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the commands whose real run takes minutes were called with, in place of a run."""
    from grader.commands import check, doctor, grade, image, inspect
    from grader.proof import prove, rate
    from grader.reference import pipeline, report
    from grader.reference import stages as bodies

    calls: list[Any] = []

    def note(*args: Any, **kwargs: Any) -> int:
        calls.append(([one for one in args if not hasattr(one, "print")], kwargs))
        return 1

    for module, name in (
        (check, "check"),
        (doctor, "doctor"),
        (grade, "grade"),
        (image, "image"),
        (inspect, "inspect"),
        (prove, "prove"),
        (rate, "rate"),
        (pipeline, "reference"),
    ):
        monkeypatch.setattr(module, name, note)
    monkeypatch.setattr(
        report, "report", lambda *args, **kwargs: (note(*args, **kwargs), (ROOT / "page", []))[1]
    )
    for name in ("images", "describe", "train", "calibrate", "figures", "failure"):
        monkeypatch.setattr(bodies, name, note)
    for name in ("compare_candidates", "confirm_thresholds"):
        monkeypatch.setattr(bodies, name, note)
    return calls


class TestWhatIsHandedOn:
    """What a command gets is what was asked for, or the default; what it returns is the exit code."""

    def test_stubs_run(self, run: Callable[[str], Ran]) -> None:
        """For real: nothing differs."""
        assert run("stubs --check") == Ran(0, "assignment/ is what solutions/ gives.\n", "")

    def test_estimates_run(self, run: Callable[[str], Ran], tmp_path: Path) -> None:
        """For real, on a copy: the thresholds of that folder are written."""
        folder = tmp_path / "gpu"
        folder.mkdir()
        estimates = (ROOT / "reference" / "gpu" / "estimates.yaml").read_bytes()
        (folder / "estimates.yaml").write_bytes(estimates)
        ran = run(f"estimates {folder}")
        assert ran.code == 0
        assert re.match(r"alexnet on (coarse|fine) labels: \d+\.\d%, an estimate\n", ran.out)
        assert len(json.loads((folder / "thresholds.json").read_text())["thresholds"]) == len(
            ran.out.splitlines()
        )

    def test_check(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        assert run("check alexnet.py resnet --folder bob --seed 7 --trust").code == 1
        run("check")
        (_, asked), (args, default) = handed
        assert asked == {
            "folder": Path("bob"),
            "tasks": ("alexnet", "resnet"),
            "functions": (),
            "seed": 7,
            "trust": True,
            "watching": False,
        }
        assert args == [ROOT]
        seed = default.pop("seed")
        assert default == {
            "folder": ROOT / "assignment",
            "tasks": (),
            "functions": (),
            "trust": False,
            "watching": False,
        }
        run("check")
        assert handed[-1][1]["seed"] != seed, "drawn anew for each run"

    def test_inspect(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        run("inspect --momentum 0.5 --profile offline --folder . --seed 3 --trust")
        run("inspect")
        (_, asked), (_, default) = handed
        here = {"folder": Path.cwd(), "profile": "offline", "seed": 3, "momentum": 0.5, "trust": True}
        assert asked == here
        assert default == {
            "folder": ROOT / "assignment",
            "profile": None,
            "seed": 0,
            "momentum": 0.99,
            "trust": False,
        }

    def test_grade(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        from grader.commands.grade import Order

        run("grade a.zip b/ --profile cpu --engine none --seed 0 --out ../there --workers 3 --trust")
        run("grade c")
        ((_, asked), _), ((_, default), _) = handed
        assert asked == Order(
            paths=(Path("a.zip"), Path("b")),
            profile="cpu",
            engine="none",
            seed=0,
            out=Path("../there"),
            trust=True,
            workers=3,
        )
        assert (default.profile, default.engine, default.trust) == (None, "auto", False)
        assert default.workers == min(8, os.cpu_count() or 1)
        assert default.out.absolute() == ROOT / "results"

    def test_prove(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        from grader.proof.prove import Order

        run("prove alexnet.py --train --profile cpu --engine podman --seed 5 --workers 2")
        run("prove")
        ((_, asked), _), ((_, default), _) = handed
        assert asked == Order(("alexnet",), True, "cpu", "podman", 5, 2)
        assert default == Order((), False, None, "auto", 1, min(8, os.cpu_count() or 1))

    def test_ratings(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        from grader.proof.rate import Order

        run("ratings alexnet.py --sheets there --unrated")
        run("ratings --take a.csv b.csv c.csv")
        run("ratings")
        ((_, asked), _), ((_, taken), _), ((_, default), _) = handed
        assert asked == Order(tasks=("alexnet",), sheets=Path("there"), unrated=True)
        assert taken == Order(take=(Path("a.csv"), Path("b.csv"), Path("c.csv")))
        assert default == Order()

    def test_reference(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        from grader.reference.pipeline import Order

        run("reference train@cpu-alexnet failure --profile cpu --force --dry --workers 4")
        run("reference")
        ((_, asked), _), ((_, default), _) = handed
        assert asked == Order("cpu", ("train@cpu-alexnet", "failure"), True, True, 4)
        assert default == Order("offline", (), False, False, min(2, os.cpu_count() or 1))

    @pytest.mark.parametrize("line", ["report", "grader.reference report"])
    def test_report(self, line: str, run: Callable[[str], Ran], handed: list[Any]) -> None:
        ran = run(f"{line} --profile cpu --out page")
        run(line)
        (asked, where), (default, nowhere) = handed
        assert (asked, where) == (["cpu"], {"root": ROOT, "out": Path("page")})
        assert (default, nowhere) == (["offline"], {"root": ROOT, "out": None})
        assert ran.code == 0
        assert ran.out.startswith("Written: ")

    def test_image(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        run("image --target trainer --engine docker --base b --cpu-trainer --ca-bundle ca.pem")
        run("image")
        (_, asked), (_, default) = handed
        assert asked == {
            "targets": ["trainer"],
            "engine": "docker",
            "base": "b",
            "tensorflow": "cpu",
            "ca_bundle": Path("ca.pem"),
        }
        assert default == {
            "targets": ["sandbox", "trainer"],
            "engine": "auto",
            "base": None,
            "tensorflow": "gpu",
            "ca_bundle": None,
        }

    def test_doctor(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        assert run("doctor").code == 1
        assert handed == [([ROOT], {})]

    @pytest.mark.parametrize("stage", ["images", "describe", "train", "calibrate", "figures"])
    def test_stages(
        self, stage: str, run: Callable[[str], Ran], handed: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The number of workers is the machine's: DVC hands it on in the environment."""
        task = " --task resnet" if stage in ("describe", "train") else ""
        monkeypatch.setenv(WORKERS, "7")
        run(f"grader.reference {stage} --profile cpu{task}")
        run(f"stages {stage} --profile cpu --workers 3{task}")
        for (args, _), workers in zip(handed, (7, 3), strict=True):
            assert (args[0].root, args[0].profile.name, args[0].workers) == (ROOT, "cpu", workers)
            assert args[1:] == (["resnet"] if task else [])
        monkeypatch.setenv(WORKERS, "none")
        assert run(f"grader.reference {stage} --profile cpu{task}").code == 2

    def test_failure(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        run("grader.reference failure")
        assert handed == [([ROOT], {})]

    def test_several_values(self, run: Callable[[str], Ran], handed: list[Any]) -> None:
        """Behind one option, or with the option before each."""
        run("stages candidates --profile cpu --tasks alexnet resnet --labels fine coarse --only a 'b c'")
        run(
            "grader.reference candidates --tasks alexnet --tasks resnet --only a --only 'b c' "
            "--labels=fine --labels coarse --profile cpu"
        )
        run("grader.reference candidates --profile cpu")
        first, second, (default, _) = handed
        assert first[0][1:] == second[0][1:] == [("alexnet", "resnet"), ("fine", "coarse"), 4, ("a", "b c")]
        assert default[1:] == [(), ("fine",), 4, ()]
        run("grader.reference confirm --tasks alexnet resnet --seeds 9 --profile cpu")
        assert handed[-1][0][1:] == [9, ("alexnet", "resnet")]


class TestPipeline:
    """dvc.yaml and reference/gpu/dvc.yaml."""

    @pytest.mark.parametrize("name", ["dvc.yaml", "reference/gpu/dvc.yaml"])
    def test_every_stage_is_a_command(self, name: str) -> None:
        """As DVC calls it, for each profile and task."""
        for stage in yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["stages"].values():
            matrix = stage.get("matrix", {})
            for profile in matrix.get("profile", ["offline"]):
                for task in matrix.get("task", ["alexnet"]):
                    line = stage["cmd"].replace("${item.profile}", profile).replace("${item.task}", task)
                    if line.startswith("python -m grader"):
                        parse(shlex.split(line))


class TestNamesThatAreWrittenTwice:
    """What options.py lists itself, because importing the list takes seconds."""

    def test_engines(self) -> None:
        from grader import sandbox

        assert ("auto", *sandbox.ENGINES) == options.ENGINES

    def test_label_sets(self) -> None:
        from grader.config.profiles import CLASSES

        assert sorted(options.LABEL_SETS) == sorted(CLASSES)
