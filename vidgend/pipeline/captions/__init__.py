"""What captions look like: presets, colours, fonts, and where lines may break. Nothing here knows of jobs."""
