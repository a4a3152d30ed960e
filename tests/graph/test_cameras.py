"""Several cameras in one process: each its own node, all with one model."""

import subprocess

import pytest
from graph import NODES, ROOT, running, wait_until
from sensor_msgs.msg import Image
from sensors import camera_info, image, radar, static_transforms

CAMERAS = ["front", "rear"]


@pytest.fixture
def sensors(listener, sensor):
    """Two cameras and a radar that looks ahead."""
    transforms = static_transforms(listener.node, "radar", parent="front")
    sensors = {"radar": sensor("front/radar", radar())}
    for camera in CAMERAS:
        sensors[camera] = sensor(f"{camera}/image_raw", image(frame=camera))
        sensors[f"{camera} info"] = sensor(f"{camera}/camera_info", camera_info(frame=camera))
    yield sensors
    listener.node.destroy_publisher(transforms)


def cameras(*parameters):
    """Two depth nodes and the detection, with the arguments a launch file would give."""
    remaps = ["depth_front:radar_0/points:=/front/radar"]
    for camera in CAMERAS:
        remaps.append(f"depth_{camera}:image:=/{camera}/image_raw")
        remaps.append(f"depth_{camera}:camera_info:=/{camera}/camera_info")
    names = ["depth_nodes:=depth_front,depth_rear", "depth_rear:radars:=0"]
    return {"parameters": [*names, *parameters], "remaps": remaps}


def test_two_cameras_share_a_model_and_live_on_their_own(listener, sensors):
    listener.listen_to_diagnostics()
    for camera in CAMERAS:
        listener.listen(f"depth_{camera}/image", Image)

    def depths(camera):
        return len(listener.received[f"depth_{camera}/image"])

    with running("perception", ready=3, **cameras()):
        nodes = {"/depth_front", "/depth_rear", "/detection"}
        wait_until(lambda: nodes <= listener.nodes(), 5.0, "the nodes in the graph")
        assert listener.node.count_publishers("/depth/image") == 0
        for sensor in sensors.values():
            sensor.wait_for_subscriber()
            sensor.start()
        wait_until(lambda: min(map(depths, CAMERAS)) > 5, 15.0, "depth of both cameras")
        for camera in CAMERAS:
            frames = {message.header.frame_id for message in listener.received[f"depth_{camera}/image"]}
            assert frames == {camera}

        # Only the front camera has a radar, and it is with the frames.
        def published(camera):
            return int(listener.status(f"depth_{camera}")[1].get("published", 0))

        wait_until(lambda: min(map(published, CAMERAS)) > 5, 5.0, "reports of both cameras")
        front, rear = (listener.status(f"depth_{camera}")[1] for camera in CAMERAS)
        assert (front["shared_with"], rear["shared_with"]) == ("depth_rear", "depth_front")
        assert "input./front/radar.messages" in front
        assert not any("radar" in key for key in rear), rear
        # The first frames may come before the radar does.
        assert int(front.get("degraded.radar_0: absent", 0)) < int(front["published"]), front

        sensors["rear"].stop()
        sensors["rear info"].stop()
        before = depths("front")
        wait_until(lambda: depths("front") > before + 10, 10.0, "depth of the camera that is left")

        def told():
            status, values = listener.status("depth_rear")
            return status and any("/rear/image_raw" in value for value in values.values())

        wait_until(told, 5.0, "warning about the other")
        sensors["rear"].start()
        sensors["rear info"].start()
        before = depths("rear")
        wait_until(lambda: depths("rear") > before + 5, 10.0, "depth of the camera that is back")


def test_other_settings_of_the_session_mean_another_model(listener):
    listener.listen_to_log()
    listener.listen_to_diagnostics()
    with running("depth", ready=2, parameters=["depth_nodes:=depth,rear", "rear:threads:=2"]):
        wait_until(lambda: all(listener.status(node)[1].get("model") for node in ["depth", "rear"]), 5.0, "reports")
        assert not any("shared_with" in listener.status(node)[1] for node in ["depth", "rear"])
        wait_until(lambda: "/rear/image" in dict(listener.node.get_topic_names_and_types()), 5.0, "topics")
        assert listener.node.count_publishers("/depth/image") == 1

        # Nobody has said which camera is whose.
        def told():
            return [log for log in listener.received["/rosout"] if "remap one of them" in log.msg]

        wait_until(told, 3.0, "warning")
        assert "'/image'" in told()[0].msg and "/depth" in told()[0].msg
        assert told()[0].name == "rear"


def test_the_example_of_the_package(listener):
    others = ["--params-file", str(ROOT / "config" / "two_cameras.yaml"), "-r", "depth_rear:image:=/rear/image"]
    with running("perception", ready=3, others=others) as process:
        wait_until(
            lambda: {"/depth_front", "/depth_rear", "/detection"} <= listener.nodes()
            and [listener.node.count_subscribers(f"/radar_{n}/points") for n in range(3)] == [1, 1, 0],
            5.0,
            "the example's nodes and radars",
        )
        assert "[WARN]" not in process.output


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (["depth_nodes:=front,front"], ["depth_nodes", "front,front"]),
        (["depth_nodes:=front,rear", "rear:radars:=9"], ["radars", "'rear'", "0 to 4", "9"]),
        (["depth_nodes:=front,rear", "rear:model:=no_such_model"], ["no_such_model"]),
    ],
)
def test_one_wrong_camera_ends_the_process_with_one_error(parameters, expected):
    options = [part for parameter in parameters for part in ("-p", parameter)]
    remap = ["-r", "rear:image:=/rear/image"]
    command = [str(NODES / "depth"), "--ros-args", *options, *remap]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert result.returncode == 1, result
    lines = [line for line in result.stderr.splitlines() if "[INFO]" not in line]
    assert len(lines) == 1, result.stderr
    for part in expected:
        assert part in lines[0], lines
