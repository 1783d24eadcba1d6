"""Tries to pass as a module that has every function, by a module __getattr__ and by replacing itself in
sys.modules; gains nothing because what these return is no answer.
"""

import sys
from unittest import mock

print("attack: everything is a mock", flush=True)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return mock.MagicMock(name=name)


sys.modules[__name__] = mock.MagicMock()
