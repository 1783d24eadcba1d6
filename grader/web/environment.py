"""The one Jinja2 environment: everything is escaped, and a name that is not there is an error."""

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.web import filters
from grader.web.filters import TEMPLATES


def render(template: str, **data: object) -> str:
    """A page.

    Args:
        template: its file in templates/, such as `report.html.j2`.
        data: what the template names: plain data. Text in it is text, whatever it says.

    Raises:
        jinja2.UndefinedError: the template names something that is not in `data`.
        jinja2.TemplateNotFound: there is no such template.
    """
    return environment().get_template(template).render(data)


@cache
def environment() -> Environment:
    """The environment of all templates; tests make small templates of their own in it."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "address": filters.address,
        "duration": filters.duration,
        "listed": filters.listed,
        "percent": filters.percent,
        "readable": filters.readable,
        "sentence": filters.sentence,
        "sha256": filters.sha256,
        "thousands": filters.thousands,
    }
    return made
