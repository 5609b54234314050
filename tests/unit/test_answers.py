"""What an answer means: whatever may hide an accepted batch is unknown, never refused and never not sent."""

import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest

from g2p_payment_hub.client import answers
from g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from g2p_payment_hub.client.http import Answer
from g2p_payment_hub.client.outcomes import OutcomeStatus

ACCEPTED = {"PollingPath": "/batch/Summary/5b1c-aa", "SuggestedCallbackSeconds": "120"}
SIGNATURE_ERROR = {
    "errorCategory": "Validation",
    "errorCode": "InvalidJsonWebSignature",
    "errorDescription": "Invalid signature",
    "developerMessage": "a certificate",
    "errorParameters": [{"key": "X-SIGNATURE", "value": "sent"}],
}
TYPE_ERROR = {"errorInformation": "File not uploaded", "errorDescription": "No file", "errorCode": 400}
FILE_ERROR = {"Error Information: ": "File too big", "Error Description : ": "Too big"}
ADVICE = {"responseCode": "01", "responseDescription": "Required request header 'Purpose' is not present"}
HTML = b"<html><h1>Bad Gateway</h1></html>"


def answered(status, body=b""):
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def error(status, body=b""):
    with pytest.raises(GatewayError) as caught:
        answers.receipt(answered(status, body))
    return caught.value


class TestAccepted:
    def test_receipt(self):
        receipt = answers.receipt(answered(202, ACCEPTED))
        assert (receipt.reference, receipt.poll_after) == ("5b1c-aa", 120)

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("120", 120),
            (180, 180),
            ("9" * 5000, 3600),
            ("-5", 0),
            ("1.5", 0),
            ("\u0661", 0),
            (None, 0),
            ([], 0),
            (True, 0),
        ],
    )
    def test_suggested_seconds(self, value, seconds):
        body = {**ACCEPTED, "SuggestedCallbackSeconds": value}
        assert answers.receipt(answered(202, body)).poll_after == seconds

    @pytest.mark.parametrize(
        "path", [None, "", "/", 7, [], "/batch/Summary/ ", "/batch/Summary/x?y=1", "/" + "x" * 65, "/a\nb"]
    )
    def test_no_batch_to_ask_for(self, path):
        told = error(202, {"PollingPath": path})
        assert type(told) is OutcomeUnknown and told.reason is Reason.NOT_UNDERSTOOD

    @pytest.mark.parametrize(
        "body", [b"", b"{}", b"[]", b'"x"', HTML, b'{"PollingPath": "/a", "PollingPath": "/b"}', b"\xff\x00"]
    )
    def test_what_cannot_be_read(self, body):
        told = error(202, body)
        assert type(told) is OutcomeUnknown and told.reason is Reason.NOT_UNDERSTOOD


