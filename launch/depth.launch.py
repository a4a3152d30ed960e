"""Starts the node `depth` alone: radar-anchored metric depth. Arguments are those of perception.launch.py."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource


def generate_launch_description():
    # A plain path, so that `ros2 launch --show-args` can look into it.
    suite = PythonLaunchDescriptionSource(str(Path(__file__).with_name("perception.launch.py")))
    return LaunchDescription([IncludeLaunchDescription(suite, launch_arguments={"executable": "depth"}.items())])
