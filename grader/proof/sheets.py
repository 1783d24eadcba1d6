"""Sheets for people who rate the mutants of the bank, and what they write down.

A folder of sheets holds all that a rater is given:

    instructions_<n>.md      what to do: bank/ratings.md has it, word for word
    brief.md                 what students get, without points and without how it is marked
    <task>_right.py          a right answer
    <task>_sheet<n>.md       its mistakes, for rater n in an order of its own: each as a name and a difference

A mistake is called by its task and the digest of its change, so that what comes back is of that mistake or of
none, whatever has become of the bank in between.
"""

import csv
import difflib
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.config.manifest import Manifest, Task
from grader.errors import ManifestError, UsageError
from grader.proof import bank, ratings
from grader.proof.bank import Mutant
from grader.proof.ratings import HALVES, RATERS, Key, Rating
from lab.files import write_atomically

ABOUT = Path("bank") / "ratings.md"
BEGIN, END = "<!-- the instructions -->", "<!-- end of the instructions -->"
LONGEST_REASON = 200


def mutants(root: Path, tasks: Manifest) -> dict[Key, Mutant]:
    """All mutants of these tasks, in the order of the bank.

    Raises:
        ManifestError: as of bank.mutants; or two mutants of a task have one change.
    """
    found: dict[Key, Mutant] = {}
    for task in tasks.tasks:
        names: dict[str, str] = {}
        for mutant in bank.mutants(root, task):
            twin = names.setdefault(ratings.change_digest(mutant), mutant.name)
            if twin != mutant.name:
                raise ManifestError(f"bank/{task.id}: {twin!r} and {mutant.name!r} are the same change")
            found[task.id, mutant.name] = mutant
    return found


