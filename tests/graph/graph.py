"""What the graph tests share: starting executables, listening, calling services."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Log
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
NODES = Path(os.environ.get("ISOBATH_NODES_DIR", TARGET / "debug"))
BAG = ROOT / "tests" / "data" / "real_sensors"

RELIABLE = QoSProfile(
    depth=10, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE
)
ROSOUT = QoSProfile(
    depth=1000,
    history=HistoryPolicy.KEEP_LAST,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)

# The names that the bag's topics have for the nodes.
BAG_REMAPS = [
    "image:=/camera/image_raw",
    "camera_info:=/camera/camera_info",
    "radar_0/points:=/radar_ars548/points",
    "lidar/points:=/lidar_vlp16/points",
]


class Process:
    """A started executable and what it prints."""

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
        )
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def output(self):
        return "\n".join(self.lines)

    def wait_for(self, text, count=1, timeout=20.0):
        until = time.monotonic() + timeout
        while sum(text in line for line in self.lines) < count:
            assert self.process.poll() is None, f"ended early:\n{self.output}"
            assert time.monotonic() < until, f"no '{text}' within {timeout} s:\n{self.output}"
            time.sleep(0.01)

    def stop(self, with_signal=signal.SIGINT, timeout=5.0):
        """Sends the signal; returns the seconds until the end and the exit code."""
        start = time.monotonic()
        self.process.send_signal(with_signal)
        code = self.process.wait(timeout)
        seconds = time.monotonic() - start
        self.reader.join(1.0)
        return seconds, code


def ros_arguments(parameters=(), remaps=(), others=()):
    arguments = ["--ros-args"]
    for parameter in parameters:
        arguments += ["-p", parameter]
    for remap in remaps:
        arguments += ["-r", remap]
    return [*arguments, *others] if len(arguments) > 1 or others else []


@contextmanager
def running(executable, parameters=(), remaps=(), others=(), env=None, ready=None):
    """The executable, once `ready` of its nodes are: by default all that it starts unless told otherwise."""
    command = [str(NODES / executable), *ros_arguments(parameters, remaps, others)]
    process = Process(command, env)
    try:
        if ready is None:
            ready = 2 if executable == "perception" else 1
        process.wait_for("]: ready: ", count=ready)
        yield process
    finally:
        if process.process.poll() is None:
            process.process.send_signal(signal.SIGINT)
            try:
                process.process.wait(5.0)
            except subprocess.TimeoutExpired:
                process.process.kill()


@contextmanager
def script(name, *arguments):
    """One of this folder's scripts in a process of its own."""
    process = Process([sys.executable, str(Path(__file__).with_name(name)), *map(str, arguments)])
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.send_signal(signal.SIGINT)
            process.process.wait(10.0)


class Listener:
    """A node that keeps what it receives, spun by a thread of its own."""

    def __init__(self):
        self.node = rclpy.create_node(f"listener_{random.randrange(10**6)}")
        self.received = defaultdict(list)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self._spin, daemon=True)
        self.running = True
        self.thread.start()

    def _spin(self):
        while self.running:
            self.executor.spin_once(timeout_sec=0.05)

    def close(self):
        self.running = False
        self.thread.join(2.0)
        self.executor.remove_node(self.node)
        self.node.destroy_node()

    def listen(self, topic, message_type, qos=RELIABLE, keep=None, raw=False):
        """Keeps each message of `topic` (its bytes if `raw`), or what `keep` makes of it."""
        keep = keep or (lambda message: message)
        self.node.create_subscription(
            message_type, topic, lambda message: self.received[topic].append(keep(message)), qos, raw=raw
        )

    def listen_to_diagnostics(self):
        self.listen("/diagnostics", DiagnosticArray)

    def listen_to_log(self):
        self.listen("/rosout", Log, ROSOUT)

    def status(self, node):
        """The newest diagnostics of `node` as (status, values)."""
        for array in reversed(self.received["/diagnostics"]):
            for status in array.status:
                if status.name == f"{node}: pipeline":
                    return status, {pair.key: pair.value for pair in status.values}
        return None, {}

    def problem(self, node, source):
        """What `node` last said about `source`, without how often."""
        return self.status(node)[1].get(f"problem.{source}", "")

    def lines(self, node, text):
        """What `node` has logged that holds `text`."""
        return [log.msg for log in self.received["/rosout"] if log.name == node and text in log.msg]

    def nodes(self):
        return {
            f"{namespace.rstrip('/')}/{name}"
            for name, namespace in self.node.get_node_names_and_namespaces()
        }

    def call(self, service_type, name, request, timeout=10.0):
        client = self.node.create_client(service_type, name)
        try:
            assert client.wait_for_service(timeout), f"no service {name}"
            future = client.call_async(request)
            wait_until(future.done, timeout, f"answer of {name}")
            return future.result()
        finally:
            self.node.destroy_client(client)


def wait_until(condition, timeout, what):
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, f"no {what} within {timeout} s"
        time.sleep(0.01)
