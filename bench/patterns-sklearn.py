"""Times scikit-learn's HDBSCAN, brute force, on points of bench/patterns.ts; prints JSON. min_samples counts the point itself.
Run as: python3 patterns-sklearn.py POINTS.f32 COUNT WIDTH RUNS LABELS.i32"""
import json, sys, time
import numpy as np
import sklearn
from sklearn.cluster import HDBSCAN
path, count, width, runs, labels_path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
X = np.fromfile(path, np.float32).reshape(count, width)
size = max(5, -(-count // 1000))
seconds = []
for _ in range(runs):
    model = HDBSCAN(algorithm='brute', min_samples=6, min_cluster_size=size, cluster_selection_method='leaf', copy=True)
    start = time.perf_counter(); model.fit(X); seconds.append(time.perf_counter() - start)
model.labels_.astype(np.int32).tofile(labels_path)
print(json.dumps({'seconds': seconds, 'version': sklearn.__version__}))
