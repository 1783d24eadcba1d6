"""What grading came to: plain, frozen, serialisable data."""
