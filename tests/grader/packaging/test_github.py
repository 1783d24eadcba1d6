"""What a student's repository starts from, and the summary on the job's page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from grader.config import manifest
from grader.errors import UsageError
from grader.packaging import github, preview
from grader.results.record import CheckResult, Run, Status, SubmissionResult, TaskResult

ROOT = Path(__file__).resolve().parents[3]
UV = shutil.which("uv") or shutil.which("uv", path=ROOT / ".venv" / "bin")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder."""
    if UV is None:
        pytest.skip("uv is neither on PATH nor in .venv")
    to = tmp_path_factory.mktemp("github") / "template"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV", UV)
        github.write(ROOT, manifest.load(ROOT / "assignment" / "tasks.toml"), to)
    return to


class TestTemplate:
    def test_nothing_that_students_must_not_have(self, template: Path) -> None:
        names = [path.relative_to(template).as_posix() for path in template.rglob("*") if path.is_file()]
        for part in ("reference/", "solutions/", "bank/", "hidden", ".npy", "package.json"):
            assert not [name for name in names if part in name], part
        text = b"".join((template / name).read_bytes() for name in names)
        solution = (ROOT / "solutions" / "resnet.py").read_bytes()
        assert solution.split(b"# BEGIN SOLUTION\n")[1].split(b"# END SOLUTION")[0].strip() not in text

    def test_the_workflow_names_what_is_there(self, template: Path) -> None:
        workflow = yaml.safe_load((template / ".github" / "workflows" / "check.yml").read_text())
        assert workflow["permissions"] == {"contents": "read"}
        (job,) = workflow["jobs"].values()
        said = "\n".join(step.get("run", "") for step in job["steps"])
        assert "-r .github/check/requirements.txt" in said
        assert (template / ".github" / "check" / "requirements.txt").exists()
        assert f"-m {github.ENTRY} " in said
        assert (template / ".github" / "check" / Path(*github.ENTRY.split(".")).with_suffix(".py")).exists()

    def test_the_workflow_holds_to_githubs_schema(self, tmp_path: Path) -> None:
        """The schema that SchemaStore has of workflows, as check-jsonschema brings it along."""
        pytest.importorskip("check_jsonschema")
        written = (github.TEMPLATES / "check.yml").read_text()
        for name, text, code in (
            ("right.yml", written, 0),
            ("step.yml", written.replace("- uses: actions/setup", "- use: actions/setup"), 1),
            ("runner.yml", written.replace("runs-on: ubuntu-24.04", "runs_on: ubuntu-24.04"), 1),
        ):
            (tmp_path / name).write_text(text)
            command = [
                sys.executable,
                "-m",
                "check_jsonschema",
                "--builtin-schema",
                "vendor.github-workflows",
            ]
            done = subprocess.run(
                [*command, str(tmp_path / name)], capture_output=True, text=True, check=False
            )
            assert done.returncode == code, (name, done.stdout + done.stderr)

    def test_a_folder_with_something_in_it_is_refused(self, template: Path) -> None:
        with pytest.raises(UsageError, match="not empty"):
            github.write(ROOT, manifest.load(ROOT / "assignment" / "tasks.toml"), template)

    @pytest.mark.slow
    def test_the_workflows_command_checks_a_repository(self, template: Path, tmp_path: Path) -> None:
        """As check.yml calls it, with the modules of the repository alone."""
        work = tmp_path / "work"
        shutil.copytree(template, work)
        shutil.copy(ROOT / "solutions" / "evaluation.py", work / "assignment")
        done = subprocess.run(
            [sys.executable, "-P", "-B", "-m", github.ENTRY, "--summary", "summary.md", "assignment"],
            cwd=work,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(work / ".github" / "check"),
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr  # the other tasks are untouched
        summary = (work / "summary.md").read_text()
        evaluation = summary.split("evaluation", 1)[-1] if "evaluation" in summary else summary
        assert "✅ passed" in evaluation
        assert "⬜ not attempted" in summary
        assert "preview" in summary


class TestSummary:
    def test_a_submissions_text_is_no_markup(self) -> None:
        evil = "</pre><script>alert(1)</script> | [x](javascript:y) `code` @everyone\n# big\n![a](http://b)"
        check = CheckResult(
            check="a", title=evil, status=Status.FAILED, points=0.0, max_points=1.0, message=evil, hint=evil
        )
        run = Run(
            profile="cpu",
            data="none",
            data_pin="",
            provisional_because="",
            engine="none",
            seed=1,
            versions={},
        )
        result = SubmissionResult(
            name="x",
            run=run,
            tasks=(TaskResult(task="t", title=evil, checks=(check,)),),
            seconds=1.0,
            notes=(evil,),
        )
        said = preview.summary(result)
        assert "<script" not in said
        assert "](" not in said
        assert "@everyone" not in said
        assert "`code`" not in said
        assert all(line.count("|") in (0, 4) for line in said.splitlines())
        assert not [line for line in said.splitlines() if line.startswith("# big")]

    def test_it_stays_within_what_github_takes(self) -> None:
        assert len(preview._cut("a line\n" * 500_000).encode()) < 1024 * 1024
