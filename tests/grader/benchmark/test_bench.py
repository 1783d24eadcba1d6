"""A run of the bench: sides in turns, what goes on, what is missed, what cannot be measured."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from grader.benchmark import bench, figures, record, subjects
from grader.benchmark.bench import Order
from grader.benchmark.figures import Place
from grader.benchmark.measuring import CommandFailed
from grader.benchmark.record import OWN, Goal
from grader.benchmark.subjects import Contender, Measured, Subject
from grader.errors import UsageError

ROOT = Path(__file__).parents[3]


class Sides:
    """Sides that count their runs."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.broken: set[str] = set()

    def side(self, name: str, value: float, **options: object) -> Contender:
        def measure(folder: Path) -> Measured:
            assert list(folder.iterdir()) == []
            self.ran.append(name)
            if name in self.broken:
                raise CommandFailed(f"{name} ended with 1")
            return Measured(value)

        return Contender(name, "a command", measure, **options)  # type: ignore[arg-type]

    def subject(self, name: str, *goals: Goal) -> Subject:
        sides = [self.side(OWN, 2.0), self.side("nbgrader 0.9.6", 4.0, at_most=2)]
        return Subject(name, f"the {name}", "s", goals, lambda: sides)


@pytest.fixture
def sides() -> Sides:
    return Sides()


