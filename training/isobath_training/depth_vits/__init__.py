"""Vision transformers whose weights others publish: radarmeetsvision and Depth Anything V2 (metric), ViT-S."""
