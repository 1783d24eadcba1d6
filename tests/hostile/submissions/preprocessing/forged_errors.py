"""Tries to make the validator collect hundreds of thousands of errors; gains nothing because eight megabytes
is all that is read, which bounds them.
"""

import json
import os

wrong = {"kind": "number", "value": "x", "type": 1}
call = {"function": 1, "value": {"kind": "list", "items": [wrong] * 32}, "inputs_after": {str(n): wrong for n in range(32)}}
with open("/output/evidence.json", "w") as file:
    json.dump({"format": 1, "calls": {str(n): call for n in range(1500)}}, file)
print("attack: nothing is right", flush=True)
os._exit(0)
