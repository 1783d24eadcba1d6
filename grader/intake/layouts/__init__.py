"""One module for each way in which platforms hand out what was handed in, recognised by the form of names."""
