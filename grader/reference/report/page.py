"""The page: every section's data, put together and given to the template."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader import web
from grader.config import profiles
from grader.config.profiles import Profile
from grader.reference.report.cells import Table, table
from grader.reference.report.cells import page as study_page
from grader.reference.report.confusions import Confusion, confusions
from grader.reference.report.cost import Cost, cost
from grader.reference.report.curves import Curves, curves
from grader.reference.report.material import Material, Missing
from grader.reference.report.normality import Normality, normality
from grader.reference.report.picture import Picture
from grader.reference.report.samples import Samples, samples
from grader.reference.report.seeds import OnLabels, seeds
from grader.reference.report.study import Study, study
from grader.reference.report.superclasses import Superclasses, superclasses
from grader.reference.report.verdicts import Confirmed, Recipes
from grader.reference.report.wording import versions
from grader.reference.study.cells import PROFILE as STUDY
from lab.files import write_atomically

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class About:
    """What the whole page rests on.

    Attributes:
        profile: which one.
        titles: of the tasks that train.
        data_name: what the data are called in a sentence.
        basis: the data in a sentence, as it ends every figure.
        machines, versions: where trainings ran and with what; empty if there were none.
        pins, backends: of the data and of the trainings over seeds; empty if there were none.
        reservation: why the thresholds are not final; empty if they are.
        missing: what the page does without.
        has_images: the validation images are here.
        has_runs: there are trainings of the solutions.
    """

    profile: Profile
    titles: tuple[str, ...]
    data_name: str
    basis: str
    machines: frozenset[str]
    versions: frozenset[str]
    pins: frozenset[str]
    backends: frozenset[str]
    reservation: str
    missing: tuple[Missing, ...]
    has_images: bool
    has_runs: bool

    @classmethod
    def of(cls, material: Material) -> "About":
        """Gathers it."""
        over_seeds = [result for group in material.groups.values() for result in group]
        results = [*over_seeds, *material.graded.values()]
        return cls(
            profile=material.profile,
            titles=tuple(material.titles.values()),
            data_name=material.data_name,
            basis=material.basis(),
            machines=frozenset(result.machine for result in results),
            versions=frozenset(versions(result) for result in results),
            pins=frozenset(result.pin for result in over_seeds),
            backends=frozenset(result.backend for result in over_seeds),
            reservation=material.thresholds.reservation() if material.thresholds else "",
            missing=tuple(material.missing),
            has_images=material.validation is not None,
            has_runs=bool(material.groups),
        )


@dataclass(frozen=True)
class Page:
    """All that the template is filled with; a section is None or empty where something is missing."""

    about: About
    cells: Table | None
    study: Study
    curves: tuple[Curves, ...]
    confusions: tuple[Confusion, ...]
    superclasses: Superclasses | None
    cost: Cost | None
    seeds: tuple[OnLabels, ...]
    normality: Normality | None
    confirmed: Confirmed | None
    recipes: Recipes | None
    samples: tuple[Samples, ...]

    @classmethod
    def of(cls, material: Material, cells: Table | None = None) -> "Page":
        """Computes every section and draws every figure; `cells`: the study's table, to be shown first."""
        return cls(
            about=About.of(material),
            cells=cells,
            study=study(material),
            curves=curves(material),
            confusions=confusions(material),
            superclasses=superclasses(material),
            cost=cost(material),
            seeds=seeds(material),
            normality=normality(material),
            confirmed=material.confirmed,
            recipes=material.recipes,
            samples=samples(material),
        )

    def pictures(self) -> Iterator[Picture]:
        """All figures, in reading order."""
        yield from (one.picture for one in self.curves)
        for confusion in self.confusions:
            yield from (confusion.counts, confusion.percent)
            if confusion.pairs:
                yield confusion.pairs.picture
        if self.superclasses:
            yield self.superclasses.picture
        if self.cost:
            yield self.cost.picture
        yield from (one.picture for one in self.seeds if one.picture)
        if self.normality and self.normality.quantiles:
            yield self.normality.quantiles.picture
        yield from (one.picture for one in self.samples)

    def html(self) -> str:
        """The page as one file, which loads nothing."""
        return web.render("report.html.j2", page=self, about=self.about)


def report(profile_name: str, *, root: Path = ROOT, out: Path | None = None) -> tuple[Path, list[Missing]]:
    """Writes the page of a profile and its figures beside it.

    Returns:
        the page, and what it had to do without.

    Raises:
        UsageError: there is no such profile.
        ManifestError: params.yaml or the manifest is wrong.
    """
    if profile_name == STUDY:
        return study_page(root, out), []
    material = Material.read(profile_name, root)
    folder = out or root / ".kit" / "report" / profile_name
    # Beside photographs alone: what was drawn by a program cannot be compared with the study.
    photographs = material.profile.data == "cifar-100" and profiles.load(root / "params.yaml").study
    page = Page.of(material, table(root) if photographs else None)
    for old in folder.glob("*.png"):
        old.unlink()
    for picture in page.pictures():
        write_atomically(folder / f"{picture.name}.png", picture.png)
    write_atomically(folder / "index.html", page.html())
    return folder / "index.html", material.missing
