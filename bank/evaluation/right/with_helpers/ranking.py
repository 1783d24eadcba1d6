def best_classes(probabilities, k):
    """For each row the list of its k most probable classes; the lower number first where they are equal."""
    best = []
    for row in probabilities.tolist():
        pairs = [(-p, c) for c, p in enumerate(row)]
        pairs.sort()
        best.append([c for _, c in pairs[:k]])
    return best
