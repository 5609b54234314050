"""Asks Mojaloop's own components (js/components.js)."""

import json
import subprocess
from pathlib import Path

_SCRIPT = Path(__file__).parent / "js" / "components.js"
_TOOLKIT = "ml-testing-toolkit"
_OUTBOUND = "sdk-scheme-adapter-outbound-v2_1_0-openapi3-snippets_2.1"


class Components:
    """`of` is whose: the scheme adapter's, or the newer ones of the Toolkit."""

    def __init__(self, software, of="adapter"):
        modules = software.modules if of == "adapter" else software.modules / _TOOLKIT / "node_modules"
        definitions = software.modules / _TOOLKIT / "spec_files" / "api_definitions"
        words = [software.node, _SCRIPT, modules, definitions / _OUTBOUND / "api_spec.yaml"]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._process.kill()
        self._process.wait()

    def ask(self, do, **question):
        self._process.stdin.write(json.dumps({"do": do, **question}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def sign(self, key, method, url, headers, body):
        """All headers of the request, as these components would send it."""
        request = {"method": method, "uri": url, "headers": dict(headers), "body": body}
        return self.ask("sign", key=key, request=request)["headers"]

    def validate(self, key, headers, body):
        """Why they would not take it, or None. They look at parsed bodies, and lower-case names of headers."""
        given = {name.lower(): value for name, value in headers.items()}
        request = {"headers": given, "body": body}
        return self.ask("validate", keys={given.get("fspiop-source", ""): key}, request=request)["error"]

    def misfits(self, path, method, body):
        """Where the body leaves the schema of the newer connector's outbound API."""
        return self.ask("fits", path=path, method=method, body=body)["errors"]
