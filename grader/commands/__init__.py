"""What the command line runs: each module one command, with what it shows and where it writes."""
