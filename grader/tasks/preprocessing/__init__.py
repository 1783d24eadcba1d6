"""What is asked of preprocessing.py, and how it is judged."""
