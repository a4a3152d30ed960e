"""A node that only moves the bytes, in rclpy: an image in, an image of 32-bit floats of the same size and
stamp out; or a cloud in, an empty list of detections out. What it takes is the transport's.

    python echo.py depth|detection [--executor single|events]
"""

import argparse
from array import array

from rclpy.node import Node
from sensor_msgs.msg import Image, PointCloud2
from vision_msgs.msg import Detection3DArray

from peer import LATEST, OUTPUT, spin


class DepthEcho(Node):
    def __init__(self):
        super().__init__("depth")
        self.create_subscription(Image, "image", self.on_image, LATEST)
        self.publisher = self.create_publisher(Image, "depth/image", OUTPUT)
        self.message = Image(encoding="32FC1")

    def on_image(self, message):
        out = self.message
        if (out.width, out.height) != (message.width, message.height):
            out.width, out.height, out.step = message.width, message.height, 4 * message.width
            out.data = array("B", bytes(out.step * out.height))
        out.header = message.header
        self.publisher.publish(out)


class DetectionEcho(Node):
    def __init__(self):
        super().__init__("detection")
        self.create_subscription(PointCloud2, "lidar/points", self.on_cloud, LATEST)
        self.publisher = self.create_publisher(Detection3DArray, "detections", OUTPUT)

    def on_cloud(self, message):
        self.publisher.publish(Detection3DArray(header=message.header))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["depth", "detection"])
    parser.add_argument("--executor", choices=["single", "events"], default="single")
    arguments = parser.parse_args()
    spin(DepthEcho if arguments.kind == "depth" else DetectionEcho, arguments.executor)
