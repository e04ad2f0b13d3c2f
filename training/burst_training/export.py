"""A trained network as models/NAME/VERSION wants it (protocol.md 10): model.onnx with its metadata, golden vectors, and proof that
the C runtime answers what PyTorch answers. Batch normalisation stays in the file as it was trained: the runtime folds it."""
import copy
import inspect
import json
import warnings

import numpy as np
import torch

from burst_training import clib, tasks

OPSET, IR_MOST = 13, 8
FEATURES = "feature_map"
PARITY_ROWS, PARITY_MOST = 64, 1e-3  # largest difference of a logit, over 1 or the logit's size


def name_features(model):
    """Give the map before global pooling a name that explanations can ask for."""
    pools = [n for n in model.graph.node if n.op_type == "GlobalAveragePool"]
    if len(pools) != 1:
        return
    old = pools[0].input[0]
    for node in model.graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == old:
                    names[i] = FEATURES


def unshare_initializers(model):
    """The exporter stores equal tensors once and copies them by Identity nodes: give each user its own."""
    stored = {t.name: t for t in model.graph.initializer}
    for node in [n for n in model.graph.node if n.op_type == "Identity" and n.input[0] in stored]:
        own = model.graph.initializer.add()
        own.CopyFrom(stored[node.input[0]])
        own.name = node.output[0]
        model.graph.node.remove(node)


def write_onnx(net, shape, path, input_name, metadata):
    """shape: one sample's. The metadata are JSON values."""
    import onnx
    other = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}  # the exporter of PyTorch 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PRESERVE keeps batch norm as nodes, and says so
        torch.onnx.export(net, torch.zeros(1, *shape), str(path), opset_version=OPSET, input_names=[input_name], output_names=["logits"],
                          do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
                          dynamic_axes={input_name: {0: "N"}, "logits": {0: "N"}}, **other)
    model = onnx.load(str(path))
    unshare_initializers(model)
    name_features(model)
    model.ir_version = min(model.ir_version, IR_MOST)
    model.doc_string = metadata.get("burst.card", "")
    del model.metadata_props[:]
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_tensor(path, array, name):
    """An ONNX TensorProto file, as golden vectors are."""
    from onnx import numpy_helper
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(numpy_helper.from_array(np.ascontiguousarray(array), name).SerializeToString())


def exported(net, task, offset):
    """The network as it is served: on the CPU, evaluating, a calibration's offset in its last bias, its layers ordinary ones."""
    net = copy.deepcopy(net).cpu().eval()
    if hasattr(net, "wide"):
        net.wide = False
    if offset:
        last = [layer for layer in net.modules() if isinstance(layer, torch.nn.Linear)][-1]
        last.bias.data[task.true_logit] += offset
    return net.ordinary().eval() if hasattr(net, "ordinary") else net


def metadata(config, task, figures):
    test = figures["parts"]["test"]
    kind = "simulated" if figures["data"]["test"]["simulated"] else "real"
    n = test["n_burst"] + test["n_other"]
    text = f"{config['name']}: accuracy {test['figures']['accuracy']['value']:.3f} on {n} {kind} samples; see card.md"
    return {**task.metadata(config, figures), "burst.version": config["export"]["version"],
            "burst.temperature": round(figures["calibration"]["temperature"], 4), "burst.thresholds": tasks.THRESHOLDS, "burst.card": text}


def check_parity(net, folder, x):
    """The C runtime's logits beside PyTorch's. Too far apart is an error: such a file is not to be used."""
    with torch.no_grad():
        want = net(torch.from_numpy(x)).numpy()
    with clib.Net(str(folder / "model.onnx")) as c:
        got = c.run(x)
    difference = np.abs(got - want)
    largest = float(difference.max())
    if not (difference / np.maximum(np.abs(want), 1)).max() < PARITY_MOST:
        raise ValueError(f"{folder}: the C runtime's logits differ by up to {largest:.3g}")
    return {"rows": len(x), "largest_difference": largest, "largest_logit": float(np.abs(want).max())}


def export_run(training, part, logit, figures):
    """Write the run's export/ folder; returns the parity figures."""
    folder = training.folder / "export"
    folder.mkdir(exist_ok=True)
    task, config = training.task, training.config
    net = exported(training.net, task, figures["calibration"]["offset"])
    x, _ = part.take(np.arange(min(PARITY_ROWS, len(part))))
    write_onnx(net, x.shape[1:], folder / "model.onnx", task.input_name, metadata(config, task, figures))
    parity = check_parity(net, folder, x)
    golden, _ = part.take(task.golden_rows(part, logit))
    with torch.no_grad():
        y = net(torch.from_numpy(golden)).numpy()
    write_tensor(folder / "test_data_set_0" / "input_0.pb", golden, task.input_name)
    write_tensor(folder / "test_data_set_0" / "output_0.pb", y, "logits")
    for name, array in task.golden_explanations(net, golden).items():
        write_tensor(folder / "golden" / f"{name}.pb", array, name)
    return parity
