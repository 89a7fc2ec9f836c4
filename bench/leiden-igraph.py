"""Times igraph's Leiden (2 iterations) and Louvain on a graph of bench/leiden.ts, once igraph has built it; prints JSON.
Run as: python3 leiden-igraph.py GRAPH.bin RUNS"""
import json, sys, time
import igraph, numpy as np
n, m = np.fromfile(sys.argv[1], np.int32, 2)
ends = np.fromfile(sys.argv[1], np.int32, 2 * m, offset=8).reshape(2, m)
weights = np.fromfile(sys.argv[1], np.float32, m, offset=8 + 8 * m).astype(float)
graph = igraph.Graph(n=int(n), edges=ends.T.tolist()); graph.es['weight'] = weights.tolist()
methods = {
    'leiden': lambda: graph.community_leiden('modularity', weights='weight', n_iterations=2),
    'louvain': lambda: graph.community_multilevel(weights='weight'),
}
out = []
for name, run in methods.items():
    seconds = []
    for _ in range(int(sys.argv[2])):
        start = time.perf_counter(); result = run(); seconds.append(time.perf_counter() - start)
    out.append({'method': name, 'seconds': seconds, 'Q': graph.modularity(result, weights='weight'), 'clusters': len(result)})
print(json.dumps(out))
