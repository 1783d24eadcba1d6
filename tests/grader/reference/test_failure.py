"""The study's failure, by each cause: what the committed measurement says, and that it can be made again."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from grader.errors import ManifestError
from grader.reference import failure, failure_figures
from grader.reference.failure import CAUSES, FIGURES, Failure
from lab import data, synthetic

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "the-resnet-that-would-not-learn.md"


@pytest.fixture(scope="module")
def measured() -> Failure:
    return failure.load()


class TestMeasured:
    """reference/failure.json."""

    def test_every_cause_in_full(self, measured: Failure) -> None:
        """Each cause of CAUSES is there with every epoch, under the settings that stand in the source."""
        assert [one.cause for one in measured.causes] == [cause.name for cause in CAUSES]
        assert (measured.epochs, measured.steps, measured.seed) == (
            failure.EPOCHS,
            failure.STEPS,
            failure.SEED,
        )
        for one in measured.causes:
            assert len(one.train_accuracy) == len(one.validation_loss) == measured.epochs
        assert measured.data == "CIFAR-100"
        assert measured.pin == data.course_pin(ROOT).pin

    def test_verdict_is_read_off_the_numbers(self, measured: Failure) -> None:
        """A larger scale in validation shows all the marks; take away the loss, and it no longer does."""
        assert measured.fits() == ("train 0-1", "validation raw")
        one = measured.cause("train 0-1")
        quiet = one.model_copy(update={"validation_loss": (3.0,) * measured.epochs})
        assert not all(measured.marks(quiet).values())

    def test_text_is_stable(self, measured: Failure) -> None:
        """The file is what as_text gives, byte for byte."""
        assert failure.as_text(measured) == (ROOT / "reference" / "failure.json").read_text(encoding="utf-8")


class TestPage:
    """docs/the-resnet-that-would-not-learn.md."""

    def test_tables_are_the_measured_ones(self, measured: Failure) -> None:
        """Both tables stand on the page as the measurement gives them; a changed number would not."""
        page = PAGE.read_text(encoding="utf-8")
        for table in (failure.table(measured), failure.doses(measured)):
            assert table in page
            assert table.replace("5%", "6%") not in page

    def test_numbers_in_the_text(self, measured: Failure) -> None:
        """Every measured number in a sentence is the measurement's."""
        page = " ".join(PAGE.read_text(encoding="utf-8").split())
        quiet = [one for one in measured.causes if one.cause not in measured.fits()]
        highest = max(max(one.validation_loss) for one in quiet)
        loud = [measured.cause(name) for name in ("validation raw", "train 0-1")]
        at_most = max(max(one.validation_accuracy) for one in loud)
        lag, labels = measured.cause("lag"), measured.cause("validation labels")
        first = lag.settled[0]
        sixteen = next(dose for dose in measured.cause("train 0-1").doses if dose.factor == 16)
        for sentence in (
            f"never had a loss above {highest:.1f} in any epoch",
            f"({loud[0].last('validation_loss'):,.0f} and {loud[1].last('validation_loss'):,.0f})",
            f"8%, between 5 and {at_most:.0%} from one epoch to the next",
            f"and the loss is {measured.cause('train 0-255').last('validation_loss'):.1f}.",
            f"classified {lag.validation_accuracy[0]:.0%} of the validation images, and the same weights "
            f"{first.validation_accuracy:.0%} once",
            f"{measured.cause('raw augmentation').last('train_accuracy'):.0%} in training where the others "
            f"have {measured.cause('nothing').last('train_accuracy'):.0%}",
            f"counted as wrong: loss {labels.last('validation_loss'):.1f}",
            f"{measured.train_images:,} training and {measured.validation_images:,} validation images",
        ):
            assert sentence in page
        assert sixteen.validation_loss == pytest.approx(measured.study.validation_loss, rel=0.1)

    def test_figures_are_there(self) -> None:
        """The page shows both figures, which are in git."""
        for name in FIGURES:
            assert f"(figures/{name})" in PAGE.read_text(encoding="utf-8")
            assert (ROOT / "docs" / "figures" / name).read_bytes().startswith(b"\x89PNG")

    @pytest.mark.slow
    def test_figures_are_drawn_alike(self, measured: Failure) -> None:
        """The same numbers give the same bytes."""
        assert failure_figures.curves(measured, failure.title) == failure_figures.curves(
            measured, failure.title
        )
        assert failure_figures.bars_of_causes(measured, failure.title) == failure_figures.bars_of_causes(
            measured, failure.title
        )


class TestLoad:
    """load."""

    def test_missing(self, tmp_path: Path) -> None:
        """Without the file, the command that makes it is named."""
        with pytest.raises(ManifestError, match="nox -s reference"):
            failure.load(tmp_path)


class TestFeeds:
    """What each cause feeds."""

    def test_each_cause_differs_from_nothing(self) -> None:
        """A cause changes what is fed, a label or the momentum: else it would measure nothing."""
        arrays = failure._Arrays.of(synthetic.embedded_course().prefix(1000))
        batch = arrays.train[:4]
        right = CAUSES[0]
        for cause in CAUSES[1:]:
            fed = [cause.train(batch, arrays.statistics), cause.validation(batch, arrays.statistics)]
            same = all(np.array_equal(x, right.train(batch, arrays.statistics)) for x in fed)
            fed = (cause.momentum, cause.train_labels, cause.validation_labels)
            assert not same or fed != (right.momentum, True, True)

    def test_parts_share_nothing(self) -> None:
        """Training and validation are of all classes, and no picture is in both."""
        arrays = failure._Arrays.of(synthetic.embedded_course())
        assert (len(arrays.train), len(arrays.validation)) == (failure.TRAIN, failure.VALIDATION)
        assert len(np.unique(arrays.validation_labels)) == arrays.num_classes
        assert not {x.tobytes() for x in arrays.train} & {x.tobytes() for x in arrays.validation}


@pytest.mark.slow
class TestRun:
    """run."""

    def test_resumes(self, tmp_path: Path) -> None:
        """One epoch of two causes; a second run trains nothing and writes the same."""
        embedded = synthetic.embedded_course().prefix(2000)
        console = Console(width=200, record=True)

        def once() -> Failure:
            return failure.run(tmp_path, console=console, epochs=1, source=embedded, causes=CAUSES[:2])

        first = once()
        console.export_text()
        assert once() == first
        said = console.export_text()
        assert said.count("(kept)") == 2
        assert "the embedded set (CIFAR-100 is not here" in said
        loss, clean = (one.validation_loss[0] for one in (first.causes[1], first.causes[0]))
        assert loss > 10 * clean
