"""A sensor that dies is named within a second, and the others go on."""

import time

from diagnostic_msgs.msg import DiagnosticArray
from graph import running, wait_until
from sensor_msgs.msg import Image
from sensors import camera_info, image, radar, static_transforms


def test_a_radar_that_stops_is_named_within_a_second(listener, sensor):
    node = listener.node
    listener.listen("depth/image", Image)
    reports = []

    def keep(array):
        for status in array.status:
            if status.name == "depth: pipeline":
                told = [value.value for value in status.values if value.key.startswith("warning.")]
                reports.append((time.monotonic(), status.level, told))

    listener.listen("/diagnostics", DiagnosticArray, keep=keep)
    transforms = static_transforms(node, "radar_0", "radar_1")
    sensors = [sensor("image", image()), sensor("camera_info", camera_info())]
    radars = [sensor(f"radar_{n}/points", radar(f"radar_{n}")) for n in range(2)]
    # These returns are of nothing that is in the image, which a network would say.
    with running("depth", parameters=["radars:=2", "model:=depth_baseline"]):
        for one in [*sensors, *radars]:
            one.wait_for_subscriber()
            one.start()

        def naming(topic, since=0.0):
            return [at for at, level, told in reports if at > since and level and any(topic in t for t in told)]

        def fine(since):
            """Nothing said of the radars in the reports since then, of which there are two."""
            late = [told for at, _, told in reports if at > since]
            return len(late) >= 2 and not any("radar" in text for told in late[-2:] for text in told)

        start = reports[-1][0] if reports else 0.0
        wait_until(lambda: len(listener.received["depth/image"]) > 15 and fine(start), 20.0, "good depth")

        radars[1].stop()
        stopped = radars[1].newest
        wait_until(lambda: naming("/radar_1/points", stopped), 3.0, "warning about the radar")
        assert naming("/radar_1/points", stopped)[0] - stopped < 1.0
        assert not naming("/radar_0/points", stopped)
        before = len(listener.received["depth/image"])
        wait_until(lambda: len(listener.received["depth/image"]) > before + 10, 5.0, "depth without it")

        again = time.monotonic()
        radars[1].start()
        wait_until(lambda: fine(again), 5.0, "the all-clear")
    node.destroy_publisher(transforms)
