"""Tries to hold the reader up for days with eight megabytes of quotes, on which a careless regular expression
takes quadratic time; gains nothing because the one that counts brackets is linear.
"""

import os

with open("/output/evidence.json", "w") as file:
    file.write('"' + '\\"' * 4_000_000)
print("attack: quotes", flush=True)
os._exit(0)
