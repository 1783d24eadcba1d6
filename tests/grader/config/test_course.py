"""course.toml: what is read, and that every fault is refused with its line, its value and what is allowed."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from grader.config import course as config
from grader.config import course_values as values
from grader.config.course import Course, Late
from grader.config.course_values import Duration
from grader.errors import UsageError

TASKS = {"alexnet": 35.0, "resnet": 35.0, "evaluation": 15.0}
BERLIN = ZoneInfo("Europe/Berlin")
TOML = """\
due = 2026-11-20T23:59:00
timezone = "Europe/Berlin"
points = 50

[late]
grace = "15 min"
share_a_day = "12.5%"
cut_off = 2026-12-01T12:00:00+01:00

[tasks]
resnet = "60%"
alexnet = "40%"

[extensions]
"ada@example.org" = "1 day 12 h"
77 = 2026-11-25T12:00:00
"""


def load(folder: Path, text: str) -> Course:
    """The file read."""
    (folder / config.FILE).write_text(text, encoding="utf-8")
    return config.load(folder / config.FILE, list(TASKS))


class TestLoad:
    def test_all_of_it(self, tmp_path: Path) -> None:
        course = load(tmp_path, TOML)
        due = datetime(2026, 11, 20, 22, 59, tzinfo=UTC)
        assert course.due_at == due
        assert course.late.share_a_day == Decimal("0.125")
        assert course.late.grace == Duration(seconds=900)
        assert course.worth(TASKS) == {"alexnet": 20, "resnet": 30}
        assert list(course.worth(TASKS)) == ["alexnet", "resnet"]  # in the manifest's order
        assert {name: course.extended(until) for name, until in course.extensions.items()} == {
            "ada@example.org": due + timedelta(hours=36),
            "77": datetime(2026, 11, 25, 11, tzinfo=UTC),
        }

    def test_an_empty_file_decides_nothing(self, tmp_path: Path) -> None:
        assert load(tmp_path, "") == Course()
        assert Course().worth(TASKS) == TASKS
        assert Course().due_at is None

    def test_points(self, tmp_path: Path) -> None:
        assert load(tmp_path, "[tasks]\nevaluation = 7.5\nalexnet = 30\n").worth(TASKS) == {
            "alexnet": 30,
            "evaluation": 7.5,
        }

    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_as_windows_writes_it(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / config.FILE
        path.write_bytes(b"\xef\xbb\xbf" + TOML.replace("\n", ending).encode())
        assert config.load(path, list(TASKS)) == load(tmp_path, TOML)

    def test_found_beside_the_assignment_if_it_is_there(self, tmp_path: Path) -> None:
        assert config.find(tmp_path) is None
        load(tmp_path, "")
        assert config.find(tmp_path) == tmp_path / "course.toml"

    def test_what_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read: No such file"):
            config.load(tmp_path / "other.toml", [])
        (tmp_path / config.FILE).write_bytes("due = 1\n".encode("utf-16"))
        with pytest.raises(UsageError, match="is not UTF-8"):
            config.load(tmp_path / config.FILE, [])


class TestFaults:
    @pytest.mark.parametrize(
        ("old", "new", "message", "allowed"),
        [
            ("due = 2026-11-20T23:59:00", "due = 5", "line 1: due = 5 is not a date", "such as 2026-11-20T"),
            ("due = 2026-11-20T23:59:00", 'due = "2026-11-20"', 'due = "2026-11-20" is text', "a date with"),
            (
                "due = 2026-11-20T23:59:00",
                "due = 2026-11-20",
                "due = 2026-11-20 is not a date with",
                "offset",
            ),
            ("due = 2026-11-20T23", "due = 1926-11-20T23", "is not in the years 2000 to 2199", "a date with"),
            ("due = 2026-11-20T23:59:00", "", "line 5: late needs a due date", "due = a date with a time"),
            ('timezone = "Europe/Berlin"', "", "line 1: due = 2026-11-20T23:59:00 has no offset", "timezone"),
            ("Europe/Berlin", "Europe/Berln", 'line 2: timezone = "Europe/Berln" is not', "Europe/Berlin"),
            ("Europe/Berlin", "../etc/passwd", "is not a time zone", "Europe/Berlin"),
            ("points = 50", "points = 50.25", "line 3: points = 50.25 is not allowed", "whole or half"),
            ("points = 50", 'points = "50"', 'line 3: points = "50" is not allowed', "whole or half"),
            ("points = 50", "points = nan", "line 3: points = nan is not allowed", "whole or half"),
            ("points = 50", "points = 1", 'tasks.resnet = "60%" of 1 points is 0.6', "whole or half points"),
            ("points = 50", "point = 50", "line 3: point = 50 is not a field; did you mean points", "due, "),
            ('"15 min"', "15", "line 6: late.grace = 15 is not a time in quotes with its unit", '"15 min"'),
            ('"15 min"', '"15"', 'late.grace = "15" is not a time with its unit', '"15 min"'),
            ('"15 min"', '"-15 min"', "is not a time with its unit", '"15 min"'),
            ('"15 min"', '"15 min or so"', "is not a time with its unit", '"15 min"'),
            ('"15 min"', '"15 min 1 min"', "has a unit twice", '"15 min"'),
            ('"15 min"', '"9999 days"', "is longer than 3660 days", '"15 min"'),
            ('"12.5%"', "0.125", "line 7: late.share_a_day = 0.125 is not a share in quotes", '"10%"'),
            ('"12.5%"', '"12.5"', "is not a share in per cent", '"10%"'),
            ('"12.5%"', '"-5%"', "is not a share in per cent", '"10%"'),
            ('"12.5%"', '"101%"', "is more than 100%", '"10%"'),
            ("share_a_day", "share_per_day", "line 7: late.share_per_day = ", "grace, share_a_day, of"),
            ("2026-12-01T12:00:00+01:00", "2026-11-01T12:00:00", "line 8: late.cut_off = ", "a later time"),
            ("2026-12-01T12:00:00+01:00", '"10 min"', "is shorter than the grace period", "a longer time"),
            ("2026-12-01T12:00:00+01:00", "7", "line 8: late.cut_off = 7 is a number without", "how long"),
            ('"60%"', '"61%"', "line 10: tasks adds up to 101%", "add up to 100"),
            ('"60%"', "60", "line 10: tasks has points and per cent", "one of the two"),
            ('"60%"', '"0%"', 'line 11: tasks.resnet = "0%" counts nothing: leave', "per cent"),
            ('"60%"', "true", "line 11: tasks.resnet = true is neither points nor per cent", "per cent"),
            ('resnet = "60%"\nalexnet = "40%"', "", "line 10: tasks is empty", "per cent"),
            ('resnet = "60%"\nalexnet = "40%"', "resnet = 5", "line 3: points = 50 is for tasks in", "leave"),
            ("alexnet", "alexnt", 'line 12: tasks.alexnt = "40%" is of no task', "alexnet, resnet, eval"),
            ('"1 day 12 h"', "3", 'line 15: extensions."ada@example.org" = 3 is a number', "until when"),
            ("2026-11-25T12:00:00", "2026-11-19T12:00:00", "line 16: extensions.77 = ", "a later time"),
            ("77", '" Ada@Example.org"', 'line 16: extensions." Ada@Example.org" = ', "one line a student"),
            ("77", '""', 'line 16: extensions."" = 2026-11-25T12:00:00 has no student', "a key, id or"),
            (
                "[late]",
                "attempt = 'newest'\n[late]",
                'line 5: attempt = "newest" is not allowed',
                "last_before",
            ),
            ("[late]", "regrade = false\n[late]", "line 5: regrade = false is not allowed", "never lower"),
            ("[late]", "[[late]]", "line 5: late = ", "a table, [late], of what lateness costs"),
            ("[late]", "[late", "line 5, is not TOML: Expected ']'", "docs/course.toml.example"),
        ],
    )
    def test_a_fault(self, tmp_path: Path, old: str, new: str, message: str, allowed: str) -> None:
        assert old in TOML
        with pytest.raises(UsageError) as caught:
            load(tmp_path, TOML.replace(old, new, 1))
        assert f"{config.FILE}, line " in caught.value.message
        assert message in caught.value.message
        assert allowed in caught.value.fix

    def test_of_several_faults_the_first_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="line 3: points"):
            load(tmp_path, TOML.replace("points = 50", "points = 0").replace("12.5%", "x"))

    @pytest.mark.parametrize("line", ['attempt = "last_before_due"', '[extensions]\nada = "1 day"'])
    def test_what_needs_a_due_date(self, tmp_path: Path, line: str) -> None:
        with pytest.raises(UsageError, match="needs a due date"):
            load(tmp_path, line)

    @pytest.mark.parametrize("place", ["", "late.", "tasks.", "extensions."])
    def test_whatever_stands_there_is_read_or_refused(self, tmp_path: Path, place: str) -> None:
        """Every kind of value, in every field: never an error of Python's."""
        written = (
            *("0", "1", "-1", "1.5", "1e300", "nan", "-inf", "true", '""', '"x"', '"50%"', '"3 days"'),
            *("[]", "[1]", "{}", "{ a = 1 }", "23:59:00", "2026-11-20", "2026-11-20T23:59:00"),
            *("0001-01-01T00:00:00Z", "2199-12-31T23:59:59-12:00", "2026-11-20T23:59:00.5+14:00"),
        )
        names = {"": Course.model_fields, "late.": Late.model_fields, "tasks.": TASKS}.get(
            place, ["ada", "''"]
        )
        accepted, refused = 0, []
        for name in names:
            for value in written:
                for before in ("", "due = 2026-11-20T23:59:00Z\n"):
                    try:
                        load(tmp_path, f"{before}{place}{name} = {value}\n")
                        accepted += 1
                    except UsageError as error:
                        refused.append(error)
        assert accepted
        assert all(re.search(r"course\.toml, line [12]", one.message) and one.fix for one in refused)

    def test_a_long_value_is_cut(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError) as caught:
            load(tmp_path, f'attempt = "{"x" * 5000}"')
        assert len(str(caught.value)) < 500


