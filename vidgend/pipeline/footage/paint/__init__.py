"""Painted footage: `python -m vidgend.pipeline.footage.paint RECIPE` writes raw rgb24 frames to stdout.

    recipe.py    the JSON that says what to paint
    palette.py   colours by time of day and mood
    noise.py     tileable noise and how to sample it
    canvas.py    the half-size float picture that a scene paints on
    finish.py    upscaling, grain and crisp full-size silhouettes: canvas -> rgb24
    scenes.py    theme -> scene
    the rest     one file per family of scenes, and the parts they share (sky, water, land, particles)

A scene is a function of time: frame k is the same whatever the number of frames asked for.
"""
