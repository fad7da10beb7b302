import click
JOB_COMMANDS = ()
