"""Pages as HTML: templates with all their prose in templates/, and the environment that fills them."""

from grader.web.environment import render

__all__ = ["render"]
