"""Writes what is open into the brief and into docs/training-form.md, from grader/blueprint/forms/.

    python docs/training_form.py             both lists, anew
    python docs/training_form.py --check     changes nothing; 1 if they are not what the rules say

The brief is solutions/README.md; `nox -s stubs` takes it to the students. What the decrees come to in
accuracy is read from reference/decrees.json, if it is there:

    {"effects": [{"rule": "L2", "variant": "L2 of 0.001", "inside": true, "task": "alexnet",
                  "labels": "coarse", "mean": 0.289, "sd": 0.006, "n": 20, "mean_of_solution": 0.29}]}

with accuracies from 0 to 1 of n trainings of the variant, as it was written, and of the solution.
"""

import json
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grader.blueprint import RULES, Rule  # noqa: E402  the checkout is not installed

BRIEF, PAGE, EFFECTS = (
    ROOT / "solutions" / "README.md",
    ROOT / "docs" / "training-form.md",
    ROOT / "reference" / "decrees.json",
)
END = "<!-- end of it -->"
_TESTS = {
    "exact": "`test_forms_exact.py`: `TestExact`; `test_forms.py`: `TestExactly`",
    "in distribution": "`test_forms_exact.py`: `TestInDistribution`; `test_forms.py`: `TestExactly`",
    "decree": "`test_forms.py`: `TestDecrees`",
}
_OTHER_TESTS = {"momentum": "`test_forms_exact.py`: `TestMomentum`"}
_TASKS, _LABELS = ("alexnet", "resnet", "wide_resnet"), ("coarse", "fine")


@dataclass(frozen=True)
class Effect:
    """What a choice comes to where it is trained as it was written.

    Attributes:
        rule: whose decree takes it for the course's own choice.
        variant: the choice.
        inside: whether it is within the bounds.
        task: the network's.
        labels: "coarse" or "fine".
        mean: accuracy, 0 to 1.
        sd: its standard deviation between trainings.
        n: how many there were.
        mean_of_solution: the accuracy of the course's own choice.
    """

    rule: str
    variant: str
    inside: bool
    task: str
    labels: str
    mean: float
    sd: float
    n: int
    mean_of_solution: float

    @property
    def points(self) -> float:
        """How many points of accuracy it gains."""
        return 100 * (self.mean - self.mean_of_solution)


def measured(path: Path = EFFECTS) -> list[Effect]:
    """The effects that were measured; none if none were."""
    if not path.exists():
        return []
    return [Effect(**record) for record in json.loads(path.read_text(encoding="utf-8"))["effects"]]


def brief() -> str:
    """What is open in networks, as a list."""
    items = [rule.open for rule in RULES if rule.open]
    ends = [";"] * (len(items) - 1) + ["."]
    return "\n".join(
        textwrap.fill(
            f"{item}{end}", 110, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
        for item, end in zip(items, ends, strict=True)
    )


def rules(effects: Sequence[Effect]) -> str:
    """All rules as a table."""
    rows = [
        "| rule | kind | open | trained in its place | why | tests | measured effect |",
        "|---|---|---|---|---|---|---|",
    ]
    for rule in RULES:
        tests = _OTHER_TESTS.get(rule.id, _TESTS[rule.kind])
        cells = (rule.id, rule.kind, rule.open or "–", rule.trained, rule.why, tests, _effect(rule, effects))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def variants(effects: Sequence[Effect]) -> str:
    """Every choice that was trained as it was written, in points of accuracy beside the course's own."""
    if not effects:
        return "Nothing has been measured yet."
    cells = [(task, labels) for task in _TASKS for labels in _LABELS]
    rows = [
        f"| rule | choice | within the bounds | {' | '.join(map(', '.join, cells))} |",
        "|---|---|---|" + "---|" * len(cells),
    ]
    found: dict[tuple[str, str, bool], dict[tuple[str, str], Effect]] = {}
    for one in effects:
        found.setdefault((one.rule, one.variant, one.inside), {})[one.task, one.labels] = one
    places = {rule.id: place for place, rule in enumerate(RULES)}
    for (rule, variant, inside), by_cell in sorted(
        found.items(), key=lambda item: (places[item[0][0]], not item[0][2])
    ):
        numbers = [f"{by_cell[cell].points:+.1f}" if cell in by_cell else "–" for cell in cells]
        rows.append(f"| {rule} | {variant} | {'yes' if inside else 'no'} | {' | '.join(numbers)} |")
    counts = sorted({one.n for one in effects})
    runs = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return "\n".join(rows) + f"\n\nMeans of {runs} trainings each."


def _effect(rule: Rule, effects: Iterable[Effect]) -> str:
    if rule.kind != "decree":
        return "none, by proof" if rule.kind == "exact" else "none on average"
    points = [one.points for one in effects if one.rule == rule.id and one.inside]
    if not points:
        return "not measured yet"
    return f"{min(points):+.1f} to {max(points):+.1f} points"


def put(text: str, name: str, inside: str) -> str:
    """A text with something else between two marks."""
    begin = f"<!-- {name}: written by docs/training_form.py -->"
    before, found, rest = text.partition(begin)
    if not found or END not in rest:
        raise SystemExit(f"the marks {begin!r} and {END!r} are gone")
    return f"{before}{begin}\n\n{inside}\n\n{END}{rest.partition(END)[2]}"


def main(arguments: Sequence[str]) -> int:
    """Writes both files, or compares them; 1 if they are not what the rules say."""
    effects = measured()
    page = put(PAGE.read_text(encoding="utf-8"), "rules", rules(effects))
    written = {
        BRIEF: put(BRIEF.read_text(encoding="utf-8"), "open in networks", brief()),
        PAGE: put(page, "variants", variants(effects)),
    }
    stale = [path for path, text in written.items() if path.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" not in arguments:
            path.write_text(written[path], encoding="utf-8")
        verb = (
            "differs from the rules: run python docs/training_form.py"
            if "--check" in arguments
            else "written"
        )
        print(f"{path.relative_to(ROOT)} {verb}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
