"""The demo plays the checkout's bag into the launched nodes and shows what came back."""

import json
import struct
import subprocess

from graph import NODES, ROOT

DEPTH = {"/depth/image", "/depth/camera_info", "/depth/confidence", "/depth/points", "/depth/preview"}
DETECTION = {"/detections", "/detections/markers"}


def demo(*arguments, timeout=60):
    command = [str(NODES / "isobath_demo"), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)


def png_size(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def test_pictures_summary_and_table(tmp_path):
    """Real sensors first, then a simulated warehouse."""
    result = demo("--seconds", 4, "--out", tmp_path, timeout=180)
    assert result.returncode == 0, result.stderr
    for folder in [tmp_path, tmp_path / "warehouse"]:
        assert min(png_size(folder / "depth.png")) > 300
        assert min(png_size(folder / "bev.png")) > 300
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["ok"] and not summary["missing"]
        assert {f"/{topic.lstrip('/')}" for topic in summary["topics"]} == DEPTH | DETECTION
        for topic, figures in summary["topics"].items():
            assert figures["count"] >= 20, (topic, summary)
            assert figures["rate_hz"] > 5.0, (topic, summary)
            assert topic in result.stdout
        assert set(summary["drops"]) == {"depth", "detection"}


def test_what_cannot_be_played_is_one_clear_error(tmp_path):
    for arguments, expected in [
        (["--bag", "/nowhere"], "/nowhere"),
        (["--remap", "image:=/lidar_vlp16/points"], "sensor_msgs/msg/PointCloud2"),
        (["--seconds", "soon"], "soon"),
        (["--sconds", "3"], "--sconds"),
    ]:
        result = demo(*arguments, "--out", tmp_path / "none")
        assert result.returncode == 1
        assert expected in result.stderr and "panicked" not in result.stderr


def test_a_node_that_cannot_run_fails_the_demo(tmp_path, monkeypatch):
    """Nothing arrived is no success: here the nodes have no ONNX Runtime."""
    monkeypatch.setenv("ISOBATH_ORT_LIBRARY", "/nowhere/libonnxruntime.so")
    result = demo("--seconds", 2, "--out", tmp_path)
    assert result.returncode == 1
    assert "/nowhere/libonnxruntime.so" in result.stderr
    assert "early" in result.stderr
