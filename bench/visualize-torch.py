"""Optimises the images of bench/visualize.ts by PyTorch, from the same first spectra; prints scores and seconds as JSON.
Run as: python3 visualize-torch.py MODEL.onnx SETS.json SPECTRA.f32"""
import json, pathlib, sys, time
import numpy as np, onnx, torch
from onnx import numpy_helper
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "test" / "fixtures"))
from visualize import Relu, image_of, optimise


def sequential(path):
    """The modules of a chain of layers, and their places by node name."""
    graph = onnx.load(path).graph
    constants = {tensor.name: torch.tensor(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    modules, places = [], {}
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        values = [constants.get(name) for name in node.input]
        if node.op_type == "Conv":
            weight = values[1]
            module = nn.Conv2d(weight.shape[1], weight.shape[0], tuple(weight.shape[2:]), attributes.get("strides", [1, 1]), attributes["pads"][:2])
            module.weight.data, module.bias.data = weight, values[2]
        elif node.op_type == "Gemm":
            weight = values[1] if attributes.get("transB") else values[1].T
            module = nn.Linear(weight.shape[1], weight.shape[0])
            module.weight.data, module.bias.data = weight, values[2]
        elif node.op_type == "BatchNormalization":
            module = nn.BatchNorm2d(len(values[1]), eps=attributes["epsilon"])
            module.weight.data, module.bias.data, module.running_mean, module.running_var = values[1:]
        elif node.op_type == "MaxPool":
            module = nn.MaxPool2d(tuple(attributes["kernel_shape"]), tuple(attributes["strides"]))
        else:
            module = {"Relu": Relu, "Flatten": nn.Flatten}[node.op_type]()
        places[node.name] = len(modules)
        modules.append(module)
    return nn.Sequential(*modules).eval().requires_grad_(False), places


task = json.loads(pathlib.Path(sys.argv[2]).read_text())
network, places = sequential(sys.argv[1])
channels, height, width = task["shape"]
spectra = np.fromfile(sys.argv[3], np.float32).reshape(-1, channels, 2, height, width // 2 + 1)
scores, seconds, at = [], 0.0, 0
for layer in task["layers"]:
    first = torch.tensor(spectra[at : at + len(layer["sets"])])
    at += len(layer["sets"])
    # What lies behind the layer takes no part, as in Brodmann.
    part = network[: places[layer["name"]] + 1]
    start = time.perf_counter()
    trajectory, *_ = optimise(part, part[-1], layer["sets"], first, task["shape"], task["steps"])
    seconds += time.perf_counter() - start
    scores.append(trajectory[:, -1].tolist())
print(json.dumps({"scores": scores, "seconds": seconds, "torch": torch.__version__, "threads": torch.get_num_threads()}))
