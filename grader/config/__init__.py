"""What is configured: the manifest of tasks and points, and the profiles of params.yaml, typed."""
