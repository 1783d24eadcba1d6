"""A class as web pages: files that load nothing, made from the gradebook.

    index.html             the class: marks, checks, who needs a look, networks, runs
    students/<name>.html   of one student alone, to be handed out
    similar/<n>.html       two sources beside each other

Modules, each above those it imports:

    site        writes all of it
    classroom   what the class's page shows
    student     what a student's page shows
    sides       what the page of two sources shows
    trainings   the runs behind accuracies, each drawn once
    private     keeps other students and paths out of a student's page
    charts      SVG, by matplotlib
"""

from grader.pages.site import Site, Written

__all__ = ["Site", "Written"]
