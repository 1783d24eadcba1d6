"""The versions of the code that the stages of dvc.yaml run, each guarded by a fingerprint of that code.

A stage depends on a version, a whole number beside the code it is about, and not on files of sources: a
comment, a docstring or a moved function has nothing run again. What keeps a changed computation from hiding
behind an old version is reference/versions.json, where each version stands beside the fingerprint of the code
it was given to. A test fails where the fingerprint has changed and the version has not. Then:

- If results can change, raise the version and run `python -m grader.reference versions`.
- If they provably cannot, say so: `python -m grader.reference versions --same-results NAME`.

GROUPS is the table of what each version is about. Only the standard library is imported.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from grader.errors import ManifestError, UsageError
from grader.reference import fingerprints
from lab.files import write_atomically

COMMAND = "python -m grader.reference versions"


@dataclass(frozen=True)
class Group:
    """The code that one version is about.

    Attributes:
        version: where the version is, "file:NAME".
        members: whole files, and "file:name,name" for some definitions of one. It does not matter in which
            file a definition is, so long as this finds it.
        without: definitions of those files that compute no result.
    """

    version: str
    members: tuple[str, ...]
    without: tuple[str, ...] = ()


# Not in the table: what checks the data against their pins, and what reads params.yaml. The pins and the
# values are dependencies themselves.
GROUPS = {
    # The result of a training, given its network, images, recipe, seed and engine. Part of its digest.
    "training": Group(
        "lab/training.py:VERSION",
        (
            "lab/training.py",
            "lab/checkpoints.py",
            "lab/metrics.py",
            "lab/data.py:DataSet,read",
            "grader/blueprint/normalising.py",
            "grader/blueprint/rebuilding.py",
            "grader/config/profiles.py:CLASSES",
            "grader/training/child.py:perform,_Images,_load,_load_prepared,_course,_hidden",
            "grader/training/handed.py",
            "grader/training/executors.py:child_environment",
        ),
    ),
    # The pictures of the embedded set.
    "synthetic": Group("lab/synthetic.py:VERSION", ("lab/synthetic.py",)),
    # The canonical form of a network, and which networks have one. Part of a network's digest.
    "blueprint": Group(
        "grader/blueprint/network.py:FORMAT",
        ("grader/blueprint/allowlist.py", "grader/blueprint/network.py", "grader/blueprint/reading.py"),
    ),
    # How a solution is called and what is written down of what it builds: networks/<task>.json.
    "describe": Group(
        "grader/reference/solutions.py:VERSION",
        (
            *(
                f"grader/blueprint/forms/{name}.py"
                for name in (
                    "bounds",
                    "channels",
                    "editing",
                    "form",
                    "numbers",
                    "rules",
                    "starts",
                    "structure",
                )
            ),
            "grader/sandbox/guest/describe.py",
            "grader/sandbox/guest/harness.py:Calls,fresh",
            "grader/reference/solutions.py",
            "grader/tasks/alexnet/probe.py:_TRAINED,arguments,probe",
            "grader/tasks/resnet/probe.py:_TRAINED,arguments,probe",
            "grader/tasks/wide_resnet/probe.py:_TRAINED,arguments,probe",
        ),
        without=("grader/reference/solutions.py:load,_LIMITS",),
    ),
    # Which trainings a profile has, and what is kept of them: runs/<task>.json.
    "runs": Group(
        "grader/reference/matrix.py:VERSION",
        (
            "grader/reference/matrix.py:Cells,Key,measure,seeds,_digest",
            "grader/thresholds/runs.py:ReferenceRun,Runs,save_runs",
            "grader/training/job.py:Conditions,DIGEST_VERSION,Job,Result,_sha256",
        ),
    ),
    # From runs to thresholds.json, calibration.json and metrics/.
    "thresholds": Group(
        "grader/thresholds/model.py:VERSION",
        (
            *(f"grader/thresholds/{name}.py" for name in ("calibration", "files", "known", "model", "runs")),
            "grader/reference/metrics.py",
        ),
        without=(
            "grader/thresholds/known.py:Known",
            "grader/thresholds/model.py:fraction,load",
            "grader/thresholds/files.py:rerun",
            "grader/reference/metrics.py:table",
        ),
    ),
    # figures/ and plots/ of a profile.
    "figures": Group(
        "grader/reference/report/committed.py:VERSION",
        (
            *(
                f"grader/reference/figures/{name}.py"
                for name in (
                    "confusion",
                    "cost",
                    "curves",
                    "quantiles",
                    "samples",
                    "seeds",
                    "style",
                    "superclasses",
                )
            ),
            *(
                f"grader/reference/report/{name}.py"
                for name in ("committed", "confusions", "cost", "curves", "material", "normality", "picture")
            ),
            *(f"grader/reference/report/{name}.py" for name in ("seeds", "superclasses", "wording")),
            "grader/web/filters.py:listed,percent,readable,sentence",
        ),
    ),
    # What is kept of a training of the study: reference/study/cells/.
    "study": Group(
        "grader/reference/study/results.py:VERSION",
        ("grader/reference/study/cells.py:cells,Cell", "grader/reference/study/results.py"),
        without=("grader/reference/study/results.py:load,path",),
    ),
    # The ResNet that would not learn: what is measured, in eight minutes; below, how it is drawn.
    "failure": Group(
        "grader/reference/failure.py:VERSION",
        ("grader/reference/failure.py", "lab/data.py:DataSet,read", "grader/diagnosis/trial.py"),
        without=("grader/reference/failure.py:load,table",),
    ),
    "failure_figures": Group(
        "grader/reference/failure_figures.py:VERSION",
        ("grader/reference/failure.py:title", "grader/reference/failure_figures.py"),
    ),
}


@dataclass(frozen=True)
class Version:
    """One version and the code it is about.

    Attributes:
        version: the number.
        fingerprint: of the code.
    """

    version: int
    fingerprint: str


def path(root: Path) -> Path:
    """Where the record is."""
    return root / "reference" / "versions.json"


def current(root: Path) -> dict[str, Version]:
    """The versions and fingerprints of the code as it is now.

    Raises:
        ManifestError: GROUPS names a file or a definition that is not there.
    """
    sources = _Sources(root)
    constants = {group.version for group in GROUPS.values()}
    return {
        name: Version(sources.version(group.version), sources.fingerprint(group, constants))
        for name, group in GROUPS.items()
    }


def recorded(root: Path) -> dict[str, Version]:
    """What reference/versions.json says; nothing if it is not there."""
    try:
        content = json.loads(path(root).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {name: Version(**entry) for name, entry in content.items()}


def unversioned(before: dict[str, Version], now: dict[str, Version]) -> dict[str, str]:
    """The groups whose code has changed under an old version, each with a sentence on what to do."""
    faults = {}
    for name, new in now.items():
        old = before.get(name)
        if old is None:
            continue
        file, _, constant = GROUPS[name].version.partition(":")
        if new.version < old.version:
            faults[name] = (
                f"{constant} in {file} is {new.version}, and there was a version {old.version}. Versions "
                "only rise: one number must never stand for two computations. "
                f"Raise it to {old.version + 1}."
            )
        elif new.version == old.version and new.fingerprint != old.fingerprint:
            faults[name] = (
                f"The code of {name!r} has changed and its version has not "
                f"({', '.join(GROUPS[name].members)}). "
                f"If results can change, raise {constant} in {file} and run: {COMMAND}. "
                f"If they provably cannot, record the new fingerprint: {COMMAND} --same-results {name}"
            )
    return faults


def update(root: Path, same_results: Sequence[str] = ()) -> list[str]:
    """Writes reference/versions.json; returns a line on each version that changed.

    Args:
        root: the checkout.
        same_results: groups whose code has changed in a way that provably changes no result.

    Raises:
        UsageError: there is no such group.
        ManifestError: other groups have changed under an old version; nothing is written.
    """
    for name in same_results:
        if name not in GROUPS:
            raise UsageError(f"no version is called {name!r}", fix=f"They are: {', '.join(GROUPS)}")
    before, now = recorded(root), current(root)
    faults = unversioned(before, now)
    excused = {n for n in same_results if n in before and now[n].version == before[n].version}
    if refused := [sentence for name, sentence in faults.items() if name not in excused]:
        raise ManifestError("\n".join(refused))
    if before != now:
        content = {name: asdict(one) for name, one in sorted(now.items())}
        write_atomically(path(root), json.dumps(content, indent=1) + "\n")
    return list(_changes(before, now))


def _changes(before: dict[str, Version], now: dict[str, Version]) -> Iterator[str]:
    for name, new in now.items():
        old = before.get(name)
        if old is None:
            yield f"{name}: version {new.version}, new"
        elif old.version != new.version:
            yield f"{name}: version {new.version}, was {old.version}"
        elif old != new:
            yield f"{name}: version {new.version} still, with another fingerprint"
    yield from (f"{name}: no longer there" for name in before if name not in now)


class _Sources:
    """The files that GROUPS names, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[str, str] = {}
        self._definitions: dict[str, dict[str, str]] = {}

    def version(self, where: str) -> int:
        file, _, name = where.partition(":")
        found = fingerprints.constant(self._text(file), name)
        if found is None:
            raise _lacking(file, name)
        return found

    def fingerprint(self, group: Group, constants: set[str]) -> str:
        """Of its definitions; versions themselves are no part of it."""
        without = {*constants, *(one for member in group.without for one in self._named(member))}
        found = {one: code for member in group.members for one, code in self._member(member).items()}
        return fingerprints.combined(
            (one.partition(":")[2], code) for one, code in found.items() if one not in without
        )

    def _member(self, member: str) -> dict[str, str]:
        """Fingerprints by "file:definition"."""
        file, _, names = member.partition(":")
        if names:
            return {one: self._of(file)[one.partition(":")[2]] for one in self._named(member)}
        return {f"{file}:{definition}": code for definition, code in self._of(file).items()}

    def _named(self, member: str) -> list[str]:
        """ "file:definition" for each name in "file:name,name"."""
        file, _, names = member.partition(":")
        holders = {name: one for one in self._of(file) for name in fingerprints.names(one)}
        for name in names.split(","):
            if name not in holders:
                raise _lacking(file, name)
        return [f"{file}:{holders[name]}" for name in names.split(",")]

    def _of(self, file: str) -> dict[str, str]:
        if file not in self._definitions:
            self._definitions[file] = fingerprints.definitions(self._text(file), self._is_ours)
        return self._definitions[file]

    def _text(self, file: str) -> str:
        if file not in self._texts:
            try:
                self._texts[file] = (self._root / file).read_text(encoding="utf-8")
            except OSError as error:
                raise _lacking(file) from error
        return self._texts[file]

    def _is_ours(self, name: str) -> bool:
        parts = name.split(".")
        place = self._root.joinpath(*parts)
        return parts[0] in ("grader", "lab") and (place.is_dir() or place.with_suffix(".py").is_file())


def _lacking(file: str, name: str = "") -> ManifestError:
    what = f"{file} has no {name}" if name else f"there is no {file}"
    return ManifestError(
        f"{what}, which GROUPS of grader/reference/versions.py names", fix="Name it where it is now."
    )
