"""Starts depth for two cameras and 3D detection in one process.

    ros2 launch isobath two_cameras.launch.py front_image:=/front/image_raw rear_image:=/rear/image_raw
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

SHARE = Path(get_package_share_directory("isobath"))

# Fast DDS 2 and 3 look for their profile under different names; other middlewares look at neither.
DDS_PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

# Launch argument: the node's input that it feeds, and the topic unless told otherwise.
TOPICS = {
    "front_image": ("depth_front:image", "/front/image_raw"),
    "front_camera_info": ("depth_front:camera_info", "/front/camera_info"),
    "front_radar_0": ("depth_front:radar_0/points", "/front_left/radar/points"),
    "front_radar_1": ("depth_front:radar_1/points", "/front_right/radar/points"),
    "rear_image": ("depth_rear:image", "/rear/image_raw"),
    "rear_camera_info": ("depth_rear:camera_info", "/rear/camera_info"),
    "rear_radar_0": ("depth_rear:radar_0/points", "/rear/radar/points"),
    "lidar": ("detection:lidar/points", "/lidar/points"),
}


def arguments():
    """Every launch argument with its default."""
    yield DeclareLaunchArgument("namespace", default_value="", description="Namespace of the nodes")
    yield DeclareLaunchArgument(
        "params_file",
        default_value=str(SHARE / "config" / "two_cameras.yaml"),
        description="ROS parameter file of the nodes",
    )
    yield DeclareLaunchArgument(
        "use_sim_time", default_value="false", choices=["true", "false"], description="Take the time from /clock"
    )
    for argument, (source, topic) in TOPICS.items():
        yield DeclareLaunchArgument(argument, default_value=topic, description=f"Topic that feeds {source}")


def generate_launch_description():
    dds_profile = str(SHARE / "config" / "fastdds.xml")
    rules = []
    for argument, (source, _) in TOPICS.items():
        rules += ["-r", [f"{source}:=", LaunchConfiguration(argument)]]
    nodes = Node(
        package="isobath",
        executable="perception",
        # No name: the process holds three nodes, and a name given here would be given to all.
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), {"use_sim_time": LaunchConfiguration("use_sim_time")}],
        arguments=["--ros-args", *rules],
        output="screen",
    )
    profile = [
        SetEnvironmentVariable(variable, dds_profile)
        for variable in DDS_PROFILE_VARIABLES
        if not os.environ.get(variable)
    ]
    return LaunchDescription([*arguments(), *profile, nodes])