class TestClocks:
    """Times in the nights in which clocks are put forward or back."""

    @pytest.mark.parametrize("field", ["due = {}", "due = 2026-01-01T00:00:00Z\n[late]\ncut_off = {}"])
    def test_a_time_that_clocks_skip_is_refused(self, tmp_path: Path, field: str) -> None:
        zone = 'timezone = "Europe/Berlin"\n'
        with pytest.raises(UsageError, match="does not exist in Europe/Berlin"):
            load(tmp_path, zone + field.format("2026-03-29T02:30:00"))
        with pytest.raises(UsageError, match="is twice in Europe/Berlin") as caught:
            load(tmp_path, zone + field.format("2026-10-25T02:30:00"))
        both = re.findall(r"\S+\+\S+", caught.value.fix)
        assert both == ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]
        for written in both:  # what is advised is accepted
            load(tmp_path, zone + field.format(written))

    def test_an_offset_says_which_of_two_is_meant(self, tmp_path: Path) -> None:
        course = load(tmp_path, 'due = 2026-10-25T02:30:00+01:00\ntimezone = "Europe/Berlin"')
        assert course.due_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    def test_without_a_time_zone_the_offset_is_the_clock(self, tmp_path: Path) -> None:
        course = load(tmp_path, 'due = 2026-10-24T12:00:00+02:00\n[extensions]\nada = "1 day"')
        assert course.extended(course.extensions["ada"]) == datetime(2026, 10, 25, 10, tzinfo=UTC)


