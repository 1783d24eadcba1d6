"""What students are handed: the stubs, made from the solutions."""