@pytest.fixture
def root(tmp_path: Path, sides: Sides, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two figures; a third one is added by the tests that need it."""
    listed = [
        sides.subject("first", Goal(most=1.0)),
        sides.subject("second", Goal(against="nbgrader", most=0.5)),
    ]
    monkeypatch.setattr(figures, "subjects", lambda place: listed)
    (tmp_path / "grader").mkdir()
    (tmp_path / "grader" / "code.py").touch()
    return tmp_path


def run(root: Path, *names: str, **options: object) -> tuple[int, str]:
    """Its exit code and what is shown."""
    console = Console(width=160, record=True, file=io.StringIO())
    code = bench.bench(root, console, Order(names=names, **options))  # type: ignore[arg-type]
    return code, console.export_text()


class TestTurns:
    """subjects.measure."""

    def test_in_turns_after_a_warm_up(self, sides: Sides) -> None:
        """What else the machine does meets all sides alike; the first run of each is not counted."""
        found = subjects.measure(sides.subject("x"), quick=False, now=lambda: "2026-11-27T10:15:00Z")
        assert sides.ran == [OWN, "nbgrader 0.9.6"] * 3 + [OWN]
        assert [len(side.values) for side in found.sides] == [3, 2]

    def test_quick(self, sides: Sides) -> None:
        subjects.measure(sides.subject("x"), quick=True, now=lambda: "2026-11-27T10:15:00Z")
        assert sides.ran == [OWN, "nbgrader 0.9.6"]

    def test_a_broken_side(self, sides: Sides) -> None:
        """The others are measured all the same, and it is not tried again and again."""
        sides.broken = {"nbgrader 0.9.6"}
        found = subjects.measure(sides.subject("x"), quick=False, now=lambda: "2026-11-27T10:15:00Z")
        assert sides.ran.count("nbgrader 0.9.6") == 1
        assert [side.name for side in found.sides] == [OWN]
        assert "nbgrader 0.9.6 ended with 1" in found.problem

    def test_no_sides(self, sides: Sides) -> None:
        """What a figure needs beforehand is missing."""

        def missing() -> Sequence[Contender]:
            raise UsageError("there is no peer", fix="Run: nox -s bench")

        subject = Subject("x", "x", "s", (Goal(most=1.0),), missing)
        found = subjects.measure(subject, quick=True, now=lambda: "2026-11-27T10:15:00Z")
        assert "there is no peer" in found.problem
        assert found.goals[0].met is None


class TestBench:
    """bench."""

    def test_a_missed_goal_is_no_error(self, root: Path) -> None:
        code, shown = run(root)
        assert code == 0
        assert "missed" in shown
        assert "at most 0.5 of nbgrader" in shown
        found = record.load(root / "reference" / "bench.json")
        assert found is not None
        assert found.complete
        assert [goal.met for figure in found.figures.values() for goal in figure.goals] == [False, True]

    def test_what_cannot_be_measured_is(self, root: Path, sides: Sides) -> None:
        sides.broken = {OWN}
        code, shown = run(root, quick=True)
        assert code == 1
        assert "✘ the first: this kit: this kit ended with 1" in shown

    def test_goes_on(self, root: Path, sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run that was stopped in its second figure does not measure the first one again."""
        first, second = figures.subjects(Place(root))

        def stop() -> Sequence[Contender]:
            raise KeyboardInterrupt

        stopping = Subject(second.name, second.title, "s", (), stop)
        monkeypatch.setattr(figures, "subjects", lambda place: [first, stopping])
        with pytest.raises(KeyboardInterrupt):
            run(root, quick=True)
        assert sides.ran == [OWN, "nbgrader 0.9.6"]
        monkeypatch.setattr(figures, "subjects", lambda place: [first, second])
        assert run(root, quick=True)[0] == 0
        assert sides.ran == [OWN, "nbgrader 0.9.6"] * 2

    def test_another_code_begins_anew(self, root: Path, sides: Sides) -> None:
        run(root, "first", quick=True)
        (root / "grader" / "code.py").write_text("1\n")
        run(root, quick=True)
        assert sides.ran == [OWN, "nbgrader 0.9.6"] * 3

    def test_some_figures_leave_the_whole_alone(self, root: Path) -> None:
        """Only a full run of all writes reference/bench.json, unless it is asked for by name."""
        run(root, "first")
        assert not (root / "reference" / "bench.json").exists()
        run(root)
        before = record.load(root / "reference" / "bench.json")
        run(root, "first", out=root / "reference" / "bench.json")
        after = record.load(root / "reference" / "bench.json")
        assert before is not None
        assert after is not None
        assert after.complete
        assert after.figures["second"] == before.figures["second"]

    def test_the_page_has_the_table(self, root: Path) -> None:
        """A full run of all writes it between the marks, and nothing else of the page."""
        page = root / "docs" / "performance.md"
        page.parent.mkdir()
        page.write_text(f"before\n{bench.BEGIN}\nold\n{bench.END}\nafter\n")
        run(root, quick=True)
        assert "old" in page.read_text()
        run(root)
        text = page.read_text()
        assert text.startswith("before\n")
        assert text.endswith(f"{bench.END}\nafter\n")
        assert "| the first (`first`) | 2.0 s (2.0 to 2.0, 3 runs) | at most 1.0 s | missed |" in text
        assert "old" not in text

    def test_figures_of_two_runs_are_not_mixed(self, root: Path) -> None:
        run(root)
        (root / "grader" / "code.py").write_text("1\n")
        with pytest.raises(UsageError, match="do not compare"):
            run(root, "first", out=root / "reference" / "bench.json")

    def test_unknown(self, root: Path) -> None:
        with pytest.raises(UsageError, match="there is no figure 'third'"):
            run(root, "third")


class TestFigures:
    """The real ones."""

    def test_names(self) -> None:
        """Each is there once, and has a goal."""
        listed = figures.subjects(Place(ROOT))
        names = [subject.name for subject in listed]
        assert len(set(names)) == len(names) == 13
        assert all(subject.goals for subject in listed)

    def test_committed(self) -> None:
        """What is in reference/ can be read, and has all of them; without it the page shows no figure."""
        found = record.load(ROOT / "reference" / "bench.json")
        if found is None:
            rows = (ROOT / bench.PAGE).read_text(encoding="utf-8").split(bench.BEGIN)[1].split(bench.END)[0]
            assert all(row.endswith("| | | |") for row in rows.strip().splitlines()[2:])
            return
        assert found.complete
        assert not found.quick
        assert bench.markdown(found) in (ROOT / bench.PAGE).read_text(encoding="utf-8")
        assert list(found.figures) == [subject.name for subject in figures.subjects(Place(ROOT))]

    @pytest.mark.slow
    def test_preprocessing(self, tmp_path: Path) -> None:
        """A real figure, measured once."""
        place = Place(ROOT, with_before=False, quick=True)
        (subject,) = (one for one in figures.subjects(place) if one.name == "check-preprocessing")
        found = subjects.measure(subject, quick=True, now=lambda: "2026-11-27T10:15:00Z")
        assert found.problem == ""
        (side,) = found.sides
        assert 0.2 < (side.cpu_seconds or 0) < 60
