"""The way from a folder to a mark: taken in, probed, judged, trained, decided."""
