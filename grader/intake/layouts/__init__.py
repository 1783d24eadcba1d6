"""One module for each way in which platforms hand out what was handed in, told apart by the form of names."""
