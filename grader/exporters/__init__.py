"""Ways to hand results on: each module writes one format and decides nothing."""
