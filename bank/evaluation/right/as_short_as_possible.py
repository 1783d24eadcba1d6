"""As short as possible: lambdas, and one comparison of everything with everything."""
import numpy as np

_is = lambda numbers, size: np.asarray(numbers)[:, None] == np.r_[:size]
confusion_matrix = lambda labels, predictions, num_classes: np.array(
    [np.bincount(predictions[labels == c].astype(int), minlength=num_classes) for c in range(num_classes)])
top_k_accuracy = lambda probabilities, labels, k: np.mean(
    [l in np.argsort(-p, kind="stable")[:k] for p, l in zip(probabilities, labels)])
coarse_probabilities = lambda fine_probabilities, coarse_of_fine: fine_probabilities @ _is(
    coarse_of_fine, max(map(int, coarse_of_fine)) + 1).astype(float)
