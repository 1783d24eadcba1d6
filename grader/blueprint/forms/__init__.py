"""The training form: a network in which everything that the brief leaves open is the course's own choice.

    form = training_form(written, budget)
    form.network       what is trained, and whose digest names the training
    form.replaced      what was put in place of what, for people

Judges look at a network as it was written. What is trained is its training form, so that a choice which is no
mistake can neither decide a mark nor cost a training: every right network of a task comes to the same digest.
What the brief does not leave open is trained as it was written, for that is what thresholds are for, and
`outside` says where a network goes beyond what is open.

`RULES` is the one list of what is open, within which bounds, and how each replacement is justified. The list
in the brief and the table in docs/training-form.md are compared with it by tests.

No rule makes a network: it edits the description, and `read` reads that again, as strictly as any other.

bounds.py                                           what is open, in numbers
structure.py, channels.py, starts.py, numbers.py    rules, by what they look at
rules.py                                            the list of them
editing.py                                          a description while rules change it
form.py                                             applies them
"""

from grader.blueprint.forms.bounds import HE_NORMAL, LARGEST_MOMENTUM
from grader.blueprint.forms.form import Outside, Replaced, TrainingForm, outside, training_form
from grader.blueprint.forms.rules import RULES, Rule
from grader.blueprint.forms.starts import deviation

__all__ = [
    "HE_NORMAL",
    "LARGEST_MOMENTUM",
    "RULES",
    "Outside",
    "Replaced",
    "Rule",
    "TrainingForm",
    "deviation",
    "outside",
    "training_form",
]
