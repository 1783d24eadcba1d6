"""A folder of a student's and the tasks of it that are checked, once or again and again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.text import Text

from grader.config.manifest import Manifest, Task
from grader.errors import UsageError
from grader.exporters.drawing import Drawings
from grader.grading import run
from grader.grading.evidence import Evidence
from grader.grading.plan import Plan
from grader.intake import Source
from grader.paths import from_here
from grader.practice.feedback import Feedback, Printed, printed_by, read
from grader.practice.memory import Memory
from grader.results.record import SubmissionResult
from grader.sandbox import Engine
from grader.session import Session, in_words
from grader.text import plain
from grader.training.progress import Display


@dataclass
class Checking:
    """A folder and the tasks of it that are checked, once or again and again.

    Attributes:
        session: what the command works with.
        folder: the student's files.
        tasks: that are checked.
        seed: of the inputs.
        root: the checkout.
        engine: where probes run.
    """

    root: Path
    session: Session
    folder: Path
    tasks: tuple[Task, ...]
    seed: int
    engine: Engine
    _printed: dict[str, dict[str, Printed]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, *, folder: Path, tasks: Sequence[str], seed: int, trust: bool) -> "Checking":
        """Opens what it takes; UsageError if there is no such folder, or no sandbox where it needs one."""
        session = Session.of_folder(root, folder, trust=trust, profile="cpu")
        everything = session.manifest
        chosen = tuple(everything.task(name.removesuffix(".py")) for name in tasks) or everything.tasks
        if not folder.is_dir():
            raise UsageError(f"there is no folder {plain(folder)}", fix="Name yours with --folder")
        return cls(root, session, folder, chosen, seed, session.engine)

    @property
    def manifest(self) -> Manifest:
        """All tasks."""
        return self.session.manifest

    @property
    def memory(self) -> Memory:
        """What is remembered of the folder."""
        return Memory(self.root, self.folder)

    def heading(self) -> Text:
        """The first line."""
        titles = ", ".join(task.title for task in self.tasks)
        return Text.assemble(
            (f"Checking {plain(self.folder.name)}: {titles} · ", "bold"),
            f"{in_words(self.engine)}, no training · inputs of seed {self.seed}",
        )

    def feedback(self, functions: Sequence[str], display: Display | None = None) -> Feedback:
        """Checks the tasks as their files are now."""
        self._printed.clear()
        texts = read(
            self.folder
        )  # before the check, which works on a copy: what it names is quoted from these
        result = self._checked(display)
        pictures = {}
        for picture in Drawings().write_submission(result, self.root / ".kit" / "check"):
            task, _, name = picture.stem.removeprefix("drawing-").partition("-")
            pictures[task, name] = from_here(picture)
        return Feedback(
            result, self.manifest, texts, dict(self._printed), tuple(functions), pictures, self.folder
        )

    def _checked(self, display: Display | None) -> SubmissionResult:
        plan = Plan(
            manifest=self.manifest.model_copy(update={"tasks": self.tasks}),
            profile=self.session.profile,
            engine=self.engine,
            run=self.session.run_without_training(self.seed),
            training=None,
            slots=self.session.slots,
            on_probed=display.probed if display else lambda submission, task: None,
            on_evidence=self._keep_printed,
            probes=self.session.probes,
        )
        (result,) = run.grade([Source(self.folder.name, self.folder)], plan)
        # Of a file whose task is not checked, nothing is to be said.
        others = tuple(task.module for task in self.manifest.tasks if task not in self.tasks)
        notes = tuple(note for note in result.notes if not note.startswith(others))
        return result.model_copy(update={"notes": notes})

    def _keep_printed(self, task: str, evidence: Evidence) -> None:
        if found := printed_by(self.manifest.task(task), evidence):
            self._printed[task] = found
