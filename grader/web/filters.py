"""How numbers, times, lists and links are written, in templates (as filters) and in the text of figures."""

import base64
import hashlib
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path
from urllib.parse import quote

TEMPLATES = Path(__file__).parent / "templates"


def percent(share: float, decimals: int = 1) -> str:
    """A share of one in percent.

    >>> percent(0.3556), percent(0.3556, 2)
    ('35.6%', '35.56%')
    """
    return f"{100 * share:.{decimals}f}%"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them.

    >>> duration(61), duration(300), duration(6000)
    ('61 s', '5.0 min', '1.7 h')
    """
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 300 else f"{seconds:.0f} s"


def thousands(number: int) -> str:
    """A whole number with its thousands set apart.

    >>> thousands(152264)
    '152,264'
    """
    return f"{number:,}"


def listed(parts: Iterable[str]) -> str:
    """Words as a list in a sentence; a set in alphabetical order.

    >>> listed(["a", "b", "c"]), listed({"b", "a"}), listed(["a"]), listed([])
    ('a, b and c', 'a and b', 'a', '')
    """
    words = sorted(parts) if isinstance(parts, AbstractSet) else list(parts)
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def sentence(text: str) -> str:
    """Text as it begins a sentence: its first letter is a capital.

    >>> sentence("aquarium fish of the CIFAR-100 kind")
    'Aquarium fish of the CIFAR-100 kind'
    """
    return text[:1].upper() + text[1:]


def readable(name: str) -> str:
    """A name of a class or setting without underscores.

    >>> readable("aquarium_fish")
    'aquarium fish'
    """
    return name.replace("_", " ")


def address(path: str) -> str:
    """A path within the site as a link: a name may have a space, a hash or a question mark in it.

    >>> address("students/o'brien #2.html")
    'students/o%27brien%20%232.html'
    """
    return quote(path)


def sha256(name: str) -> str:
    """The digest of a script among the templates, as a page's policy names it."""
    return base64.b64encode(hashlib.sha256((TEMPLATES / name).read_bytes()).digest()).decode("ascii")
