"""What students, the grader and the reference pipeline share: data, training, metrics, figures."""
