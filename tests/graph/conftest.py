"""Tests of the node executables over a real ROS 2 graph.

Run with the Python of a sourced ROS 2: `python -m pytest tests/graph`. The executables are taken from
`ISOBATH_NODES_DIR`, else from cargo's debug folder. Each run uses a DDS domain of its own.
"""

import os
import random
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Before rclpy is imported: domain, reach and transport are read when a context is made.
os.environ["ROS_DOMAIN_ID"] = os.environ.get("ISOBATH_TEST_DOMAIN_ID", str(random.randint(1, 99)))
if os.environ.get("ROS_DISTRO") == "humble":
    os.environ["ROS_LOCALHOST_ONLY"] = "1"
else:
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(ROOT / "config" / "fastdds.xml"))

import rclpy  # noqa: E402
from graph import Listener  # noqa: E402
from sensors import Sensor  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def ros():
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def listener(ros):
    """A node of this process that records what it receives."""
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def sensor(listener):
    """Makes sensors of the listener's node (see `sensors.Sensor`), which end with the test."""
    made = []

    def make(topic, message, **options):
        made.append(Sensor(listener.node, topic, message, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
