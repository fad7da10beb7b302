"""A client for a running vidgend, on the standard library alone."""
