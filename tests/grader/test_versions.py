"""The versions that the pipeline's stages depend on: kept in step with the code, and with uv.lock."""

import importlib.metadata
import shutil
from pathlib import Path

import pytest

from grader.blueprint import FORMAT
from grader.cli import stages as command_line
from grader.errors import ManifestError, UsageError
from grader.reference import failure, failure_figures, matrix, packages, solutions, versions
from grader.reference.report import committed
from grader.reference.study import results
from grader.thresholds import model
from lab import synthetic, training

ROOT = Path(__file__).resolve().parents[2]


class TestThisCheckout:
    """What is committed."""

    def test_no_change_hides_behind_an_old_version(self) -> None:
        """A changed computation has a new version. What fails here says what to do."""
        faults = versions.unversioned(versions.recorded(ROOT), versions.current(ROOT))
        assert not faults, "\n".join(faults.values())

    def test_versions_are_recorded(self) -> None:
        """What DVC reads is what the code says."""
        found = versions.recorded(ROOT)
        assert found == versions.current(ROOT), "Run: python -m grader.reference versions"
        assert {name: one.version for name, one in found.items()} == {
            "training": training.VERSION,
            "synthetic": synthetic.VERSION,
            "blueprint": FORMAT,
            "describe": solutions.VERSION,
            "runs": matrix.VERSION,
            "thresholds": model.VERSION,
            "figures": committed.VERSION,
            "failure": failure.VERSION,
            "failure_figures": failure_figures.VERSION,
            "study": results.VERSION,
        }

    def test_trainings_are_found_again(self) -> None:
        """Part of every training's digest: raised, everything is trained again."""
        why = "raised on purpose? All is trained again then, everywhere: change these numbers here as well"
        assert (training.VERSION, FORMAT) == (3, 1), why

    def test_packages_are_those_of_the_lock(self) -> None:
        """What DVC reads of uv.lock is what uv.lock says."""
        assert packages.recorded(ROOT) == packages.resolved(ROOT), "Run: python -m grader.reference versions"

    def test_packages_are_those_installed(self) -> None:
        """They are those that compute here, by the names that the lock gives them."""
        for name in ("keras", "numpy", "scipy", "matplotlib", "pillow"):
            found = packages.resolved(ROOT)[name]
            assert importlib.metadata.version(name) in ([found] if isinstance(found, str) else found)


NOW = training.VERSION


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of our code, with the record."""
    for package in ("grader", "lab"):
        unneeded = shutil.ignore_patterns("__pycache__", "alternatives", "hidden", "mutants")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=unneeded)
    (tmp_path / "reference").mkdir()
    for file in ("uv.lock", "reference/versions.json", "reference/packages.json"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    """Replaces text that must be there."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


