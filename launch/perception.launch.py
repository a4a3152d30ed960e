"""Starts the perception suite: depth and 3D detection, in one process by default.

    ros2 launch isobath perception.launch.py image:=/front/image_raw camera_info:=/front/camera_info \
        radar_0:=/radar/points lidar:=/lidar/points
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

SHARE = Path(get_package_share_directory("isobath"))

# Fast DDS 2 and 3 look for their profile under different names; other middlewares look at neither.
DDS_PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

# Input topics of the nodes, with what each is renamed to by the launch argument of the name on the left.
TOPICS = {
    "image": "image",
    "camera_info": "camera_info",
    "radar_0": "radar_0/points",
    "radar_1": "radar_1/points",
    "radar_2": "radar_2/points",
    "radar_3": "radar_3/points",
    "lidar": "lidar/points",
}


def arguments():
    """Every launch argument with its default."""
    yield DeclareLaunchArgument(
        "executable",
        default_value="perception",
        choices=["perception", "depth", "detection"],
        description="Which nodes to start: both in one process, or one of them",
    )
    yield DeclareLaunchArgument("namespace", default_value="", description="Namespace of the nodes and of RViz")
    yield DeclareLaunchArgument(
        "params_file",
        default_value=str(SHARE / "config" / "perception.yaml"),
        description="ROS parameter file of the nodes",
    )
    yield DeclareLaunchArgument(
        "use_sim_time", default_value="false", choices=["true", "false"], description="Take the time from /clock"
    )
    yield DeclareLaunchArgument(
        "log_level",
        default_value="info",
        choices=["debug", "info", "warn", "error", "fatal"],
        description="Least severe messages that are logged",
    )
    yield DeclareLaunchArgument(
        "use_rviz",
        default_value="false",
        choices=["true", "false"],
        description="Start RViz (package rviz2) with the suite's displays",
    )
    for argument, topic in TOPICS.items():
        yield DeclareLaunchArgument(argument, default_value=topic, description=f"Topic that feeds {topic}")


def generate_launch_description():
    dds_profile = str(SHARE / "config" / "fastdds.xml")
    remappings = [(topic, LaunchConfiguration(argument)) for argument, topic in TOPICS.items()]
    remappings.append(("image/compressed", [LaunchConfiguration("image"), "/compressed"]))
    sim_time = {"use_sim_time": LaunchConfiguration("use_sim_time")}

    nodes = Node(
        package="isobath",
        executable=LaunchConfiguration("executable"),
        # No name: the process may hold two nodes, and a name given here would be given to both.
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), sim_time],
        remappings=remappings,
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
    )
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        namespace=LaunchConfiguration("namespace"),
        parameters=[sim_time],
        remappings=remappings,
        arguments=["--display-config", str(SHARE / "config" / "isobath.rviz")],
        condition=IfCondition(LaunchConfiguration("use_rviz")),
    )
    profile = [
        SetEnvironmentVariable(variable, dds_profile)
        for variable in DDS_PROFILE_VARIABLES
        if not os.environ.get(variable)
    ]
    return LaunchDescription([*arguments(), *profile, nodes, rviz])
