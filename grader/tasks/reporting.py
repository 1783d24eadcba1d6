"""The verdict on a network that differs from what is wanted: in words, with a line of code and a drawing."""

from collections.abc import Callable, Collection, Iterable, Sequence

from grader.grading.evidence import Network
from grader.grading.judging import Case
from grader.results.record import Drawing, DrawnRow, Status
from grader.results.verdict import Verdict
from grader.tasks.differences import Difference, blocks, holds, places, rule_of
from grader.tasks.paths import Join, Step
from grader.tasks.wanted import Fork, Want
from grader.tasks.wording import setting

_DEFAULT = " With explicit arguments it is right, so look at the default values."
_WHOLE = 12  # a path of so many steps is drawn whole
_AROUND = 3  # of longer ones, so many before and after the one that differs
_REPEATED = "The network has the same fault as a block on its own, which is reported above."


def first_reported(
    case: Case,
    names: Sequence[str],
    differences: Callable[[str], Iterable[Difference]],
    kinds: Collection[str],
    *,
    of_defaults: Collection[str],
    wanted: Callable[[str], Iterable[Want | Fork]],
    charged: str = "",
    repeats: Callable[[Difference], bool] = lambda difference: False,
) -> Verdict | None:
    """The verdict on the first difference of these kinds in any of the networks; None if there is none.

    It is blocked, and no failure of its own, if all of them have been reported before.

    Args:
        case: with the networks.
        names: of the calls that gave them.
        differences: all of one network.
        kinds: those that are reported.
        of_defaults: those that an argument decides: where the network of the defaults alone has one of these,
            it is a default value that is wrong.
        wanted: what a call should have built.
        charged: the rule, as in `charge`; without it, it follows from the differences.
        repeats: whether an earlier check has reported this difference.
    """
    repeated = False
    for name in names:
        for difference in differences(name):
            if difference.kind in kinds and repeats(difference):
                repeated = True
            elif difference.kind in kinds:
                others = [other for other in names if other != "default"]
                only_default = (
                    name == "default"
                    and difference.kind in of_defaults
                    and bool(others)
                    and not any(one.kind == difference.kind for other in others for one in differences(other))
                )
                alike = [one for one in differences(name) if one.kind in kinds and not repeats(one)]
                whole = list(wanted(name))
                number_differs = any(one.rule == "argument" for one in differences(name))
                rule = _charged(
                    alike, whole, kinds, charged, only_default=only_default, number_differs=number_differs
                )
                by_default = name == "default" or "default" not in names
                right_there = not by_default and not any(one.kind in kinds for one in differences("default"))
                if right_there and not charged:
                    rule = "argument"  # one that is not used as it should be
                return reported(case, name, difference, only_default=only_default, rule=rule)
    return Verdict(status=Status.BLOCKED, message=_REPEATED) if repeated else None


def _charged(
    alike: Sequence[Difference],
    whole: Sequence[Want | Fork],
    kinds: Collection[str],
    charged: str,
    *,
    only_default: bool,
    number_differs: bool,
) -> str:
    """The rule for differences of one network: what is wrong in every block is one fault of the block."""
    of_block, count = alike[0].place, blocks(whole)
    wanted = places(whole, kinds)
    if not of_block or charged or only_default:
        return charge(alike, max(wanted, count), charged, only_default=only_default)
    first = [one for one in alike if one.place == of_block]
    rule = charge(first, round(wanted / count), only_default=only_default)
    # What is wrong in some of the blocks alone is no fault of the block, if all blocks are there.
    some = 2 * len({one.place for one in alike}) <= count and not number_differs
    return "layer" if some and first[0].rule == rule != "weights" else rule


def charge(
    differences: Sequence[Difference], wanted: int, charged: str = "", *, only_default: bool = False
) -> str:
    """The rule of marking.toml for a check that fails with these differences in one network.

    Args:
        differences: of the check's kinds; at least one.
        wanted: in how many places something of these kinds is wanted.
        charged: the rule; but an argument that is wrong in a few places alone is charged as a setting.
        only_default: whether it is a default value that is wrong.
    """
    if only_default:
        return "default"
    if not charged:
        return rule_of(differences, wanted)
    return "setting" if charged == "argument" and 2 * len(differences) <= wanted else charged


def reported(
    case: Case, name: str, difference: Difference, *, only_default: bool = False, rule: str = ""
) -> Verdict:
    """The verdict on a network with this difference: in words, with the student's own line and a drawing.

    Args:
        case: with the network.
        name: of the call that gave it.
        difference: the one that explains it.
        only_default: whether calls with arguments are right, so that a default value is to blame.
        rule: by which it is charged; empty for the check's own.
    """
    call = case.call(name)
    network = call.value
    made_at = network.made_at.get(difference.layer, "") if isinstance(network, Network) else ""
    where = f" ({made_at})" if made_at else ""
    beside = difference.beside
    first, last = max(0, difference.row - _AROUND), difference.row + _AROUND + 1
    if len(beside) <= _WHOLE:
        first, last = 0, len(beside)
    rows = tuple(_drawn(step, want) for step, want in beside[first:last])
    cut = (first > 0, last < len(beside))
    return Verdict(
        status=Status.FAILED,
        message=f"{call}: {difference}{where}.{_DEFAULT if only_default else ''}",
        drawing=Drawing(title=str(call), rows=rows, cut=cut) if rows else None,
        rule=rule,
    )


def _drawn(step: Step | Join | None, want: Want | None) -> DrawnRow:
    found, wanted = str(step or ""), str(want or "")
    if step is None or want is None or step.op != want.op:
        return DrawnRow(found=found, wanted=wanted, differs=True)
    wrong = [
        name
        for name, value in want.settings.items()
        if isinstance(step, Step) and not holds(step, name, value)
    ]
    if found == wanted and isinstance(step, Step):  # what differs is in none of the words
        found += "".join(f", {setting(name, step.node.settings[name])}" for name in wrong)
        wanted += "".join(f", {setting(name, want.settings[name])}" for name in wrong)
    return DrawnRow(found=found, wanted=wanted, differs=bool(wrong))
