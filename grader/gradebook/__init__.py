"""The gradebook of a class: one SQLite file in the results folder, appended to and never overwritten.

    with gradebook.write(out, command="nox -s grade -- class/") as book:
        run = book.begin_run(command="nox -s grade -- class/", kit="1.0", about=about, pins=pins)
        book.submitted(run, [Submitted(...)])
        book.marked(run, "alice", attempt=1, key=key, result=result)
        book.end_run(run, "finished")
        derive.everything(book, out)

Modules, each above those it imports:

    shown       a class and a student in a terminal
    derive      marks.csv, results.json and report.txt, made from the records
    people      which student is meant by what was typed
    ledger      the gradebook of a folder, to read or to append
    writing     Writer: appending
    reading     Gradebook: reading
    opening     the file: WAL, migrations, errors in words
    lock        one writer at a time
    standings   what the records come to: the mark of each student, and what changed
    records     what is recorded
    chain       the hashes over the records, and what a broken chain means
    schema      the tables
"""

from grader.gradebook.chain import Fault as ChainFault
from grader.gradebook.ledger import read, write
from grader.gradebook.reading import Gradebook
from grader.gradebook.records import ContentKey, Forgotten, Overridden, StudentId, Submitted
from grader.gradebook.schema import FILE
from grader.gradebook.standings import Change, Mark, Standing, changes
from grader.gradebook.writing import Writer

__all__ = [
    "FILE",
    "ChainFault",
    "Change",
    "ContentKey",
    "Forgotten",
    "Gradebook",
    "Mark",
    "Overridden",
    "Standing",
    "StudentId",
    "Submitted",
    "Writer",
    "changes",
    "read",
    "write",
]
