"""Statements and result files about sent batches, for the tests of evidence."""

import base64

from odoo import fields

from .common import DecisionCase

EVIDENCE = "g2p.payment.evidence"
MAPPING = "g2p.payment.evidence.mapping"
UPLOAD = "g2p.payment.evidence.upload.wizard"
HEADER = "ref,tx,to,amount,currency,status,day,code,why"


class EvidenceCase(DecisionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapping = cls._mapping()
        cls.today = fields.Date.today()

    @classmethod
    def _mapping(cls, **values):
        return cls.env[MAPPING].create(
            {
                "name": "Hub's result file",
                "gateway_id": cls.gateway.id,
                "reference_column": "ref",
                "remote_reference_column": "tx",
                "payee_column": "to",
                "amount_column": "amount",
                "currency_column": "currency",
                "status_column": "status",
                "date_column": "day",
                "reason_code_column": "code",
                "reason_column": "why",
                "paid_words": "Done",
                "failed_words": "Rejected",
                "returned_words": "Returned",
                "waiting_words": "Open",
                **values,
            }
        )

    def _row(
        self,
        payment=None,
        status="Done",
        reference=None,
        tx="",
        to="",
        amount="100.00",
        currency="USD",
        day=None,
        code="",
        why="",
    ):
        reference = payment.name if payment and reference is None else reference or ""
        return f"{reference},{tx},{to},{amount},{currency},{status},{day or self.today},{code},{why}"

    def _csv(self, *rows):
        return "\n".join([HEADER, *rows]).encode()

    def _upload(self, content, user=None, mapping=True, name="statement.csv", gateway=None):
        """What the wizard does."""
        gateway = gateway or self.gateway
        wizard = (
            self.env[UPLOAD]
            .with_user(user or self.first)
            .create(
                {
                    "gateway_id": gateway.id,
                    "mapping_id": self.mapping.id if mapping is True else mapping and mapping.id,
                    "file": base64.b64encode(content),
                    "filename": name,
                }
            )
        )
        evidence = self.env[EVIDENCE].browse(wizard.action_upload()["res_id"])
        self.env.flush_all()
        self.env.invalidate_all()
        return evidence

    def _read(self, *rows, **values):
        return self._upload(self._csv(*rows), **values)

    def _apply(self, evidence, user=None):
        """What the button does, with what the page shows."""
        as_seen = evidence.with_user(user or self.second).with_context(preview=evidence.preview)
        result = as_seen.action_apply()
        self.env.flush_all()
        self.env.invalidate_all()
        return result

    def _told(self, evidence):
        return [(line.match, line.basis, line.effect) for line in evidence.line_ids.sorted("id")]

    def _facts(self, batch):
        names = ("state", "status", "status_is_final", "amount_paid", "failure_reason", "attention")
        return batch.payment_ids.sorted("id").read(names) + batch.read(["batch_state", "stats_paid_amount"])

    def _camt(self, *entries, account="1"):
        """A bank statement; entries of (reference, amount, indicator, bank's number)."""
        texts = [
            f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{indicator}</CdtDbtInd>'
            f"<RvslInd>{'true' if indicator == 'CRDT' else 'false'}</RvslInd><Sts>BOOK</Sts>"
            f"<BookgDt><Dt>{self.today}</Dt></BookgDt><AcctSvcrRef>{own}</AcctSvcrRef><BkTxCd/><NtryDtls>"
            f"<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"
            for reference, amount, indicator, own in entries
        ]
        return self._bank_message(
            "camt.053.001.02",
            "BkToCstmrStmt",
            "<Stmt><Id>1</Id><CreDtTm>2026-01-01T00:00:00</CreDtTm><Acct><Id><Othr>"
            f"<Id>{account}</Id></Othr></Id></Acct>" + "".join(texts) + "</Stmt>",
        )

    def _notification(self, *entries):
        """The same as a notification (camt.054)."""
        message = self._camt(*entries).decode()
        for name, other in (("053", "054"), ("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn"), ("Stmt>", "Ntfctn>")):
            message = message.replace(name, other)
        return message.encode()

    def _pain(self, *transactions):
        """A status report; transactions of (reference, status, reason code, amount)."""
        texts = [
            f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
            + (f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else "")
            + (
                f'<OrgnlTxRef><Amt><InstdAmt Ccy="USD">{amount}</InstdAmt></Amt></OrgnlTxRef>'
                if amount
                else ""
            )
            + "</TxInfAndSts>"
            for reference, status, code, amount in transactions
        ]
        return self._bank_message(
            "pain.002.001.03",
            "CstmrPmtStsRpt",
            "<OrgnlGrpInfAndSts><OrgnlMsgId>1</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId>"
            "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>1</OrgnlPmtInfId>"
            + "".join(texts)
            + "</OrgnlPmtInfAndSts>",
        )

    def _bank_message(self, kind, root, content):
        head = "<GrpHdr><MsgId>1</MsgId><CreDtTm>2026-01-01T00:00:00</CreDtTm></GrpHdr>"
        namespace = f"urn:iso:std:iso:20022:tech:xsd:{kind}"
        return f'<Document xmlns="{namespace}"><{root}>{head}{content}</{root}></Document>'.encode()
