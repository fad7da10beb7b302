"""Model files: which there are, where they lie, whether they are whole, and how they get here.

Only the command line imports this; neither the daemon nor a step of a job can, so nothing is ever fetched in the
middle of a request. What is here is found by the engines themselves, in the same places.
"""