def write(root: Path, tasks: Manifest, folder: Path, *, unrated: bool = False) -> int:
    """Writes the sheets.

    Args:
        root: the checkout.
        tasks: those whose mutants are to be rated.
        folder: where to; it must be empty or not be there.
        unrated: only mutants without a rating of what they are now.

    Returns:
        The number of mutants on each rater's sheets.

    Raises:
        UsageError: there is something in the folder, or nothing to rate.
        ManifestError: the bank, the brief or the instructions are not as they must be.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty", fix="Name a folder that is not there yet")
    wanted = mutants(root, tasks)
    if unrated:
        open_ones = set(ratings.beside(ratings.load(root / ratings.RATINGS), wanted).unrated)
        wanted = {key: mutant for key, mutant in wanted.items() if key in open_ones}
    if not wanted:
        raise UsageError("there is nothing to rate: all mutants have ratings of what they are now")
    asked = instructions(root)
    write_atomically(folder / "brief.md", brief((root / "assignment" / "README.md").read_text("utf-8")))
    for task in tasks.tasks:
        own = [mutant for (of, _), mutant in wanted.items() if of == task.id]
        if not own:
            continue
        solution = (root / "solutions" / task.module).read_text("utf-8")
        write_atomically(folder / f"{task.id}_right.py", _clean(solution))
        for rater in range(1, RATERS + 1):
            write_atomically(folder / f"{task.id}_sheet{rater}.md", sheet(task, solution, own, rater))
    for rater in range(1, RATERS + 1):
        text = asked.replace("{R}", str(rater)).replace("{FOLDER}", folder.absolute().as_posix())
        write_atomically(folder / f"instructions_{rater}.md", text.replace("{KIT}", root.as_posix()))
    return len(wanted)


def instructions(root: Path) -> str:
    """What a rater is asked to do, from bank/ratings.md. There {R} stands for the rater's number, {FOLDER}
    for the folder of the sheets and {KIT} for the checkout.

    Raises:
        ManifestError: they are not there.
    """
    path = root / ABOUT
    try:
        text = path.read_text(encoding="utf-8")
        quoted = text.split(BEGIN)[1].split(END)[0].strip().splitlines()
    except (OSError, IndexError) as error:
        raise ManifestError(f"{path} has no instructions between {BEGIN} and {END}") from error
    return "\n".join(line.removeprefix(">").removeprefix(" ") for line in quoted) + "\n"


def brief(text: str) -> str:
    """What students get, without points and without how it is marked: ratings must not follow from them.

    Raises:
        ManifestError: points are left in it, since it has been written otherwise than it was.
    """
    text = re.sub(r"## How it is marked.*?(?=^## )", "", text, flags=re.S | re.M)
    text = re.sub(r"^\| file \| functions \| points \|.*?\n\n", "", text, flags=re.S | re.M)
    text = re.sub(r"is marked\s+separately, so a mistake[^.]*\.", "is marked\nseparately.", text)
    if left := re.search(r"^.*\b(points?|marking\.toml|tasks\.toml)\b.*$", text, flags=re.M):
        raise ManifestError(
            f"assignment/README.md says how it is marked outside of that section: {left[0].strip()!r}",
            fix="Leave it out of what raters read, in grader/proof/sheets.py",
        )
    return text


def sheet(task: Task, solution: str, mutants: Sequence[Mutant], rater: int) -> str:
    """The mistakes of a task for one rater, each as a name and a difference from the right file."""
    order = list(mutants)
    # The orders that the raters of bank/ratings.md had; nothing is secret about them.
    random.Random(100 * rater + len(task.id)).shuffle(order)  # noqa: S311
    right = _without_docstrings(_clean(solution)).splitlines()
    lines = [f"# {task.module}: {len(order)} single mistakes, each in an otherwise right file\n"]
    for mutant in order:
        wrong = _without_docstrings(_clean(bank.changed(solution, mutant))).splitlines()
        difference = "\n".join([*difflib.unified_diff(right, wrong, lineterm="", n=2)][2:])
        name = f"{task.id}-{ratings.change_digest(mutant)}"
        lines.append(f"## {name}: {mutant.name}\n\n```diff\n{difference}\n```\n")
    return "\n".join(lines)


def take(root: Path, tasks: Manifest, files: Sequence[Path]) -> tuple[Rating, ...]:
    """The ratings of the bank with what raters have written down, in the order of the bank.

    What is rated already and not in the files is kept, stale or not; what is in them counts in its place.

    Args:
        root: the checkout.
        tasks: all of them.
        files: one for each rater, with a line `id,share,reason` for each mistake.

    Raises:
        UsageError: a file cannot be read, rates what is not in the bank, rates a mistake twice, or says no
            share of 0 to 100; or the files do not rate the same mistakes.
    """
    if len(files) != RATERS:
        raise UsageError(f"there must be {RATERS} files, one for each rater. Received: {len(files)}")
    said = [_read(path) for path in files]
    for path, own in zip(files[1:], said[1:], strict=True):
        if lacking := said[0].keys() ^ own.keys():
            one = min(lacking)
            there, not_there = (files[0], path) if one in said[0] else (path, files[0])
            raise UsageError(f"{one} is rated in {there} and not in {not_there}")
    wanted = mutants(root, tasks)
    names = {f"{key[0]}-{ratings.change_digest(mutant)}": key for key, mutant in wanted.items()}
    if unknown := [one for one in said[0] if one not in names]:
        raise UsageError(
            f"{files[0]} rates {unknown[0]}, which is not in the bank, or not any more",
            fix="The names are those of the sheets: nox -s ratings -- --sheets FOLDER",
        )
    earlier = {one.key: one for one in ratings.load(root / ratings.RATINGS)}
    halves = _halves(wanted)
    found = dict(earlier)
    for one, key in names.items():
        if one not in said[0]:
            continue
        found[key] = Rating(
            task=key[0],
            mutant=key[1],
            change=one.rpartition("-")[2],
            half=earlier[key].half if key in earlier else halves[key],
            shares=tuple(own[one][0] for own in said),
            reasons=tuple(own[one][1] for own in said),
        )
    places = {key: place for place, key in enumerate(wanted)}
    return tuple(sorted(found.values(), key=lambda one: places.get(one.key, len(places))))


def _read(path: Path) -> dict[str, tuple[float, str]]:
    """What one rater says: share and reason by the name of the mistake."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [*csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    found: dict[str, tuple[float, str]] = {}
    for row in rows:
        name = (row.get("id") or "").strip()
        try:
            share = float(row.get("share") or "")
        except ValueError:
            share = -1.0
        if not name or not 0 <= share <= 100:
            raise UsageError(
                f"{path}: a line `id,share,reason` with a share of 0 to 100 is expected. Received: "
                + ",".join(str(value) for value in row.values())[:80]
            )
        if name in found:
            raise UsageError(f"{path} rates {name} twice")
        found[name] = share, " ".join((row.get("reason") or "").split())[:LONGEST_REASON]
    if not found:
        raise UsageError(f"{path} rates nothing: it must begin with the line id,share,reason")
    return found


def _halves(wanted: Mapping[Key, Mutant]) -> dict[Key, str]:
    """Whether each mutant stands at an odd or an even place of its file, counted from 1."""
    places: dict[str, int] = {}
    found = {}
    for key in wanted:
        found[key] = HALVES[places.setdefault(key[0], 0) % 2]
        places[key[0]] += 1
    return found


def _clean(source: str) -> str:
    """A solution without the marks that stubs are made by."""
    return re.sub(r"^ *# (BEGIN|END) SOLUTION\n", "", source, flags=re.M)


def _without_docstrings(source: str) -> str:
    """A module without its functions' docstrings: a mutant's code has none, and none of them is a mistake."""
    return re.sub(r'\n    """.*?"""(?=\n)', "", source, flags=re.S)
