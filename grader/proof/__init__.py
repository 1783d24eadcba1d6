"""The grader graded: submissions whose marks are known, and whether it gives these marks."""