@pytest.mark.slow
class TestUpdate:
    """`python -m grader.reference versions`."""

    def test_changed_computation(self, checkout: Path) -> None:
        """Refused under the old version, with what to do; nothing is written."""
        before = versions.path(checkout).read_bytes()
        edit(
            checkout / "lab" / "training.py",
            "momentum=recipe.momentum, nesterov=True",
            "momentum=recipe.momentum",
        )
        with pytest.raises(ManifestError) as caught:
            versions.update(checkout)
        assert "raise VERSION in lab/training.py and run: python -m grader.reference versions" in str(
            caught.value
        )
        assert "python -m grader.reference versions --same-results training" in str(caught.value)
        assert versions.path(checkout).read_bytes() == before
        with pytest.raises(ManifestError, match="'training'"):  # another group's excuse is none for this one
            versions.update(checkout, ["runs"])

    def test_new_version(self, checkout: Path) -> None:
        """With a new version it is recorded, and the next change needs another."""
        edit(checkout / "lab" / "training.py", "nesterov=True", "nesterov=False")
        edit(checkout / "lab" / "training.py", *(f"\nVERSION = {n}\n" for n in (NOW, NOW + 1)))
        assert versions.update(checkout) == [f"training: version {NOW + 1}, was {NOW}"]
        assert versions.update(checkout) == []
        edit(checkout / "lab" / "training.py", "nesterov=False", "nesterov=True")
        assert set(versions.unversioned(versions.recorded(checkout), versions.current(checkout))) == {
            "training"
        }

    def test_same_results(self, checkout: Path) -> None:
        """Said of a group by its name, the new fingerprint is recorded under the old version."""
        edit(checkout / "lab" / "metrics.py", "chosen", "picked")
        edit(checkout / "lab" / "metrics.py", "chosen", "picked")
        assert versions.update(checkout, ["training"]) == [
            f"training: version {NOW} still, with another fingerprint"
        ]
        assert versions.recorded(checkout) == versions.current(checkout)

    def test_lower_version(self, checkout: Path) -> None:
        """Versions only rise, whatever is claimed."""
        edit(checkout / "lab" / "training.py", *(f"\nVERSION = {n}\n" for n in (NOW, NOW - 1)))
        with pytest.raises(ManifestError, match="only rise"):
            versions.update(checkout, ["training"])

    def test_shared_definition(self, checkout: Path) -> None:
        """What two computations rest on concerns both."""
        edit(checkout / "lab" / "data.py", "np.arange(n // classes)", "np.arange(n // classes)[::-1]")
        changed = versions.unversioned(versions.recorded(checkout), versions.current(checkout))
        assert set(changed) == {"training", "failure"}

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [
            ("lab/training.py", '    """One epoch of images', '    """An epoch of images'),
            ("lab/metrics.py", "import numpy as np", "# numbers\nimport numpy as np\n"),
            ("grader/blueprint/reading.py", '    """The node that does this', '    """A node that does this'),
            ("grader/training/child.py", '"""Trains a job in this process.', '"""One training.'),
            ("grader/config/profiles.py", '"a seed is twice in reference_seeds"', '"twice"'),
            ("lab/data.py", "def file_md5", "def md5_of_file"),
        ],
    )
    def test_nothing_to_record(self, checkout: Path, file: str, old: str, new: str) -> None:
        """Text for people, and what is not in the table, is not about results."""
        edit(checkout / file, old, new)
        assert versions.update(checkout) == []

    def test_moved(self, checkout: Path) -> None:
        """A definition that moves to another file of its group is the same."""
        metrics, target = checkout / "lab" / "metrics.py", checkout / "lab" / "training.py"
        head, at, moved = metrics.read_text().partition("def cross_entropy")
        metrics.write_text(head)
        text = target.read_text().replace("metrics.cross_entropy", "cross_entropy").rstrip()
        target.write_text(f"{text}\n\n\n{at}{moved}")
        assert versions.update(checkout) == []

    def test_lost(self, checkout: Path) -> None:
        """A definition or a file that is no longer where the table says is an error, not a smaller group."""
        edit(checkout / "grader/training/child.py", "def _load(", "def _others(")
        with pytest.raises(ManifestError, match=r"grader/training/child.py has no _load, which GROUPS"):
            versions.update(checkout)
        (checkout / "grader/training/child.py").unlink()
        with pytest.raises(ManifestError, match=r"there is no grader/training/child.py"):
            versions.update(checkout)

    def test_unknown_name(self, checkout: Path) -> None:
        """A name that does not exist is refused, with those there are."""
        with pytest.raises(UsageError, match=r"(?s)'trainings'.*training, synthetic"):
            versions.update(checkout, ["trainings"])

    def test_first_record(self, checkout: Path) -> None:
        """Where there is no record yet it is written, each version once."""
        before = versions.path(checkout).read_bytes()
        versions.path(checkout).unlink()
        assert versions.update(checkout)[0] == f"training: version {NOW}, new"
        assert versions.path(checkout).read_bytes() == before

    def test_packages(self, checkout: Path) -> None:
        """Another resolved version is recorded; a package that is not in the lock is an error."""
        edit(checkout / "uv.lock", 'name = "scipy"\nversion = "', 'name = "scipy"\nversion = "9.')
        (line,) = packages.update(checkout)
        assert line.startswith("scipy: ")
        assert "'9." in line
        edit(checkout / "uv.lock", 'name = "keras"\nversion', 'name = "kerass"\nversion')
        with pytest.raises(ManifestError, match="no keras"):
            packages.update(checkout)

    def test_command(
        self, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Exit codes: 0 when recorded, 1 for a change under an old version, 2 for a wrong name."""
        monkeypatch.setattr(command_line, "ROOT", checkout)
        assert command_line.main(["versions"]) == 0
        assert "up to date" in capsys.readouterr().out
        edit(checkout / "lab" / "synthetic.py", "SEED = 20_100", "SEED = 20_101")
        assert command_line.main(["versions"]) == 1
        assert "--same-results synthetic" in " ".join(capsys.readouterr().out.split())
        assert command_line.main(["versions", "--same-results", "pictures"]) == 2
        edit(checkout / "lab" / "synthetic.py", "\nVERSION = 1", "\nVERSION = 2")
        assert command_line.main(["versions"]) == 0
        assert "synthetic: version 2, was 1" in capsys.readouterr().out
