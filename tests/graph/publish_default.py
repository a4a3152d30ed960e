"""`publish_big.py` with Fast DDS as it comes, without the package's profile."""

import os
import sys

os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"] = ""
os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = ""

import publish_big  # noqa: E402

if __name__ == "__main__":
    publish_big.main(float(sys.argv[1]), clouds_wanted=False)
