"""`detector_s`: LiDAR sweeps → boxes, computed only where there are points."""