class TestDuration:
    @pytest.mark.parametrize(
        ("start", "days", "hours"), [("2026-10-24T12:00", 1, 25), ("2026-03-28T12:00", 1, 23)]
    )
    def test_a_day_ends_at_the_same_hour(self, start: str, days: int, hours: int) -> None:
        begins = datetime.fromisoformat(start).replace(tzinfo=BERLIN).astimezone(UTC)
        assert Duration(days).after(begins, BERLIN) - begins == timedelta(hours=hours)
        assert Duration(0, 3600 * 24).after(begins, BERLIN) - begins == timedelta(hours=24)

    @pytest.mark.parametrize(
        ("start", "ends"), [("2026-03-28T02:30", "01:30"), ("2026-10-24T02:30", "01:30")]
    )
    def test_an_hour_that_is_skipped_or_twice_is_the_later_one(self, start: str, ends: str) -> None:
        begins = datetime.fromisoformat(start).replace(tzinfo=BERLIN)
        assert f"{Duration(1).after(begins, BERLIN):%H:%M}" == ends  # UTC

    @pytest.mark.parametrize(
        ("written", "duration"),
        [
            ("15 min", Duration(0, 900)),
            ("1 day 12 h", Duration(1, 43200)),
            ("2 weeks", Duration(14)),
            ("36h", Duration(0, 129600)),
            ("1 hour 1 minute", Duration(0, 3660)),
        ],
    )
    def test_written(self, written: str, duration: Duration) -> None:
        assert values.duration(written) == duration
        assert values.duration(str(duration)) == duration
