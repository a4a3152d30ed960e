"""Recordings of a user's own robot as arrays to train on: images, radar returns, and LiDAR points as sparse truth."""
