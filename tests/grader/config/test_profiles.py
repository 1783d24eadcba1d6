"""params.yaml: what it holds, and what is reported of one that is wrong."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.config import profiles
from grader.config.profiles import Params
from grader.errors import ManifestError, UsageError

ROOT = Path(__file__).resolve().parents[3]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def changed(**changes: Any) -> dict[str, Any]:
    """params.yaml with fields of the profile `cpu` changed; None takes one away."""
    cpu = {key: value for key, value in {**PARAMS["profiles"]["cpu"], **changes}.items() if value is not None}
    return {"profiles": {"cpu": cpu}}


def load(tmp_path: Path, content: object) -> Params:
    path = tmp_path / "params.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return profiles.load(path)


class TestLoad:
    """load."""

    def test_the_real_one(self) -> None:
        """Both profiles are there, under their names, with one recipe for every task."""
        params = profiles.load(ROOT / "params.yaml")
        assert set(params.profiles) >= {"offline", "cpu"}
        cpu = params.profile("cpu")
        assert (cpu.name, cpu.provisional, params.profile("offline").provisional) == ("cpu", False, True)
        assert cpu.recipe.epochs * (cpu.train // cpu.recipe.batch) > 100
        assert isinstance(cpu.builders["resnet"]["blocks"], tuple)

    def test_gpu(self) -> None:
        """The profiles for a GPU train whole networks on all of CIFAR-100 but what they are validated on."""
        params = profiles.load(ROOT / "params.yaml")
        for name in ("gpu", "gpu-full"):
            profile = params.profile(name)
            assert (profile.device, profile.data) == ("gpu", "cifar-100")
            assert (profile.train, profile.hidden, profile.validation) == (49_000, 10_000, 1000)
            assert profile.recipe.precision == "mixed_bfloat16"
            assert profile.builders["wide_resnet"] == {"depth": 20, "width": 10}
            assert profile.budget.parameters > 26_808_692
        assert params.profile("cpu").device == "cpu"

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"recipe": {**PARAMS["profiles"]["cpu"]["recipe"], "epochs": "many"}},
                "profiles.cpu.recipe.epochs",
            ),
            (
                {"recipe": {**PARAMS["profiles"]["cpu"]["recipe"], "batch": 100_000}},
                "profiles.cpu.recipe.batch",
            ),
            ({"recipe": {**PARAMS["profiles"]["cpu"]["recipe"], "epoch": 4}}, "profiles.cpu.recipe.epoch"),
            (
                {"recipe": {**PARAMS["profiles"]["cpu"]["recipe"], "batch": 4096}, "train": 1000},
                "images to train on",
            ),
            ({"train": 8050}, "profiles.cpu.train"),
            ({"hidden": None}, "profiles.cpu.hidden"),
            ({"data": "mnist"}, "profiles.cpu.data"),
            ({"reference_seeds": [1, 2, 3, 4]}, "profiles.cpu.reference_seeds"),
            ({"reference_seeds": [1, 2, 3, 4, 4]}, "a seed is twice"),
            ({"grading_seed": 3}, "grading_seed 3 is one of reference_seeds"),
            ({"extra_seeds": None}, "profiles.cpu.extra_seeds"),
            ({"extra_seeds": [101, 102, 103]}, "profiles.cpu.extra_seeds"),
            ({"extra_seeds": [101, 101]}, "extra_seeds are two fresh ones"),
            ({"extra_seeds": [0, 101]}, "extra_seeds are two fresh ones"),
            ({"extra_seeds": [101, 3]}, "extra_seeds are two fresh ones"),
            ({"builders": {"resnet": {"blocks": "many"}}}, "profiles.cpu.builders.resnet.blocks"),
            ({"budget": {"parameters": 1}}, "profiles.cpu.budget"),
            ({"validation": 150}, "profiles.cpu.validation"),
            ({"backend": "torch"}, "profiles.cpu.backend"),
        ],
    )
    def test_names_place_and_fault(self, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
        """A value that is wrong is named by file and place, in one line."""
        with pytest.raises(ManifestError) as caught:
            load(tmp_path, changed(**changes))
        assert message in caught.value.message
        assert "params.yaml" in caught.value.message
        assert "\n" not in caught.value.message

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "[]",
            "profiles: 3",
            "profiles: {}",
            "profiles: {cpu: 3}",
            "profiles: [",
            "\t",
            "a: 1\na: 2",
            "{[]: 1}",
        ],
    )
    def test_not_even_close(self, tmp_path: Path, content: str) -> None:
        """Whatever the file holds, the error is a ManifestError with one line."""
        with pytest.raises(ManifestError) as caught:
            load(tmp_path, content)
        assert "\n" not in caught.value.message

    def test_key_twice(self, tmp_path: Path) -> None:
        """YAML would silently keep the second."""
        line = f"    train: {PARAMS['profiles']['cpu']['train']}\n"
        text = yaml.safe_dump(changed()).replace(line, f"{line}    train: 9000\n")
        with pytest.raises(ManifestError, match="'train' is there twice"):
            load(tmp_path, text)

    def test_missing(self, tmp_path: Path) -> None:
        """A file that is not there is named."""
        with pytest.raises(ManifestError, match=r"params\.yaml cannot be read"):
            profiles.load(tmp_path / "params.yaml")

    def test_not_utf8(self, tmp_path: Path) -> None:
        """A file in another encoding is named."""
        (tmp_path / "params.yaml").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ManifestError, match="UTF-8"):
            profiles.load(tmp_path / "params.yaml")


class TestProfile:
    """Params.profile."""

    def test_unknown(self) -> None:
        """An unknown profile is wrong usage, and the known ones are listed."""
        with pytest.raises(UsageError) as caught:
            profiles.load(ROOT / "params.yaml").profile("gpu9")
        assert "cpu" in caught.value.fix
