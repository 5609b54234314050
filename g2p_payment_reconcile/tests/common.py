"""A sent batch whose answers do not fit, and the people who decide."""

from datetime import timedelta
from decimal import Decimal

from odoo import fields

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, OutcomeStatus
from odoo.addons.g2p_payment_hub.tests.common import PaymentHubCase

PAID, FAILED, WAITING, SUSPECT, HELD = (
    OutcomeStatus.PAID,
    OutcomeStatus.FAILED,
    OutcomeStatus.WAITING,
    OutcomeStatus.SUSPECT,
    OutcomeStatus.HELD,
)
EXCEPTION = "g2p.payment.exception"


class DecisionCase(PaymentHubCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.finance_user
        cls.second = cls._user("finance_2", "g2p_programs.g2p_finance_validator")
        cls.third = cls._user("finance_3", "g2p_programs.g2p_finance_validator")

    def _pull(self, batch):
        batch.submission_ids._pull()
        self.env.flush_all()
        self.env.invalidate_all()

    def _say(self, payments, status, **values):
        """The payment system's whole next answer about these payments, and the question."""
        self.hub.told.clear()
        for payment in payments:
            self.hub.tell(payment, status, **values)
        self._pull(payments.batch_id)

    def _exceptions(self, batch):
        return self.env[EXCEPTION].search([("batch_id", "=", batch.id)], order="id")

    def _letter(self, user=None, **values):
        return (
            self.env["ir.attachment"]
            .with_user(user or self.first)
            .create({"name": "letter.pdf", "raw": b"The bank's letter", **values})
        )

    def _propose(self, exceptions, decision, reason="Letter of the bank of 3 March", user=None, files=None):
        """What the wizard does."""
        wizard = (
            self.env["g2p.payment.exception.decide.wizard"]
            .with_user(user or self.first)
            .create(
                {
                    "exception_ids": [fields.Command.set(exceptions.ids)],
                    "decision": decision,
                    "reason": reason,
                    "attachment_ids": [fields.Command.set(files.ids if files else [])],
                }
            )
        )
        wizard.action_decide()

    def _undo(self, exceptions, step, user, reason="It was another batch's letter"):
        """Sends back or takes back, as the wizard does."""
        wizard = self.env["g2p.payment.exception.undo.wizard"].with_user(user)
        values = {"exception_ids": [fields.Command.set(exceptions.ids)], "step": step, "reason": reason}
        wizard.create(values).action_undo()

    def _decide(self, exceptions, decision, files=None):
        """Two people, one after the other."""
        if decision == "declare_paid" and files is None:
            files = self._letter()
        self._propose(exceptions, decision, files=files)
        exceptions.with_user(self.second).action_confirm()
        self.env.flush_all()
        self.env.invalidate_all()

    def _deadline_passes(self, batch):
        batch.submission_ids.ended_at -= timedelta(hours=self.gateway.result_hours + 1)

    def _aside(self):
        """(batch, payment): the payment was taken out of the batch before that was sent."""
        batch = self._prepared(2)
        aside = batch.payment_ids[0]
        aside.sudo().account_number = False
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertFalse(aside.batch_id or aside.check_problem)
        return batch, aside

    def _doubtful(self, count=1):
        """A batch whose payments are doubtful, and their exceptions."""
        batch = self._sent(count)
        self._say(batch.payment_ids, SUSPECT, remote_reference="r1", remote_status="COMPLETED")
        return batch, self._exceptions(batch)

    def _late(self):
        """A payment that failed, and is now said to be paid."""
        batch = self._sent()
        self._say(batch.payment_ids, FAILED, remote_reference="r1", reason="No such payee")
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        return batch, self._exceptions(batch)

    def _returned(self):
        batch = self._sent()
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self._say(batch.payment_ids, FAILED, remote_reference="r1", failure_type=FailureType.RETURNED)
        return batch, self._exceptions(batch)

    def _other_money(self):
        batch = self._sent()
        self._say(batch.payment_ids, PAID, remote_reference="r1", amount=Decimal("99.50"))
        return batch, self._exceptions(batch)
