"""Tries to replace the harness's own methods, found in __main__, so that every call has returned; gains
nothing because a call that returned nothing of value has nothing that a judge could find right.
"""

import sys

main = sys.modules["__main__"]


def call(self, name, function, /, *args, **kwargs):
    print("attack: answering for", function, flush=True)
    self._document["calls"][name] = {
        "function": function,
        "arguments": "",
        "status": "returned",
        "exception": None,
        "seconds": 0.0,
        "value": {"kind": "bool", "value": True},
        "inputs_after": {},
    }
    self._write()


main.Calls.call = call
main.Calls._is_stub = lambda *args: False
main.time_limit = None
