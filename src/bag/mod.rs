//! rosbag2 recordings: MCAP and SQLite3 in, MCAP out, one message at a time.
