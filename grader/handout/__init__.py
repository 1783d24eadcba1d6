"""What students are handed, and what they hand in.

stubs.py       assignment/, made from solutions/
bundle.py      the zip that a student gets
closure.py     which modules a module needs
submitting.py  the zip that a student hands in
"""