class TestNotAccepted:
    """The table in `answers`, row by row."""

    @pytest.mark.parametrize(
        ("status", "body", "kind", "reason"),
        [
            (200, b"", OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (200, ACCEPTED, OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (200, SIGNATURE_ERROR, OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (201, b"", OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (204, b"", OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (302, b"", OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (303, b"", OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (304, b"", OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (301, b"", Refused, Reason.REDIRECTED),
            (307, HTML, Refused, Reason.REDIRECTED),
            (308, b"", Refused, Reason.REDIRECTED),
            (400, SIGNATURE_ERROR, Refused, Reason.SIGNATURE),
            (400, {"errorCode": "InvalidPublicKeyConfigured"}, Refused, Reason.SIGNATURE),
            (500, {"errorCode": "JWSVerificationServerError"}, Refused, Reason.SIGNATURE),
            (502, SIGNATURE_ERROR, OutcomeUnknown, Reason.SERVER_ERROR),
            (400, FILE_ERROR, Refused, Reason.FILE),
            (400, {"Error Information: ": "Broken file"}, Refused, Reason.FILE),
            (400, {"Error Information: ": "Invalid file structure"}, Refused, Reason.FILE),
            (413, HTML, Refused, Reason.FILE),
            (400, TYPE_ERROR, Refused, Reason.CONFIGURATION),
            (400, HTML, Refused, Reason.CONFIGURATION),
            (400, b"", Refused, Reason.CONFIGURATION),
            (401, HTML, Refused, Reason.CONFIGURATION),
            (403, b"", Refused, Reason.CONFIGURATION),
            (404, HTML, Refused, Reason.CONFIGURATION),
            (405, b"", Refused, Reason.CONFIGURATION),
            (407, b"", Refused, Reason.CONFIGURATION),
            (415, b"", Refused, Reason.CONFIGURATION),
            (429, {"message": "API rate limit exceeded"}, NotSent, Reason.BUSY),
            (412, {"responseCode": "01"}, OutcomeUnknown, Reason.TENANT),
            (408, b"", OutcomeUnknown, Reason.SERVER_ERROR),
            (409, b"", OutcomeUnknown, Reason.SERVER_ERROR),
            (499, b"", OutcomeUnknown, Reason.SERVER_ERROR),
            (500, ADVICE, OutcomeUnknown, Reason.SERVER_ERROR),
            (500, FILE_ERROR, OutcomeUnknown, Reason.SERVER_ERROR),
            (500, b"", OutcomeUnknown, Reason.SERVER_ERROR),
            (500, HTML, OutcomeUnknown, Reason.SERVER_ERROR),
            (502, HTML, OutcomeUnknown, Reason.SERVER_ERROR),
            (503, b"", OutcomeUnknown, Reason.SERVER_ERROR),
            (504, HTML, OutcomeUnknown, Reason.SERVER_ERROR),
        ],
    )
    def test_each(self, status, body, kind, reason):
        told = error(status, body)
        assert (type(told), told.reason) == (kind, reason)

    def test_only_few_answers_are_believed_to_be_a_refusal(self):
        """Of all that a server can say, whatever stands in the body."""
        for status in range(100, 600):
            for body in (b"", HTML, SIGNATURE_ERROR, FILE_ERROR, TYPE_ERROR, ADVICE):
                told = error(status, body)
                if not isinstance(told, OutcomeUnknown):
                    assert status in {301, 307, 308, 400, 401, 403, 404, 405, 407, 413, 415, 429, 500}
                    assert status != 500 or body is SIGNATURE_ERROR


class TestErrorBodies:
    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (SIGNATURE_ERROR, ("InvalidJsonWebSignature", "Invalid signature")),
            (TYPE_ERROR, ("File not uploaded", "No file")),
            (FILE_ERROR, ("File too big", "Too big")),
            (ADVICE, ("01", "Required request header 'Purpose' is not present")),
            ({"error": "invalid_token", "error_description": "expired"}, ("invalid_token", "expired")),
            ({"error": "Missing grant type"}, ("Missing grant type", "")),
            ({"timestamp": 1, "status": "401", "error": "Unauthorized"}, ("Unauthorized", "")),
            ({"errorCode": None}, ("", "")),
            ({}, ("", "")),
            ([], ("", "")),
            (b"", ("", "")),
            (b"Batch does not exist.", ("", "")),
            (HTML, ("", "")),
            (b"\xff\xfe", ("", "")),
            (b"[" * 100_000, ("", "")),
        ],
    )
    def test_each_shape(self, body, told):
        assert answers.error_of(answered(400, body)) == told

    def test_no_payee_gets_into_the_record(self):
        """Exception texts quote the row that they are about."""
        text = "For input: 0,A1,mojaloop,27713800001,10\n of DE89-3704-0044 or jane@example.org, column 22"
        told = error(500, {"responseCode": "01", "responseDescription": text})
        for secret in ("27713800001", "jane", "3704"):
            assert secret not in str(told)
        assert "column 22" in told.detail and "\n" not in told.detail

    def test_detail_is_short(self):
        assert len(error(500, {"responseCode": "01", "responseDescription": "x y " * 10_000}).detail) <= 300


def row(**changes):
    return {
        "transactionId": "hub-1",
        "clientCorrelationId": "ref-1",
        "status": "COMPLETED",
        "amount": "10",
        "currency": "USD",
        "completedAt": 1767600004999,
        "errorInformation": None,
        **changes,
    }


def outcome(**changes):
    return answers.outcome(row(**changes), "ref-1")


class TestRows:
    def test_paid(self):
        told = outcome()
        assert told.status is OutcomeStatus.PAID
        assert (told.reference, told.remote_reference, told.remote_status) == ("ref-1", "hub-1", "COMPLETED")
        assert (told.amount, told.currency) == (Decimal(10), "USD")
        assert told.completed_at == datetime(2026, 1, 5, 8, 0, 4, tzinfo=timezone.utc)

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("COMPLETED", OutcomeStatus.PAID),
            ("FAILED", OutcomeStatus.FAILED),
            ("IN_PROGRESS", OutcomeStatus.WAITING),
            ("UNKNOWN", OutcomeStatus.WAITING),
            ("EXCEPTION", OutcomeStatus.WAITING),
            ("RESERVED", OutcomeStatus.WAITING),
            ("completed", OutcomeStatus.WAITING),
            ("COMPLETED ", OutcomeStatus.WAITING),
            ("", OutcomeStatus.WAITING),
            (None, OutcomeStatus.WAITING),
            (1, OutcomeStatus.WAITING),
            (["COMPLETED"], OutcomeStatus.WAITING),
        ],
    )
    def test_words(self, word, status):
        assert outcome(status=word).status is status

    ERROR = {"errorCode": "PayeeNotFound", "errorDescription": "No such payee"}

    @pytest.mark.parametrize(
        "information",
        [
            ERROR,
            json.dumps(ERROR),
            json.dumps(json.dumps(ERROR)),
            json.dumps(json.dumps(ERROR))[1:-1],  # escaped, without the quotes that belong to it
            {"errorInformation": ERROR},
            json.dumps({"errorInformation": ERROR}),
            f"  {json.dumps(ERROR)}\n",
        ],
    )
    def test_error_information(self, information):
        told = outcome(status="FAILED", errorInformation=information)
        assert (told.reason_code, told.reason) == ("PayeeNotFound", "No such payee")
        assert told.status is OutcomeStatus.FAILED

    def test_error_information_as_a_sentence(self):
        told = outcome(status="FAILED", errorInformation="Duplicate transaction.")
        assert (told.status, told.reason_code) == (OutcomeStatus.FAILED, "")
        assert told.reason == "Duplicate transaction."

    @pytest.mark.parametrize(
        "information",
        [
            ERROR,
            json.dumps(ERROR),
            "Duplicate transaction.",
            {"errorCode": "3204"},
            {"errorDescription": "No such payee"},
            {"errorCode": 0},
            {"anything": "else"},
            {"errorInformation": "Payee rejected"},
            {},
            "{}",
            [],
            ["x"],
            False,
            0,
            '{"half": ',
            json.dumps(json.dumps(json.dumps(json.dumps(ERROR)))),
            "[" * 100_000,
        ],
    )
    def test_completed_with_error_information_is_suspect(self, information):
        told = outcome(errorInformation=information)
        assert told.status is OutcomeStatus.SUSPECT
        assert told.reason_code or told.reason
        assert len(told.reason) <= 300

    @pytest.mark.parametrize("information", [None, "", "  ", "null", '""', '"null"'])
    def test_no_error_information(self, information):
        told = outcome(errorInformation=information)
        assert (told.status, told.reason_code, told.reason) == (OutcomeStatus.PAID, "", "")

    @pytest.mark.parametrize(
        "code", ["TransactionExists", "TimeOut", "CommunicationError", "DestinationCommunicationError"]
    )
    def test_failed_but_may_be_paid(self, code):
        """An earlier try of the hub's own may have paid, or nobody heard what came of this one."""
        told = outcome(status="FAILED", errorInformation={"errorCode": code})
        assert told.status is OutcomeStatus.SUSPECT

    def test_waiting_with_error_information_waits(self):
        assert outcome(status="EXCEPTION", errorInformation=self.ERROR).status is OutcomeStatus.WAITING

    @pytest.mark.parametrize("amount", [None, "", "NaN", "Infinity", "ten", True, [], {}])
    def test_no_amount(self, amount):
        assert outcome(amount=amount).amount is None

    @pytest.mark.parametrize(("amount", "value"), [("10.10", "10.1"), (10, "10"), ("1E+2", "100"), (0, "0")])
    def test_amount(self, amount, value):
        assert outcome(amount=amount).amount == Decimal(value)

    @pytest.mark.parametrize("moment", [None, "2026-01-05", "1767600004999", 10**30, -(10**30), [], 1.5])
    def test_no_time(self, moment):
        assert outcome(completedAt=moment).completed_at is None

    def test_a_row_of_nothing(self):
        told = answers.outcome({}, "ref-1")
        assert (told.status, told.currency, told.remote_reference) == (OutcomeStatus.WAITING, "", "")


class TestReferences:
    @pytest.mark.parametrize(
        ("correlation", "transaction", "reference"),
        [
            ("ref-1", "hub-1", "ref-1"),
            ("random", "ref-1", "ref-1"),
            ('"ref-1"', "hub-1", "ref-1"),
            ("random", ' "ref-1" ', "ref-1"),
            ("ref-10", "hub-1", ""),
            (None, None, ""),
            (["ref-1"], {"a": 1}, ""),
            ("", "", ""),
        ],
    )
    def test_either_key_quoted_or_not(self, correlation, transaction, reference):
        told = answers.reference_of(
            {"clientCorrelationId": correlation, "transactionId": transaction}, {"ref-1", "ref-2"}
        )
        assert told == reference
