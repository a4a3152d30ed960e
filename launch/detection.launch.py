"""Starts the node `detection` alone: 3D detection in LiDAR sweeps. Arguments are those of perception.launch.py."""

from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import ThisLaunchFileDir


def generate_launch_description():
    suite = PythonLaunchDescriptionSource([ThisLaunchFileDir(), "/perception.launch.py"])
    return LaunchDescription([IncludeLaunchDescription(suite, launch_arguments={"executable": "detection"}.items())])
