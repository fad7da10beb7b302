"""The Model Context Protocol: vidgend as the tools, resources and prompts of an agent, at /mcp and on stdio.

Nothing here is imported before a client asks for it: the SDK takes a second and 30 MB.
"""
