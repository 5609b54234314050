from . import checkpoints, haste


def post_load():
    haste.make()
    checkpoints.watch()
