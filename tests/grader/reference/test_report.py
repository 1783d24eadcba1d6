"""The report: what was measured is in it, what is missing is said, and nothing gets in unescaped."""

import base64
import csv
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grader import thresholds
from grader.cli import app
from grader.config import profiles
from grader.config.profiles import LabelSet
from grader.errors import ManifestError, UsageError
from grader.reference import report
from grader.reference.report import committed, wording
from grader.reference.report.material import Material, Missing
from grader.reference.report.page import Page
from grader.reference.report.picture import Picture
from grader.thresholds import ReferenceRun, Runs, calibration
from grader.training import backends
from grader.training.job import Conditions, Result
from grader.training.job import pin as pin_of
from grader.web.filters import duration, percent
from lab import synthetic
from lab.errors import DataError
from tests.grader.training.tiny import made

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")
PIN = pin_of("embedded")
TASKS = ("alexnet", "resnet")
LABEL_SETS: tuple[LabelSet, ...] = ("coarse", "fine")
EVIL = '<script>alert("1")</script>'
STUDY_ROWS = (
    "training accuracy",
    "validation accuracy",
    "time to train",
    "test loss",
    "validation loss",
    "epochs × steps",
)


def result(labels: LabelSet, seed: int, accuracy: float) -> Result:
    """Half of the answers are right; the others are the next class."""
    epochs = PROFILE.recipe.epochs
    truth = synthetic.embedded_course().following(PROFILE.train, PROFILE.validation).labels(labels)
    said = np.where(np.arange(len(truth)) % 2, truth, (truth + 1) % profiles.CLASSES[labels]).astype(np.uint8)
    return made(
        digest=f"{labels}{seed}",
        accuracy=accuracy,
        loss=1.25,
        train_accuracy=tuple(np.linspace(0.1, accuracy, epochs)),
        train_loss=tuple(np.linspace(3, 1.5, epochs)),
        validation_accuracy=tuple(np.linspace(0.1, 0.5, epochs)),
        validation_loss=tuple(np.linspace(0.5, 0.1, epochs)),
        validation_predictions=base64.b64encode(said.tobytes()).decode(),
        parameters=152_264,
        seconds=20.0 + seed,
        cpu_seconds=20.0,
        labels=labels,
        seed=seed,
        backend="keras 3",
        versions={"keras": "3"},
        machine=f"a machine {EVIL}",
    )


def empty_root(folder: Path) -> Path:
    """A checkout in which nothing was measured and no data lie."""
    (folder / "solutions").mkdir(parents=True)
    (folder / "grader").mkdir()
    for name in (
        "params.yaml",
        "solutions/tasks.toml",
        "solutions/marking.toml",
        "data.dvc",
        "grader/hidden.dvc",
    ):
        shutil.copy(ROOT / name, folder / name)
    return folder


def measured_root(folder: Path) -> Path:
    """A checkout with made-up measurements of two networks."""
    root = empty_root(folder)
    reference = root / "reference" / "offline"
    runs = tuple(
        ReferenceRun(
            task=task,
            blueprint=f"{task}{labels}",
            result=result(labels, seed, 0.5 + 0.01 * (seed * 7 % 5)),
        )
        for task in TASKS
        for labels in LABEL_SETS
        for seed in (PROFILE.grading_seed, 1, 2, 3, 4, 5)
    )
    every = Runs(
        profile="offline",
        conditions=Conditions.of(PROFILE, PIN, backends.name()),
        grading_seed=PROFILE.grading_seed,
        builders={task: PROFILE.builders[task] for task in TASKS},
        runs=runs,
    )
    thresholds.save_runs(every, reference)
    thresholds.save(every, reference)
    study = calibration.study(every, draws=2000)
    (reference / "calibration.json").write_text(study.model_dump_json())
    return root


