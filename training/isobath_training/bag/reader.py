"""Opening a recording to read."""

from pathlib import Path

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore


def open_bag(path: Path, refused: type[Exception]) -> AnyReader:
    """The open reader of a bag, to be closed. What is none raises `refused`, in one line."""
    if not path.exists():
        raise refused(f"{path}: expected a bag, found nothing there")
    try:
        reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        reader.open()
    except (AnyReaderError, OSError, ValueError) as error:
        raise refused(f"{path}: expected a bag: {error}") from None
    return reader
