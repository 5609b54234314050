"""ph-ee-bulk-processor v1.13.1: POST /batchtransactions and POST /authorization/callback.

The order of the checks is the original's: signature, headers, type, file name, size, columns, rows, tenant.
"""

import json
from datetime import datetime, timezone

from . import csv_file, multipart, pipeline, raw_json, signature
from .errors import advice, file_error, hub_error, type_error
from .settings import MAX_CSV_BYTES
from .web import Response, Routes, answer

REQUIRED = ("X-CorrelationID", "Purpose", "Type", "Platform-TenantId")


class Stop(Exception):
    """Ends the handling of a request with this response."""

    def __init__(self, response):
        super().__init__(response.status)
        self.response = response


class BulkApi:
    def __init__(self, hub, signing_key, certificate_text):
        self.hub, self.settings = hub, hub.settings
        self._numbers = signing_key.private_numbers()
        self._certificate = certificate_text
        self._routes = Routes(
            ("POST", "/batchtransactions", self._batch_transactions),
            ("POST", "/authorization/callback", self._authorization),
            ("POST", "/simulate", lambda _request: Response()),
        )

    def __call__(self, request):
        try:
            if not self.settings.no_jws and "authorization/callback" not in request.target:
                self._check_signature(request)
            response = self._routes(request) or self._not_found(request)
        except Stop as stop:
            response = stop.response
        return self._signed(response)

    def _not_found(self, request):
        """What Spring Boot says of an unknown path."""
        moment = datetime.fromtimestamp(self.hub.clock.shown(), timezone.utc)
        body = {
            "timestamp": moment.isoformat(timespec="milliseconds"),
            "status": 404,
            "error": "Not Found",
            "path": request.path,
        }
        return answer(404, body)

    def _signed(self, response):
        """Responses are signed over the body alone, and not at all when there is none."""
        if response.body and not self.settings.no_jws:
            response.headers["X-SIGNATURE"] = signature.sign(self._numbers, response.body.decode())
        return response

    # -- signature -------------------------------------------------------------------------------------

    def _check_signature(self, request):
        payload = self._payload(request)
        given = request.headers.get("X-SIGNATURE")
        try:
            signature.verify(
                self._numbers.public_numbers, given, signature.signed_text(request.headers, payload)
            )
        except signature.ForeignSignature:
            leak = f"Check that the public key is that of the sender: {self._certificate}"
            raise Stop(_jws_error(400, "InvalidPublicKeyConfigured", leak)) from None
        except signature.OtherData:
            raise Stop(_jws_error(400, "InvalidJsonWebSignature", "", [("X-SIGNATURE", given)])) from None

    def _payload(self, request):
        if request.method == "GET":
            return ""
        content_type = request.headers.get("Content-Type")
        if content_type is None:
            raise Stop(_jws_error(500, "JWSVerificationServerError", "No content type"))
        if multipart.is_multipart(content_type):
            boundary = multipart.boundary_of(content_type)
            return multipart.first_part(request.body, boundary, self.settings.charset)
        return self._text(request)

    def _text(self, request):
        return request.body.decode(self.settings.charset, "replace")

    # -- batches ---------------------------------------------------------------------------------------

    def _batch_transactions(self, request):
        headers = self._headers(request)
        if multipart.is_multipart(request.headers["Content-Type"]):
            text = "" if self.settings.no_jws else self._payload(request)
            file_name = headers["filename"]
            if "/" in file_name:
                raise Stop(answer(500, advice(f"java.nio.file.NoSuchFileException: {file_name}")))
        else:
            text, file_name = self._from_json(request), f"{pipeline.new_id()}.csv"
        self._check_file(text, file_name)
        return self._start(headers, text, file_name)

    def _headers(self, request):
        """The headers that are asked for by name, after the checks that are made on them."""
        found = {name: request.headers.get(name) for name in (*REQUIRED, "filename")}
        for name in REQUIRED:
            if found[name] is None:
                text = f"Required request header '{name}' for method parameter type String is not present"
                raise Stop(answer(500, advice(text)))
        content_type = request.headers.get("Content-Type")
        if content_type is None or (multipart.is_multipart(content_type) and found["filename"] is None):
            raise Stop(answer(500, advice("null")))
        expected = "csv" if multipart.is_multipart(content_type) else "raw"
        if found["Type"].lower() != expected or (expected == "csv" and not found["filename"]):
            raise Stop(answer(400, type_error()))
        return {
            **found,
            "institution": request.headers.get("X-Registering-Institution-ID"),
            "program": request.headers.get("X-Program-ID"),
            "callback_url": request.headers.get("X-CallbackURL"),
        }

    def _from_json(self, request):
        """Raw mode: the rows as the file that the original writes for them."""
        try:
            return csv_file.write_rows(raw_json.read_rows(self._text(request)))
        except (ValueError, AttributeError, LookupError, TypeError) as error:
            raise Stop(answer(500, advice(f"JSON parse error: {error}"))) from None

    @staticmethod
    def _check_file(text, file_name):
        if not file_name.endswith(".csv"):
            description = (
                "The file uploaded has a different extension. Please upload a csv file and try again."
            )
            raise Stop(answer(400, file_error("Broken file", description)))
        if len(text.encode()) > MAX_CSV_BYTES:
            description = "The file uploaded is too big. Please upload a file and try again."
            raise Stop(answer(400, file_error("File too big", description)))
        if not csv_file.header_is_known(text):
            description = "The file uploaded contains wrong structure. Please upload correct file columns."
            raise Stop(answer(400, file_error("Invalid file structure", description)))

    def _start(self, headers, text, file_name):
        """202, unless the rows cannot be read (200 and an empty body) or nobody serves the tenant (412)."""
        try:
            rows = csv_file.read_rows(text)
        except csv_file.RowError:
            return Response(200)
        paid_by = pipeline.with_budget(rows, self.hub.budgets, headers["institution"], headers["program"])
        if paid_by is not None:
            rows, text = paid_by, csv_file.write_rows(paid_by)
        tenant = headers["Platform-TenantId"]
        if tenant not in self.settings.tenants:
            return answer(412, advice("Process definition not found"))
        upload = {
            "tenant": tenant,
            "correlation_id": headers["X-CorrelationID"],
            "file_name": file_name,
            "institution": headers["institution"],
            "program": headers["program"],
            "callback_url": headers["callback_url"],
        }
        batch = self.hub.accept(upload, text, rows)
        path = f"/batch/Summary/{batch['batch_id']}"
        seconds = str(self.settings.polling_seconds)
        return answer(202, {"PollingPath": path, "SuggestedCallbackSeconds": seconds})

    # -- authorization ---------------------------------------------------------------------------------

    def _authorization(self, request):
        """{"clientCorrelationId", "status", "reason"}: only "Y" lets a waiting batch go on."""
        try:
            verdict = json.loads(request.body)
            self.hub.authorize(str(verdict.get("clientCorrelationId")), verdict.get("status"))
        except (ValueError, AttributeError) as error:
            return answer(500, advice(f"JSON parse error: {error}"))
        return Response()


def _jws_error(status, code, developer, parameters=None):
    description = "The signature could not be verified"
    return answer(status, hub_error(code, description, developer, parameters))
