"""vidgend: a self-hosted daemon that turns a text prompt into a finished video."""

__version__ = "0.1.0"
