"""Makes the model folders Isobath runs."""
