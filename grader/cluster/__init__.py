"""Probes and trainings on other machines, through a Dask cluster.

certificates.py  who may take part: mutual TLS, with certificates made by one command
passport.py      what a machine has, and what has to be the same on all of them
bundle.py        a message with files as bytes, and back, within bounds
messages.py      what is asked of a worker, and what it answers
settings.py      how Dask is set up, and addresses
scheduler.py     the machine that all others connect to
opening.py       how a grader joins
host.py          what a worker does with a message
worker.py        a worker joins, and leaves
client.py        the grader's end: who does what, what is tried again, what has been lost
engine.py        an engine whose sandboxes are elsewhere
trainer.py       a pool whose trainings are elsewhere

Only settings.py, scheduler.py, worker.py and client.py import Dask. Its messages carry bytes of ours, never
objects of ours; what a certificate's holder may do is in docs/security.md.
"""
