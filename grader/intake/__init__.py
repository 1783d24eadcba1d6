"""What was handed in: read as a class, and each submission copied to a clean folder of plain files."""

from grader.intake.assembling import NoTaskFile
from grader.intake.model import Attempt, Class, HandedIn, Part, Source, Student, Submission
from grader.intake.reading import RESERVED, find, folder_name, read
from grader.intake.shelf import Read, Shelf
from grader.intake.taking import digest, remove, take_in

__all__ = [
    "RESERVED",
    "Attempt",
    "Class",
    "HandedIn",
    "NoTaskFile",
    "Part",
    "Read",
    "Shelf",
    "Source",
    "Student",
    "Submission",
    "digest",
    "find",
    "folder_name",
    "read",
    "remove",
    "take_in",
]
