"""Big best-effort messages arrive with the settings that the package ships."""

import json

from graph import running, script, wait_until


def test_720p_images_and_2_mb_clouds_arrive(listener):
    listener.listen_to_diagnostics()
    with running("perception"), script("publish_big.py", 8) as publisher:
        publisher.wait_for("publishing")
        publisher.process.wait(40)
        publisher.reader.join(1.0)
        sent = json.loads(publisher.lines[-1])

        def arrived():
            depth = int(listener.status("depth")[1].get("input./image.messages", 0))
            detection = int(listener.status("detection")[1].get("input./lidar/points.messages", 0))
            return depth, detection

        goal = 0.99 * sent["images"], 0.99 * sent["clouds"]
        wait_until(
            lambda: arrived()[0] >= goal[0] and arrived()[1] >= goal[1],
            3.0,
            f"99 % of {sent}, only {arrived()},",
        )
        status, _ = listener.status("depth")
        assert "shared-memory" not in status.message


def test_losses_of_the_default_profile_are_diagnosed(listener):
    """The symptom has a name: without the profile most images vanish, and diagnostics say why."""
    listener.listen_to_diagnostics()
    without = {"FASTRTPS_DEFAULT_PROFILES_FILE": "", "FASTDDS_DEFAULT_PROFILES_FILE": ""}
    with running("depth", env=without), script("publish_default.py", 30) as publisher:
        publisher.wait_for("publishing")

        def told():
            _, values = listener.status("depth")
            return any("FASTRTPS_DEFAULT_PROFILES_FILE" in value for value in values.values())

        # However many images get through: none, a trickle, or some of them.
        wait_until(told, 15.0, f"warning about the shared-memory segment in {listener.status('depth')}")
        assert publisher.process.poll() is None
