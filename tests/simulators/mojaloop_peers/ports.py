"""Ports of the peers' own.

They lie below those that the kernel gives to outgoing connections: a restart finds them free.
"""

import json
import random
import socket

_ADDRESS = "127.0.0.1"
_FIRST, _LAST = 15000, 32000


def choose(names, path):
    """{name: port}: those written down in the file if all of them are free, or else new ones."""
    if path.exists():
        ports = json.loads(path.read_text())
        if set(ports) == set(names) and all(map(_is_free, ports.values())):
            return ports
    numbers = (number for number in random.sample(range(_FIRST, _LAST), 1000) if _is_free(number))
    ports = {name: next(numbers) for name in names}
    path.write_text(json.dumps(ports))
    return ports


def answers(port):
    try:
        with socket.create_connection((_ADDRESS, port), timeout=1):
            return True
    except OSError:
        return False


def _is_free(port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_ADDRESS, port))
        except OSError:
            return False
    return True
