"""One repository a student: folders with `.git`, called `assignment-jdoe` and the like."""

from grader.intake.layouts.base import Reading, Try, after_shared
from grader.intake.model import HandedIn, Student
from grader.intake.tree import Node

name, title = "repositories", "one repository a student"


def count(top: Node) -> int:
    """How many folders are repositories; one alone is no class."""
    found = sum(_is_repository(node) for node in top.folders)
    return found if found > 1 else 0


def read(top: Node, reading: Reading) -> list[HandedIn]:
    """One for each repository, called by the login: without what all names begin with."""
    repositories = [node for node in top.folders if _is_repository(node)]
    logins = after_shared([node.name for node in repositories], "-_")
    found = []
    for node in repositories:
        login = logins[node.name]
        student = Student(reading.key(login), ids={"login": login}, section=reading.section)
        found.append(reading.handed_in(login, [student], [Try([(node, "")])]))
    return found + reading.others([node for node in top.visible if node not in repositories], title)


def _is_repository(node: Node) -> bool:
    return node.kind == "folder" and node.child(".git") is not None