@dataclass
class Written:
    """A report, written once for all tests that read it."""

    root: Path
    folder: Path
    text: str
    missing: list[Missing]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    root = measured_root(tmp_path_factory.mktemp("measured") / "root")
    path, missing = report.report("offline", root=root)
    return Written(root, path.parent, path.read_text("utf-8"), missing)


class Reader(HTMLParser):
    """Collects elements and text; notices tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.words = ""
        self.feed(text)
        self.faults += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words += data

    def all(self, name: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.elements if tag == name)


class TestReader:
    """The reader of these tests."""

    def test_it_notices_faults(self) -> None:
        """It finds a tag that is left open, and one that closes nothing."""
        assert Reader("<p><b></p>").faults
        assert Reader("<p></p></div>").faults
        assert not Reader("<p><b>x</b></p>").faults


class TestReport:
    """report: the page."""

    def test_whole(self, written: Written) -> None:
        """Nothing is missing, the markup is sound, addresses on the page exist and are unique."""
        assert written.missing == []
        reader = Reader(written.text)
        assert reader.faults == []
        names = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
        assert len(names) == len(set(names))
        links = [attributes["href"] for attributes in reader.all("a")]
        assert len(links) >= 9
        assert {link.removeprefix("#") for link in links if link} <= set(names)
        assert not re.search(r"\bnan\b|\bNone\b", reader.words)

    def test_self_contained(self, written: Written) -> None:
        """The page asks nobody for anything, and the browser is told to refuse if it did."""
        reader = Reader(written.text)
        sources = [
            value
            for _, at in reader.elements
            for key, value in at.items()
            if key in ("src", "href") and value
        ]
        assert sources
        assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
        assert not list(reader.all("script"))
        assert "url(" not in written.text
        assert "@import" not in written.text
        (policy,) = (at["content"] for at in reader.all("meta") if "http-equiv" in at)
        assert policy is not None
        assert policy.startswith("default-src 'none'")

    def test_figures(self, written: Written) -> None:
        """Every figure is there in the page and beside it, with words for who cannot see it and a caption."""
        reader = Reader(written.text)
        images = list(reader.all("img"))
        files = {path.read_bytes() for path in written.folder.glob("*.png")}
        inside = {base64.b64decode((at["src"] or "").partition(",")[2]) for at in images}
        assert inside == files
        assert len(images) == written.text.count("<figcaption>")
        assert all(len(at["alt"] or "") > 40 for at in images)
        for at in images:
            size = Image.open(io.BytesIO(base64.b64decode((at["src"] or "").partition(",")[2]))).size
            assert size == (int(at["width"] or 0), int(at["height"] or 0))
        kinds = {path.stem.partition("-")[0] for path in written.folder.glob("*.png")}
        assert kinds == {
            "curves",
            "confusion",
            "pairs",
            "superclasses",
            "cost",
            "seeds",
            "normality",
            "samples",
        }
        assert len(list(written.folder.glob("confusion-*.png"))) == 8  # 2 networks, 2 label sets, 2 ways

    def test_study(self, written: Written) -> None:
        """The study's table stands beside ours, row by row; a network that it had not has no 2021."""
        rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", written.text)
        cells = {name: re.findall(r"<td>(?:<span.*?>)?(.*?)(?:</span>)?</td>", rest) for name, rest in rows}
        assert cells["validation loss"][::2][:4] == ["2.7", "not given", "65.4", "not given"]
        assert cells["training accuracy"][:2] == ["94.0%", "52.0 ± 1.6%"]
        assert cells["test loss"][:2] == ["2.37", "1.25 ± 0.00"]
        assert cells["validation accuracy"][1] == "50.0 ± 0.0%"
        assert cells["runs, n"][1] == "5"
        tasks = len(Material.read("offline", written.root).titles)
        assert {len(cells[name]) for name in STUDY_ROWS} == {8 + 2 * (tasks - 2)}

    def test_answers(self, written: Written) -> None:
        """Half of the answers of all runs are right: so it says, and what each wrong one was taken for."""
        words = Reader(written.text).words
        names = synthetic.embedded_course().fine_names
        right = 5 * PROFILE.validation // 100 // 2
        assert re.search(
            rf"{re.escape(names[0])}\w+{right} of {2 * right}{re.escape(names[1])} \({right}\)", words
        )

    def test_data_are_escaped(self, written: Written) -> None:
        """What came from a file is text, whatever it says."""
        assert EVIL not in written.text
        assert EVIL in Reader(written.text).words

    def test_names_are_escaped(self, written: Written) -> None:
        """Classes and tasks may be called anything: in text, in attributes and in the contents."""
        material = Material.read("offline", written.root)
        images = material.validation
        assert images is not None
        evil = tuple(f'{EVIL} " & {number}' for number in range(100))
        named = replace(
            material,
            titles={task: f"{title} {EVIL}" for task, title in material.titles.items()},
            validation=replace(images, coarse_names=evil[:20], fine_names=evil),
        )
        text = Page.of(named).html()
        assert "<script" not in text
        reader = Reader(text)
        assert reader.faults == []
        assert f'{EVIL} " & 7' in reader.words
        descriptions = [at["alt"] or "" for at in reader.all("img")]
        assert any(f'{EVIL} " & ' in one for one in descriptions)
        allowed = {"id", "class", "href", "src", "alt", "width", "height", "scope", "colspan", "tabindex"}
        allowed |= {"role", "aria-label", "lang", "charset", "http-equiv", "content", "name"}
        assert {key for _, attributes in reader.elements for key in attributes} == allowed

    def test_contents_and_headings(self, written: Written) -> None:
        """The contents name every section and, within, every network whose confusions are shown."""
        (contents,) = re.findall(r"<nav.*?</nav>", written.text, re.DOTALL)
        entries = re.findall(r'<a href="#(.*?)">(.*?)</a>', contents)
        headings = re.findall(r'<section id="(.*?)">\s*<h[23]>(.*?)</h[23]>', written.text)
        assert entries == headings
        assert ("confusion-alexnet-fine", "AlexNet, fine labels") in headings
        assert [heading for _, heading in headings][:3:2] == [
            "The study&#39;s table beside ours",
            "Confusions",
        ]

    def test_nothing_measured(self, tmp_path: Path) -> None:
        """Where nothing is there, the page says what is missing and which command brings it."""
        root = empty_root(tmp_path / "root")
        path, missing = report.report("cpu", root=root)
        assert len(missing) == 4  # data, runs, thresholds, calibration
        text = path.read_text("utf-8")
        assert "nox -s data" in text
        assert text.count("nox -s reference -- --profile cpu") > 5
        assert "<img" not in text
        assert str(tmp_path) not in text
        assert Reader(text).faults == []

    def test_other_data(self, written: Written, tmp_path: Path) -> None:
        """Answers on other images than those that are here are left out, and it says so."""
        root = tmp_path / "root"
        shutil.copytree(written.root, root)
        folder = root / "reference" / "offline"
        runs = thresholds.load_runs(folder)
        other = runs.conditions.model_copy(update={"pin": "another"})
        thresholds.save_runs(runs.model_copy(update={"conditions": other}), folder)
        material = Material.read("offline", root)
        assert material.groups
        assert material.predictions("alexnet", "fine") is None
        assert material.missing[0].sentence == "the reference runs are of other data."

    @pytest.mark.parametrize("content", ["", "{}", "[]", '{"results": 3}', '{"results": [{}]}'])
    def test_broken_file(self, written: Written, tmp_path: Path, content: str) -> None:
        """A file that cannot be read is a sentence, not a crash."""
        root = tmp_path / "root"
        shutil.copytree(written.root, root)
        (root / "reference" / "offline" / "runs" / "alexnet.json").write_text(content)
        (root / "reference" / "offline" / "calibration.json").write_text(content)
        material = Material.read("offline", root)
        assert [one.sentence.partition(": ")[0].partition(" ")[0] for one in material.missing] == [
            "reference/offline/runs/alexnet.json",
            "calibration.json",
        ]

    def test_wrong_profile(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A profile that is not there is wrong usage, and those that are there are named."""
        assert app.main(["report", "--profile", "none"]) == 2
        assert "offline" in capsys.readouterr().out
        with pytest.raises(UsageError):
            report.report("none")


class TestFigures:
    """figures: what is kept in git."""

    def test_small_plain_and_the_same(self, written: Written) -> None:
        """Figures without photographs, under 150 KB; a second time the same bytes; old ones are gone."""
        old = written.root / "reference" / "offline" / "figures" / "old.png"
        old.parent.mkdir(exist_ok=True)
        old.touch()
        first = {path: path.read_bytes() for path in report.figures("offline", root=written.root)}
        assert not old.exists()
        names = {path.name for path in first}
        assert {"curves-fine.png", "normality.png", "accuracies.csv", "resnet_coarse.csv"} <= names
        assert not [name for name in names if name.startswith("samples")]
        assert max(map(len, first.values())) < 150_000
        again = report.figures("offline", root=written.root)
        assert {path: path.read_bytes() for path in again} == first

    def test_curves(self, written: Written) -> None:
        """Curves are means over seeds, in training and in validation; the grading seed is none of them."""
        plots = dict(committed.plots(Material.read("offline", written.root)))
        rows = list(csv.DictReader(io.StringIO(plots["alexnet_fine.csv"])))
        assert [row["epoch"] for row in rows] == [str(i + 1) for i in range(PROFILE.recipe.epochs)]
        assert float(rows[-1]["train_accuracy"]) == 0.52
        assert float(rows[-1]["validation_accuracy"]) == 0.5
        runs = list(csv.DictReader(io.StringIO(plots["accuracies.csv"])))
        assert len(runs) == 2 * 2 * 5
        assert runs[0]["task"] == "alexnet"

    def test_whole_or_not_at_all(self, written: Written, tmp_path: Path) -> None:
        """Without the images, or without a measurement, what is in git stays as it is."""
        root = empty_root(tmp_path / "root")
        kept = root / "reference" / "cpu" / "figures" / "cost.png"
        kept.parent.mkdir(parents=True)
        kept.touch()
        for profile in ("cpu", "offline"):
            with pytest.raises(ManifestError):
                report.figures(profile, root=root)
        measured = thresholds.load_runs(written.root / "reference" / "offline")
        thresholds.save_runs(measured.model_copy(update={"profile": "cpu"}), root / "reference" / "cpu")
        with pytest.raises(DataError, match="CIFAR-100"):
            report.figures("cpu", root=root)
        assert kept.exists()


class TestWords:
    """How figures are said."""

    def test_mean_and_deviation(self) -> None:
        """The unit stands once; a single value has no spread."""
        assert wording.mean_sd([0.35, 0.37], percent) == "36.0 ± 1.4%"
        assert wording.mean_sd([0.35], percent) == "35.0%"
        assert wording.mean_sd([60, 62], duration) == "61 ± 1 s"
        assert wording.mean_sd([6000, 300], duration) == "52.5 ± 67.2 min"

    def test_seeds(self) -> None:
        """A run of seeds is said by its ends, others one by one."""
        assert wording.seeds([result("fine", seed, 0.5) for seed in (2, 1, 3)]) == "seeds 1 to 3"
        assert wording.seeds([result("fine", seed, 0.5) for seed in (9, 1)]) == "seeds 1 and 9"
        assert wording.seeds([result("fine", 4, 0.5)]) == "seed 4"

    def test_picture_size(self) -> None:
        """Width and height come from the file itself."""
        out = io.BytesIO()
        Image.new("RGB", (31, 17)).save(out, "PNG")
        picture = Picture("p", out.getvalue())
        assert (picture.width, picture.height) == (31, 17)
