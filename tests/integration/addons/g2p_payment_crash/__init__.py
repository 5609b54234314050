from . import checkpoints, waits


def post_load():
    waits.take_out()
    checkpoints.watch()
