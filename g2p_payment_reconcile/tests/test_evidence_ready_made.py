"""The mappings that come with the add-on read the files that they are for."""

from odoo.tests import tagged

from ..evidence import csv_file
from .common_evidence import EvidenceCase

MPESA_HEADER = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,"
    "Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No."
)
RESULT_HEADER = (
    "id,request_id,payment_mode,payer_identifier_type,payer_identifier,payee_identifier_type,"
    "payee_identifier,amount,currency,note,program_shortcode,cycle,status,error_code,error_description"
)


@tagged("post_install", "-at_install")
class TestReadyMade(EvidenceCase):
    def _ready_made(self, name):
        return self.env.ref(f"g2p_payment_reconcile.csv_mapping_{name}")

    def _lines(self, name, *rows):
        return csv_file.read("\n".join(rows).encode(), self._ready_made(name)._csv_mapping())

    def test_mpesa_organisation_statement(self):
        def row(receipt, moment, status, paid_in, withdrawn, kind, party):
            return (
                f'{receipt},{moment},{moment},Grant,{status},"{paid_in}","{withdrawn}","9,000.00",true,{kind},'
                f"{party},,"
            )

        pays = "Business Payment to Customer via API"
        lines = self._lines(
            "mpesa",
            "Organization Name:,MINISTRY OF TEST",
            "Time Period:,01-06-2026 - 30-06-2026",
            "",
            MPESA_HEADER,
            row("TA1", "2026-06-01 10:00:00", "Completed", "", "-1,500.00", pays, "254700000001 - AMINA A"),
            row("TA2", "02-06-2026 10:00:00", "Failed", "", "-1,500.00", pays, "254700000002 - JUMA B"),
            row("TA3", "2026-06-03 10:00:00", "Reversed", "", "-1,500.00", pays, "254700000003 - ZURI C"),
            row("TA4", "2026-06-04 10:00:00", "Completed", "1,500.00", "", pays, "254700000004 - OTIS D"),
            row("TA5", "2026-06-05 10:00:00", "Completed", "", "-22.40", "Pay Bill Charge", ""),
            row("TA6", "2026-06-06 10:00:00", "Completed", "", "-50.00", "Airtime Purchase", ""),
        )
        self.assertEqual(
            [line.status and line.status.value for line in lines],
            ["paid", "failed", "returned", "other", "other", None],
        )
        self.assertEqual([line.happened_on.day for line in lines[:5]], [1, 2, 3, 4, 5])
        first = lines[0]
        self.assertEqual(
            (first.remote_reference, first.payee, first.payee_name), ("TA1", "254700000001", "AMINA A")
        )
        self.assertEqual((str(first.amount), first.currency), ("1500.00", "KES"))

    def test_result_file_of_the_bulk_processor(self):
        failed, unknown = self._lines(
            "phee_result",
            RESULT_HEADER,
            "0,REF1,mojaloop,ACCOUNTID,123,MSISDN,27713800001,100,USD,x,,,Failed,404,Payee not found",
            "1,REF2,mojaloop,ACCOUNTID,123,MSISDN,27713800002,100,USD,x,,,Completed,,",
        )
        self.assertEqual(
            (failed.status.value, failed.reference, failed.reason), ("failed", "REF1", "Payee not found")
        )
        self.assertEqual((unknown.status, unknown.problem.value), (None, "status"))

    def test_detail_file_of_the_operations_app(self):
        def row(number, status, error, completed="2026-06-01 10:00:04.0"):
            parties = "payeefsp,27713800001,payerfsp,123"
            return f"{number},{status},{parties},100,USD,{error},2026-06-01 10:00:00.0,{completed},"

        theirs = "0c4e8a52-0c1e-4b52-9d8e-0a1b2c3d4e5f"
        lines = self._lines(
            "phee_detail",
            row("REF1", "COMPLETED", "null"),
            row(theirs, "COMPLETED", "null", "Mon Jun 01 13:00:04 EAT 2026"),
            row(
                "REF3",
                "FAILED",
                '{"errorCategory":"Business","errorCode":"PayeeNotFound","errorDescription":"a, b"}',
            ),
            row("REF4", "FAILED", '{"errorCode":"TimeOut","errorDescription":"c"}'),
            row("REF5", "COMPLETED", '{"errorCode":"3100","errorDescription":"d"}'),
            row("REF6", "IN_PROGRESS", "null", "null"),
            row("REF7", "FAILED", "Duplicate transaction."),
        )
        self.assertEqual(
            [line.status.value if line.status else line.problem.value for line in lines],
            ["paid", "paid", "failed", "doubtful", "paid_with_reason", "waiting", "failed"],
        )
        self.assertEqual([line.reference for line in lines[:3]], ["REF1", "", "REF3"])
        self.assertEqual((lines[1].remote_reference, lines[1].payee), (theirs, "27713800001"))
        self.assertEqual((lines[2].reason_code, lines[2].reason), ("PayeeNotFound", "a, b"))
        self.assertEqual({str(line.happened_on) for line in lines[:3]}, {"2026-06-01"})

    def test_a_ready_made_mapping_serves_any_gateway(self):
        batch = self._sent()
        payment = batch.payment_ids
        content = f"{RESULT_HEADER}\n0,{payment.name},m,A,1,MSISDN,1,100,USD,x,,,Failed,404,Payee not found"
        evidence = self._upload(content.encode(), mapping=self._ready_made("phee_result"))
        self.assertEqual(self._told(evidence), [("matched", "reference", "fails")])
