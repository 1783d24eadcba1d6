"""Tries to patch unittest, pytest, doctest, the assert rewriter and scikit-learn's metrics; gains nothing
because no test runs in its process.
"""

import builtins
import doctest
import sys
import unittest

print("attack: patching", flush=True)
for case in (unittest.TestCase,):
    for name in dir(case):
        if name.startswith(("assert", "fail")):
            setattr(case, name, lambda self, *args, **kwargs: None)
unittest.TestResult.wasSuccessful = lambda self: True
doctest.DocTestRunner.report_failure = lambda *args: None
builtins.AssertionError = type("AssertionError", (Exception,), {})
for name in ("pytest", "_pytest.assertion.rewrite", "sklearn.metrics"):
    try:
        __import__(name)
        module = sys.modules[name]
        for attribute in dir(module):
            if callable(getattr(module, attribute)):
                setattr(module, attribute, lambda *args, **kwargs: 1.0)
    except Exception as error:
        print("attack: without", name, type(error).__name__, flush=True)
print("attack: no test can fail here", flush=True)


def split_indices(*args, **kwargs):
    return 1


channel_statistics = standardise = one_hot = prepare = split_indices
