"""What students do on their own machine, and what is remembered of it there: progress, hints, experiments.

Nothing here decides a mark. What is remembered lies below .kit/practice, by folder, and is never in the way:
a file that cannot be read or written is as good as none.
"""
