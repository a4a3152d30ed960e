"""`depth_s`: metric depth from an image and a radar prior, small enough for a plain core."""
