"""Our nodes beside the same nodes in Python, on one machine, in one run.

    eval "$(cargo xtask env)"
    cargo build --release -p isobath_nodes --bins --examples
    python benches/peers/compare.py [--markdown docs/performance.md] [--json results.json]

Starts a process that publishes the sensors, then in turn our node, the peer, a node that only moves the
bytes in Rust and one in Python, several rounds of them, and measures what arrives. The first run makes a
virtual environment beside this file from `requirements.txt`.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENV = HERE / ".venv"
VARIANTS = ["ours", "peer", "echo", "echo_rclpy"]
# Of the depth both give, metres; of the centres of detections too.
AGREEMENT_M = 0.01


def ensure_venv():
    """Continues in the virtual environment, which sees the packages of the ROS 2 in use."""
    if Path(sys.prefix) == VENV:
        return
    try:
        import rclpy
    except ImportError:
        sys.exit('no rclpy: run `eval "$(cargo xtask env)"` first, or source a ROS 2')
    python = VENV / "bin" / "python"
    marker = VENV / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not marker.exists() or marker.read_text() != wanted:
        print(f"making {VENV.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
        packages = VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        (packages / "ros.pth").write_text(f"{Path(rclpy.__file__).parents[1]}\n")
        marker.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])


class Child:
    """A started program; its output is shown only when it fails."""

    def __init__(self, command, environment):
        self.command = [str(part) for part in command]
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True
        )
        os.set_blocking(self.process.stdout.fileno(), False)

    def check(self):
        if self.process.poll() is not None:
            sys.exit(f"{' '.join(self.command)} ended:\n{self.process.stdout.read()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()

    def cpu_ms(self):
        """CPU time of all threads so far."""
        total = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                total += int((thread / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                continue  # It has just ended.
        return total / 1e6

    def rss_mb(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return float("nan")


def command_of(variant, kind, arguments):
    model = arguments.depth_model if kind == "depth" else arguments.detection_model
    python = [sys.executable, HERE / f"{kind}_peer.py"]
    events = ["--executor", arguments.peer_executor]
    return {
        "ours": [arguments.nodes / kind, "--ros-args", "-p", f"model:={model}"],
        "peer": [*python, model, *events],
        "echo": [arguments.nodes / "examples" / "echo", kind],
        "echo_rclpy": [sys.executable, HERE / "echo.py", kind, *events],
    }[variant]


def wait_until(condition, timeout_s, what, child):
    until = time.monotonic() + timeout_s
    while not condition():
        child.check()
        if time.monotonic() > until:
            sys.exit(f"{' '.join(child.command)}: no {what} within {timeout_s} s")
        time.sleep(0.02)


def measure(variant, scenario, arguments, sink, environment):
    """One node in one window."""
    topic = sink.first
    sink.clear()
    node = Child(command_of(variant, scenario["kind"], arguments), environment)
    try:
        wait_until(lambda: topic in sink.arrived, 20.0, topic, node)
        time.sleep(arguments.warmup)
        begin_ns, cpu = time.time_ns(), node.cpu_ms()
        time.sleep(arguments.seconds)
        end_ns, cpu = time.time_ns(), node.cpu_ms() - cpu
        time.sleep(0.3)
        if variant in ("ours", "peer"):
            wait_until(lambda: sink.inference_ms is not None, 3.0, "time of the inference", node)
        node.check()
        with sink.lock:
            sent = [stamp for stamp in sink.sent if begin_ns <= stamp < end_ns]
            latencies = [sink.arrived[topic][s] / 1e6 for s in sent if s in sink.arrived[topic]]
            # The echoes have no inference to report.
            inference = sink.inference_ms or 0.0
            last = dict(sink.last)
        if not latencies:
            sys.exit(f"{variant}: nothing arrived in the window")
        cpu_ms = cpu / len(latencies)
        quartiles = statistics.quantiles(latencies, n=100)
        return {
            "latency_ms": statistics.median(latencies),
            "latency_p99_ms": quartiles[98],
            "inference_ms": inference,
            "cpu_ms": cpu_ms,
            "cpu_outside_ms": cpu_ms - inference,
            "dropped": 1.0 - len(latencies) / len(sent),
            "rss_mb": node.rss_mb(),
        }, last
    finally:
        node.stop()


def run_scenario(scenario, arguments, environment):
    import rclpy
    from sink import OUTPUTS, Sink

    sink = Sink(scenario["kind"])
    sink.first = next(iter(OUTPUTS[scenario["kind"]]))
    source = Child(
        [sys.executable, HERE / "source.py", scenario["kind"], scenario["rate"], *scenario["options"]],
        environment,
    )
    runs = {variant: [] for variant in VARIANTS}
    differences = []
    try:
        for number in range(arguments.rounds):
            last = {}
            for variant in VARIANTS:
                figures, last[variant] = measure(variant, scenario, arguments, sink, environment)
                source.check()
                runs[variant].append(figures)
                print(
                    f"{scenario['name']}, round {number + 1}, {variant}: {figures['latency_ms']:.2f} ms, "
                    f"CPU {figures['cpu_ms']:.2f} ms a frame",
                    file=sys.stderr,
                )
            differences.append(difference(scenario["kind"], last["ours"], last["peer"]))
    finally:
        source.stop()
        sink.close()
    # Best-effort transport may lose a radar cloud just before the frame that is compared.
    if all(differences):
        sys.exit(f"{scenario['name']}: the outputs differ: {differences[-1]}")
    medians = {
        variant: {key: statistics.median(run[key] for run in runs[variant]) for key in runs[variant][0]}
        for variant in VARIANTS
    }
    return {"scenario": scenario, "rounds": runs, **summary(medians)}


def summary(medians):
    """What is left of the latency without inference and transport, and the ratios of the two."""
    for variant in ("ours", "peer"):
        figures = medians[variant]
        own_kind = "echo" if variant == "ours" else "echo_rclpy"
        rest = figures["latency_ms"] - figures["inference_ms"]
        figures["overhead_ms"] = rest - medians["echo"]["latency_ms"]
        figures["overhead_own_echo_ms"] = rest - medians[own_kind]["latency_ms"]
    ours, peer = medians["ours"], medians["peer"]
    keys = ["latency_ms", "overhead_ms", "overhead_own_echo_ms", "cpu_ms", "cpu_outside_ms", "rss_mb"]
    return {"medians": medians, "ratios": {key: ours[key] / peer[key] for key in keys}}


def difference(kind, ours, peer):
    """What differs in the last frame of each, or None: the speed of nodes is comparable only if they have
    done the same work."""
    from rclpy.serialization import deserialize_message
    from sink import OUTPUTS

    sides = []
    for raw in (ours, peer):
        missing = [topic for topic in OUTPUTS[kind] if topic not in raw]
        if missing:
            return f"{', '.join(missing)} from one side only"
        sides.append({topic: deserialize_message(raw[topic], t) for topic, t in OUTPUTS[kind].items()})
    return difference_of_depth(*sides) if kind == "depth" else difference_of_detections(*sides)


def difference_of_depth(ours, peer):
    import numpy as np

    for topic in ("depth/image", "depth/confidence"):
        a, b = (np.frombuffer(side[topic].data, np.float32) for side in (ours, peer))
        if a.shape != b.shape:
            return f"{topic}: {a.size} and {b.size} pixels"
        if not np.allclose(a, b, rtol=1e-3, atol=AGREEMENT_M, equal_nan=True):
            worst = np.nanargmax(np.abs(np.nan_to_num(a - b, nan=np.inf)))
            return f"{topic}: {a[worst]} and {b[worst]} at pixel {worst}"
    a, b = (side["depth/points"].width for side in (ours, peer))
    return None if a == b else f"depth/points: {a} and {b} points"


def difference_of_detections(ours, peer):
    def rounded(detection):
        hypothesis, position = detection.results[0].hypothesis, detection.bbox.center.position
        return hypothesis.class_id, round(hypothesis.score, 3), position.x, position.y

    a, b = (sorted(map(rounded, side["detections"].detections)) for side in (ours, peer))
    if len(a) != len(b):
        return f"{len(a)} and {len(b)} detections"
    for p, q in zip(a, b):
        if p[0] != q[0] or max(abs(p[2] - q[2]), abs(p[3] - q[3])) > AGREEMENT_M:
            return f"detections {p} and {q}"
    a, b = (len(side["detections/markers"].markers) for side in (ours, peer))
    return None if a == b else f"{a} and {b} markers"


ROWS = [
    ("latency, stamp to output", "latency_ms", "{:.2f} ms"),
    ("… 99th percentile", "latency_p99_ms", "{:.2f} ms"),
    ("inference", "inference_ms", "{:.2f} ms"),
    ("**latency − inference − echo**", "overhead_ms", "**{:.2f} ms**"),
    ("… each with the echo of its own language", "overhead_own_echo_ms", "{:.2f} ms"),
    ("CPU a frame", "cpu_ms", "{:.2f} ms"),
    ("**CPU a frame outside inference**", "cpu_outside_ms", "**{:.2f} ms**"),
    ("dropped", "dropped", "{:.1%}"),
    ("memory (RSS)", "rss_mb", "{:.0f} MB"),
]


def markdown(results, machine):
    lines = [machine, ""]
    for result in results:
        medians, ratios = result["medians"], result["ratios"]
        lines += [
            f"**{result['scenario']['title']}**",
            "",
            "| | Isobath | Python peer | ratio | echo, Rust | echo, Python |",
            "|---|---|---|---|---|---|",
        ]
        for title, key, form in ROWS:
            cells = [form.format(medians[v][key]) if key in medians[v] else "" for v in VARIANTS]
            if key == "inference_ms":
                cells[2:] = ["", ""]
            ratio = f"{ratios[key]:.2f}" if key in ratios else ""
            lines.append(f"| {title} | {cells[0]} | {cells[1]} | {ratio} | {cells[2]} | {cells[3]} |")
        lines.append("")
    return "\n".join(lines)


def machine_line(arguments):
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown CPU",
    )
    versions = f"rclpy of {os.environ.get('ROS_DISTRO', 'an unknown ROS')}, Python {sys.version.split()[0]}"
    return (
        f"{model}, {os.cpu_count()} cores; {versions}; "
        f"medians of {arguments.rounds} rounds of {arguments.seconds:g} s, nodes in turn."
    )


def write_block(path, text):
    """Replaces what stands between the two markers in a Markdown file."""
    begin, end = "<!-- compare.py: begin -->", "<!-- compare.py: end -->"
    page = path.read_text()
    if begin not in page or end not in page:
        sys.exit(f"{path}: expected the lines {begin} and {end}")
    before, rest = page.split(begin, 1)
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")


def scenarios(arguments):
    for rate in arguments.rate:
        yield {
            "name": f"depth at {rate:g} Hz",
            "title": f"Depth, {arguments.size} bgr8 image and 100 radar returns at {rate:g} Hz",
            "kind": "depth",
            "rate": rate,
            "options": ["--size", arguments.size],
        }
    for sweep, title in [("hall", "120,000 points"), ("vlp16", "a VLP-16 sweep")]:
        if sweep in arguments.sweep:
            yield {
                "name": f"detection, {sweep}",
                "title": f"Detection, {title} at 10 Hz",
                "kind": "detection",
                "rate": 10,
                "options": ["--sweep", sweep],
            }


def parse_arguments():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warmup", type=float, default=1.5, help="seconds before the window")
    parser.add_argument("--rate", type=float, nargs="*", default=[10, 30], help="rates of the camera")
    parser.add_argument("--size", default="640x480", help="of the image")
    parser.add_argument("--sweep", nargs="*", choices=["hall", "vlp16"], default=["hall"])
    parser.add_argument("--depth-model", type=Path, default=ROOT / "models" / "depth_baseline")
    parser.add_argument("--detection-model", type=Path, default=ROOT / "models" / "detection_baseline")
    parser.add_argument("--nodes", type=Path, default=target / "release", help="folder of our executables")
    parser.add_argument("--peer-executor", choices=["single", "events"], default="single")
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    parser.add_argument("--json", type=Path, help="file for all figures")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    for path in [arguments.nodes / "depth", arguments.nodes / "examples" / "echo"]:
        if not path.exists():
            sys.exit(f"{path} is missing: cargo build --release -p isobath_nodes --bins --examples")
    os.environ["ROS_DOMAIN_ID"] = str(random.randint(1, 99))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    profile = str(ROOT / "config" / "fastdds.xml")
    os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"] = os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = profile
    # Our nodes ask the allocator for this themselves.
    environment = {
        **os.environ,
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
        "OMP_NUM_THREADS": "1",
    }
    import rclpy

    rclpy.init()
    results = [run_scenario(scenario, arguments, environment) for scenario in scenarios(arguments)]
    rclpy.try_shutdown()
    text = markdown(results, machine_line(arguments))
    print(text)
    if arguments.markdown:
        write_block(arguments.markdown, text)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    ensure_venv()
    main()
