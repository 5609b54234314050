"""Signatures by Mojaloop's own JavaScript library, to hold others against.

with NodeJws(steps.mojaloop.install()) as node:
    headers = node.sign("POST", "/quotes", {"FSPIOP-Source": "userdfsp"}, body, private_pem)
    assert node.validate(headers, body, {"userdfsp": public_pem}) is None
"""

import json
import os
import subprocess
from pathlib import Path

_SCRIPT = Path(__file__).resolve().parent / "mojaloop_peers" / "js" / "jws.js"
_LIBRARY = Path("@mojaloop") / "sdk-standard-components"
# Whose copy of the library: the scheme adapter has 17.4.0, the Testing Toolkit 19.18.8.
LIBRARIES = {"adapter": _LIBRARY, "toolkit": Path("ml-testing-toolkit") / "node_modules" / _LIBRARY}


class NodeJws:
    """`of` chooses among LIBRARIES. One process for all calls; not for several threads at a time."""

    def __init__(self, software, of="adapter"):
        self._words = [str(software.node), str(_SCRIPT)]
        self._variables = {**os.environ, "PEERS_LIBRARY": str(software.modules / LIBRARIES[of])}
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._variables
        )
        return self

    def __exit__(self, *_details):
        # The end of its input is its end.
        self._process.communicate(timeout=10)

    def sign(self, method, uri, headers, body, key):
        """The headers in lower case, and those of the signature; `body` is text, `key` a private key, PEM."""
        given = {"method": method, "uri": uri, "headers": headers, "body": body, "key": key}
        return self._ask("sign", **given)["headers"]

    def validate(self, headers, body, keys):
        """None when the signature is good, or why it is not; `keys` are public keys in PEM, by FSP."""
        answer = self._ask("validate", headers=headers, body=body, keys=keys)
        return None if answer["valid"] else answer["why"]

    def _ask(self, action, **given):
        self._process.stdin.write(json.dumps({"do": action, **given}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer
