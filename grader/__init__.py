"""Marks submissions: probes them in a sandbox, judges the evidence, trains the networks they describe."""
