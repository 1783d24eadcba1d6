"""Task 5: what a trained network gets right, and what it takes for what."""
