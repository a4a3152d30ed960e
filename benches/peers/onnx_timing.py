"""What ONNX Runtime takes for a network, on one thread."""

import statistics
import time

import onnxruntime


def median_ms(model, values, runs=25):
    """Of a file or its bytes with one input, which is given `values`; the first run does not count."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: values}
    session.run(None, given)
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        session.run(None, given)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3
