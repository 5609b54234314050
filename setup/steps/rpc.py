"""Odoo's JSON-RPC, as a person's browser or another system would use it; the same on 17.0 and 19.0."""

import http.cookiejar
import json
import urllib.error
import urllib.request


class Fault(Exception):
    """Odoo answered with an error; the text is what a person would read."""

    def __init__(self, error):
        data = error.get("data") or {}
        super().__init__(data.get("message") or error.get("message"))
        self.kind = data.get("name", "")
        self.debug = data.get("debug", "")


class Browser:
    """One user's session, for what is downloaded."""

    def __init__(self, url, database, login, password):
        self.url = url.rstrip("/")
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        params = {"db": database, "login": login, "password": password}
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}).encode()
        request = urllib.request.Request(
            f"{self.url}/web/session/authenticate", data=body, headers={"Content-Type": "application/json"}
        )
        with self._opener.open(request, timeout=120) as response:
            answer = json.load(response)
        if "error" in answer:
            raise Fault(answer["error"])

    def get(self, path):
        """The content at a path of the server."""
        with self._opener.open(self.url + path, timeout=120) as response:
            return response.read()


class Client:
    """One user in one database."""

    def __init__(self, url, database, login, password, timeout=120):
        self.url, self.database, self.login, self.password = url.rstrip("/"), database, login, password
        self.timeout = timeout
        self.uid = self.call("common", "login", database, login, password)
        if not self.uid:
            raise Fault({"message": f"{login} cannot log in to {database}"})

    def execute_kw(self, model, method, args=(), kwargs=None):
        return self.call(
            "object",
            "execute_kw",
            self.database,
            self.uid,
            self.password,
            model,
            method,
            list(args),
            kwargs or {},
        )

    def search(self, model, domain=(), **options):
        return self.execute_kw(model, "search", [list(domain)], options)

    def search_count(self, model, domain=()):
        return self.execute_kw(model, "search_count", [list(domain)])

    def search_read(self, model, domain=(), fields=(), **options):
        return self.execute_kw(model, "search_read", [list(domain), list(fields)], options)

    def read(self, model, ids, fields):
        return self.execute_kw(model, "read", [list(ids), list(fields)])

    def create(self, model, values):
        """The id of a new record, or the ids when values is a list."""
        return self.execute_kw(model, "create", [values])

    def write(self, model, ids, values):
        return self.execute_kw(model, "write", [list(ids), values])

    def button(self, model, ids, method, **context):
        """Press a button of the records' form."""
        return self.execute_kw(model, method, [list(ids)], {"context": context} if context else {})

    def ref(self, external_id):
        """The id of the record with the external identifier."""
        module, name = external_id.split(".")
        domain = [("module", "=", module), ("name", "=", name)]
        found = self.search_read("ir.model.data", domain, ["res_id"])
        if not found:
            raise Fault({"message": f"no record {external_id} in {self.database}"})
        return found[0]["res_id"]

    def call(self, service, method, *args):
        params = {"service": service, "method": method, "args": args}
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}).encode()
        request = urllib.request.Request(
            f"{self.url}/jsonrpc", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=self.timeout) as response:
            answer = json.load(response)
        if "error" in answer:
            raise Fault(answer["error"])
        return answer.get("result")
