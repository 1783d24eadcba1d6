"""From a Windows editor: BOM and CRLF, tabs, float32 sums, cumulated hits."""
# Autor: Jörg Müller, Übung 5  –  "Größte zuerst"
import numpy as np

np.set_printoptions(precision=3, suppress=True, linewidth=200)
VERBOSE = True


def confusion_matrix(labels, predictions, num_classes):
	C = np.zeros((num_classes, num_classes), np.int64)
	n = len(labels)
	for i in range(n):
		t = labels[i]
		p = predictions[i]
		C[t, p] = C[t, p] + 1
	if VERBOSE:
		print("Konfusionsmatrix ✓  Σ =", C.sum())
		print(C)
	return C


def top_k_accuracy(probabilities, labels, k):
	treffer = np.float32(0)
	for p, label in zip(probabilities, labels):
		rang = 0
		for c in range(len(p)):
			if p[c] > p[label]:
				rang = rang + 1
			elif p[c] == p[label] and c < label:
				rang = rang + 1
		if rang < k:
			treffer += np.float32(1)
	acc = treffer / np.float32(len(labels))
	if VERBOSE:
		print(f"Top-{k}-Genauigkeit: {acc:.1%}")
	return acc


def coarse_probabilities(fine_probabilities, coarse_of_fine):
	anzahl = int(np.max(coarse_of_fine)) + 1
	M = np.zeros((len(coarse_of_fine), anzahl), dtype=np.float32)
	for fein, grob in enumerate(coarse_of_fine):
		M[fein, grob] = 1
	return np.dot(fine_probabilities.astype(np.float32), M)
