"""Tries to end in a fault of the machine by removing all evidence and flooding what was printed; gains
nothing because the first bytes that were printed are kept, and they say that the probe started.
"""

import os

print("attack: removing everything", flush=True)
for name in os.listdir("/output"):
    os.unlink(f"/output/{name}")
for _ in range(200):
    os.write(1, b"nothing started here\n" * 1000)
os.kill(os.getpid(), 9)
