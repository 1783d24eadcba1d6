"""A row is a student's, or nobody's: never a guess."""

import pytest

from grader.exporters.matching import Row, match, name_form
from grader.exporters.students import Student
from tests.grader.gradebook.making import result

RESULT = result("someone")


def student(key: str, name: str = "", **ids: str) -> Student:
    """Of the gradebook."""
    return Student(key, name, ids, "", RESULT)


def row(place: int, name: str = "", **ids: str) -> Row:
    """Of a template."""
    return Row(place, name, ids)


def found(students: list[Student], rows: list[Row]) -> dict[str, int]:
    """The places of the rows, by the student's key; and whoever has none says why."""
    matches = match(students, rows)
    assert set(matches.rows) | set(matches.why_not) == {one.key for one in students}
    assert not set(matches.rows) & set(matches.why_not)
    assert all(matches.why_not.values())
    return {key: one.place for key, one in matches.rows.items()}


class TestMatch:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (student("a", canvas="101"), row(1, "Whoever", canvas="101")),
            (student("a", sid="S7"), row(1, number="s7")),
            (student("a", sis="s7"), row(1, number="s7")),
            (student("a", email="A@x.edu"), row(1, email="a@x.edu")),
            (student("a", login="ada"), row(1, login="ada")),
            (student("a", email="a@x.edu"), row(1, login="a@x.edu")),
            (student("ada"), row(1, "Ada Lovelace", login="ada")),
            (student("a", "Ada Lovelace"), row(1, "Lovelace, Ada")),
            (student("a", "José Núñez"), row(1, "NUNEZ, Jose")),
            (student("a", "🎓"), row(1, "🎓")),
        ],
    )
    def test_one_way_is_enough(self, one: Student, other: Row) -> None:
        """Each id, e-mail, login, key or name finds the row, whatever its case and order."""
        assert found([one], [row(2, "Somebody Else", canvas="9"), other]) == {one.key: 1}

    def test_id_before_name(self) -> None:
        """Ids decide between two of one name."""
        students = [student("a", "Li Wei", canvas="1"), student("b", "Li Wei", canvas="2")]
        rows = [row(1, "Wei, Li", canvas="2"), row(2, "Wei, Li", canvas="1")]
        assert found(students, rows) == {"a": 2, "b": 1}

    def test_one_name_twice_is_nobodys(self) -> None:
        """In the template or among students."""
        assert found([student("a", "Li Wei")], [row(1, "Li Wei"), row(2, "Wei Li")]) == {}
        assert found([student("a", "Li Wei"), student("b", "Wei Li")], [row(1, "Li Wei")]) == {}

    def test_who_has_the_id_keeps_the_row(self) -> None:
        """A namesake without an id does not take it away."""
        students = [student("a", "Li Wei", canvas="1"), student("b", "Li Wei")]
        assert found(students, [row(1, "Li Wei", canvas="1")]) == {"a": 1}

    def test_id_and_email_in_two_rows(self) -> None:
        """They contradict each other."""
        rows = [row(1, canvas="1", email="b@x.edu"), row(2, canvas="2", email="a@x.edu")]
        assert found([student("a", canvas="1", email="a@x.edu")], rows) == {}

    def test_one_id_in_two_rows(self) -> None:
        """Nobody knows which of them is meant, even where a name would tell."""
        rows = [row(1, "Ada", canvas="1"), row(2, "Bob", canvas="1")]
        assert found([student("a", "Ada", canvas="1")], rows) == {}

    def test_key_of_another_platform(self) -> None:
        """A number that happens to be somebody else's id there: the names differ."""
        assert found([student("101", "Ada")], [row(1, "Bob", canvas="101")]) == {}

    def test_id_of_another_kind(self) -> None:
        """A Moodle number is no Canvas id, however equal."""
        assert found([student("101", "", moodle="101")], [row(1, "Bob", canvas="101")]) == {}

    def test_login_of_another_person(self) -> None:
        """A GitHub login that is another student's login at the university."""
        assert found([student("a", "Ada", login="jdoe")], [row(1, "John Doe", login="jdoe")]) == {}

    def test_empty_ids_find_nobody(self) -> None:
        """Two empty cells are not equal ids."""
        assert found([student("a", email=" ", login="")], [row(1, email="", login=" ")]) == {}

    def test_name_without_words(self) -> None:
        """Two names of signs alone are not the same."""
        assert name_form("!!!") != name_form("???")
