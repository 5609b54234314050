from . import checkpoints, waits


def post_load():
    waits.shorten()
    checkpoints.watch()
