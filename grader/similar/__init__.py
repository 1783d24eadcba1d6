"""Sources that are alike but for names and order: where a person should look, and no more than that.

    found = similar.search(works, base, seconds=120)     # Found: pairs of students, strongest first

What students handed in is read as text and never run. compare50 compares it, in a process of its own with
limits of time and memory, since a file may be made to take for ever.

    works       reads the files that were kept of each student
    search      starts the process and reads what it writes
    child       the process: what is alike, by compare50
    model       what goes in and comes out
"""

from grader.similar.model import Found, Pair, Part, Side, Work
from grader.similar.search import search
from grader.similar.works import handed_out, kept

__all__ = ["Found", "Pair", "Part", "Side", "Work", "handed_out", "kept", "search"]
