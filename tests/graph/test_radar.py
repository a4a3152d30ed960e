"""Radars of other kinds than a cloud, and radars that stop."""

import time
from contextlib import contextmanager
from threading import Event, Thread

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TransformStamped
from graph import running, wait_until
from radar_msgs.msg import RadarReturn, RadarScan
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage

WIDTH, HEIGHT = 64, 48
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
RANGE_M = 7.0


@contextmanager
def sensors(listener, radars, azimuth=0.0):
    """A camera at 10 Hz with as many radars beside it, each of which sees a target; yields their switches."""
    node = listener.node
    image = node.create_publisher(Image, "image", qos_profile_sensor_data)
    info = node.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
    scans = [node.create_publisher(RadarScan, f"radar_{i}/scan", qos_profile_sensor_data) for i in range(radars)]
    static = node.create_publisher(TFMessage, "/tf_static", LATCHED)
    mount = TransformStamped(child_frame_id="camera")
    mount.header.frame_id = "radar"
    rotation = mount.transform.rotation
    rotation.x, rotation.y, rotation.z, rotation.w = -0.5, 0.5, -0.5, 0.5
    static.publish(TFMessage(transforms=[mount]))
    running_radars = [Event() for _ in scans]
    for event in running_radars:
        event.set()
    done = Event()

    def publish():
        while not done.is_set():
            stamp = node.get_clock().now().to_msg()
            k = [40.0, 0.0, 31.5, 0.0, 40.0, 23.5, 0.0, 0.0, 1.0]
            camera = CameraInfo(width=WIDTH, height=HEIGHT, k=k, distortion_model="plumb_bob", d=[0.0] * 5)
            pixels = Image(width=WIDTH, height=HEIGHT, encoding="rgb8", step=3 * WIDTH, data=bytes(3 * WIDTH * HEIGHT))
            scan = RadarScan(returns=[RadarReturn(range=RANGE_M, azimuth=azimuth, elevation=0.0)])
            for message, frame in ((camera, "camera"), (pixels, "camera"), (scan, "radar")):
                message.header.stamp, message.header.frame_id = stamp, frame
            info.publish(camera)
            image.publish(pixels)
            for publisher, event in zip(scans, running_radars):
                if event.is_set():
                    publisher.publish(scan)
            done.wait(0.1)

    thread = Thread(target=publish, daemon=True)
    thread.start()
    try:
        yield running_radars
    finally:
        done.set()
        thread.join()
        for publisher in (image, info, static, *scans):
            node.destroy_publisher(publisher)


def test_a_radar_scan_anchors_the_depth_and_it_is_told(listener):
    listener.listen_to_diagnostics()
    listener.listen("depth/image", Image)

    def influence(figure):
        return float(listener.status("depth")[1].get(f"radar.{figure}", -1))

    # Of this model all depth is that of the returns.
    parameters = ["model:=depth_baseline", "radar_0.preset:=radar_scan"]
    with sensors(listener, 1), running("depth", parameters=parameters):
        wait_until(lambda: len(listener.received["depth/image"]) > 5, 10.0, "depth")
        wait_until(lambda: influence("returns") == 1.0, 3.0, "a return in the image")
        assert influence("agreement") == 1.0
    depth = np.frombuffer(bytes(listener.received["depth/image"][-1].data), np.float32).reshape(HEIGHT, WIDTH)
    assert abs(depth[HEIGHT // 2, WIDTH // 2] - RANGE_M) < 0.2


def test_a_radar_that_looks_elsewhere_is_told(listener):
    listener.listen_to_diagnostics()
    listener.listen("depth/image", Image)

    def told():
        return "no return falls into the image" in listener.problem("depth", "radar")

    with sensors(listener, 1, azimuth=1.5), running("depth", parameters=["radar_0.preset:=radar_scan"]):
        wait_until(lambda: len(listener.received["depth/image"]) > 0, 10.0, "depth")
        first = time.monotonic()
        wait_until(told, 3.0, "warning about the radar")
        assert time.monotonic() - first < 2.0
        assert listener.status("depth")[0].level == DiagnosticStatus.WARN
        wait_until(lambda: listener.status("depth")[1].get("radar.returns") == "0.000", 2.0, "their number")
        before = len(listener.received["depth/image"])
        wait_until(lambda: len(listener.received["depth/image"]) > before + 5, 2.0, "depth goes on")


def test_a_radar_that_stops_is_named_and_depth_goes_on(listener):
    listener.listen_to_diagnostics()
    listener.listen("depth/image", Image)
    parameters = ["radars:=2", "radar_0.preset:=radar_scan", "radar_1.preset:=radar_scan"]

    def absent(radar):
        return int(listener.status("depth")[1].get(f"degraded.radar_{radar}: absent", 0))

    with sensors(listener, 2) as radars, running("depth", parameters=parameters):
        wait_until(lambda: len(listener.received["depth/image"]) > 5, 10.0, "depth")
        time.sleep(1.2)
        before = absent(0), absent(1)
        radars[1].clear()
        stopped, frames = time.monotonic(), len(listener.received["depth/image"])
        wait_until(lambda: absent(1) > before[1], 2.5, "the absence in the diagnostics")
        time.sleep(max(0.0, stopped + 3.0 - time.monotonic()))
        assert len(listener.received["depth/image"]) - frames >= 24
        assert absent(0) == before[0]
        radars[1].set()
        time.sleep(1.5)
        settled = absent(1)
        time.sleep(1.5)
        assert absent(1) <= settled + 1
