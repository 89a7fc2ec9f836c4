"""Gradients of the networks of bench/gradients.ts in PyTorch, two threads. Run as: python3 gradients-torch.py FOLDER
FOLDER holds plan.json (steps, shape, rows) and values.bin (float32: parameters in order, inputs, weights of the logits);
the gradients are written to gradient.bin. Every line on stdin asks for one timed run; its milliseconds are printed."""
import json, sys, time
from pathlib import Path
import numpy as np, torch
from torch import nn

torch.set_num_threads(2)
folder = Path(sys.argv[1])
plan = json.loads((folder / 'plan.json').read_text())
values, at = np.fromfile(folder / 'values.bin', np.float32), 0

def take(*shape):
    global at
    size = int(np.prod(shape)); at += size
    return torch.from_numpy(values[at - size:at].reshape(shape).copy())

layers, shape = [], list(plan['shape'])
for kind, width in plan['steps']:
    if kind == 'conv':
        layer = nn.Conv2d(shape[0], width, 3, padding=1); shape[0] = width
        layer.weight.data, layer.bias.data = take(*layer.weight.shape), take(width)
    elif kind == 'relu': layer = nn.ReLU()
    elif kind == 'pool': layer = nn.MaxPool2d(2); shape[1:] = [size // 2 for size in shape[1:]]
    elif kind == 'norm':
        layer = nn.BatchNorm2d(shape[0])
        layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var = (take(shape[0]) for _ in range(4))
    elif kind == 'flatten': layer = nn.Flatten(); shape = [int(np.prod(shape))]
    else:
        layer = nn.Linear(shape[0], width); shape = [width]
        layer.weight.data, layer.bias.data = take(*layer.weight.shape), take(width)
    layers.append(layer)
network = nn.Sequential(*layers).eval().requires_grad_(False)
x = take(plan['rows'], *plan['shape']).requires_grad_()
weights = take(plan['rows'], shape[0])

def run():
    return torch.autograd.grad((network(x) * weights).sum(), x)[0]

run().numpy().tofile(folder / 'gradient.bin')
print('ready', torch.__version__, flush=True)
for _ in sys.stdin:
    start = time.perf_counter(); run(); print((time.perf_counter() - start) * 1000, flush=True)
