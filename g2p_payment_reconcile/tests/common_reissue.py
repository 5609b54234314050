"""Batches that end well and badly, what is issued again, and the statement of it."""

from datetime import timedelta

from odoo import fields

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType
from odoo.addons.g2p_payment_hub.tests.common_rights import RightsCase

from .common import FAILED, PAID, SUSPECT


class ReissueCase(RightsCase):
    def _entitle_others(self, count):
        """Beside the two of RightsCase, in the same batch: with numbers of their own."""
        first = self.env["g2p.phone.number"].search_count([])
        for number in range(first, first + count):
            self._entitle(phone=f"+2771390{number:04d}")

    def _pull(self, batch):
        """Asks the hub, with everything that it has been made to tell."""
        batch.submission_ids.next_poll_at = fields.Datetime.now() - timedelta(seconds=1)
        batch.submission_ids._pull()
        self.hub.told.clear()
        batch.invalidate_recordset()

    def _decides(self, exceptions, decision):
        """Two finance users, with evidence."""
        first, second = self.finance_user, self.users["finance"]
        letter = self.env["ir.attachment"].with_user(first).create({"name": "Letter", "raw": b"paid"})
        exceptions.with_user(first)._propose(decision, "Letter of the bank", letter)
        exceptions.with_user(second).filtered(lambda one: one.state == "proposed").action_confirm()

    def _fails(self, payments, kind=FailureType.TECHNICAL, **values):
        for payment in payments:
            self.hub.tell(payment, FAILED, failure_type=kind, reason="no", **values)

    def _pays(self, payments):
        for payment in payments:
            self.hub.tell(payment, PAID, remote_reference=f"r-{payment.id}")

    def _wizard(self, source, user=None):
        action = source.with_user(user or self.manager_user).action_reissue_failed()
        return self.env[action["res_model"]].with_user(user or self.manager_user).browse(action["res_id"])

    def _reissue(self, source):
        """What the button of the wizard does with what it proposes; the new batches."""
        Batch = self.env["g2p.payment.batch"]
        before = Batch.search([])
        self.said = self._wizard(source).action_reissue()
        return Batch.search([], order="id") - before

    def _line(self, wizard, payment):
        return wizard.line_ids.filtered(lambda line: line.payment_id == payment)


class StatementCase(ReissueCase):
    def _story(self):
        """A batch of four: one paid, one failed and issued again, one declared paid by two people, one
        open."""
        self._entitle_others(2)
        batch = self._sent()
        paid, failed, doubt, waiting = batch.payment_ids.sorted("id")
        self._pays(paid)
        self._fails(failed)
        self.hub.tell(doubt, SUSPECT, remote_reference="r9")
        self._pull(batch)
        self._decides(doubt.exception_ids, "declare_paid")
        self._reissue(batch)
        return batch, paid, failed, doubt, waiting

    def _sections(self, batch):
        titles = "facts totals failures returns exceptions reissues runs trail payments".split()
        statement = batch.with_user(self.finance_user)._statement()
        return dict(zip(titles, statement, strict=True))
