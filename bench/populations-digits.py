"""Trains the networks of bench/populations-digits.ts: python3 bench/populations-digits.py DIR writes DIR/*.npz."""

import sys
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")
x, y = load_digits(return_X_y=True)
x = (x / 16).astype(np.float32)
for name, hidden in (("20-10", (20, 10)), ("100x3", (100, 100, 100))):
    for seed in range(5):
        a, b, ya, yb = train_test_split(x, y, test_size=0.5, random_state=seed, stratify=y)
        net = MLPClassifier(hidden, max_iter=500, random_state=seed).fit(a, ya)
        weights = {f"w{i}": w.T.astype(np.float32) for i, w in enumerate(net.coefs_)}
        biases = {f"b{i}": v.astype(np.float32) for i, v in enumerate(net.intercepts_)}
        np.savez(f"{sys.argv[1]}/{name}-{seed}.npz", x=b, y=yb.astype(np.int32), **weights, **biases)
