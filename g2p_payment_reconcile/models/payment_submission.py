import random
from datetime import timedelta

from odoo import _, api, fields, models

from odoo.addons.g2p_payment_hub.client.errors import GatewayError

USUAL_WAIT = 30  # seconds, where the payment system suggests none
SHORTEST_WAIT, LONGEST_WAIT = 5, 600
GROWTH = 1.5


class PaymentSubmission(models.Model):
    _inherit = "g2p.payment.submission"

    next_poll_at = fields.Datetime("Next Check", readonly=True, index=True)
    last_polled_at = fields.Datetime("Last Checked", readonly=True)
    poll_count = fields.Integer("Checks", readonly=True)
    poll_answer = fields.Char("Last Check", readonly=True, help="What the last check brought, in a sentence.")

    def _accept(self, receipt):
        """The first question comes after the time that the payment system suggests."""
        result = super()._accept(receipt)
        self.sudo().next_poll_at = self._next_turn()
        return result

    @api.model
    def _cron_pull_outcomes(self):
        """Finds what is due and queues a job for each; does nothing that can fail by itself."""
        due = self.sudo().search(
            [
                ("state", "=", "accepted"),
                ("batch_id.batch_state", "=", "sent"),
                ("next_poll_at", "<=", fields.Datetime.now()),
            ]
        )
        due._queue_pull()

    def _queue_pull(self):
        for submission in self.sudo():
            # Before the job and not in it: a job that fails must not make the next turn of the clock try
            # again. Only when due, so that people who press Check Now do not get into a running job's way.
            if not submission.next_poll_at or submission.next_poll_at <= fields.Datetime.now():
                submission.next_poll_at = submission._next_turn()
            submission.with_delay(
                channel="root.g2p_payment_pull",
                identity_key=f"g2p_payment_reconcile.pull.{submission.id}",
                description=_("Ask what became of %s", submission.batch_id.name),
            )._pull()

    def _next_turn(self):
        """Waits that grow from the one suggested, with some chance in them: not all ask at the same time."""
        first = min(max(self.poll_after or USUAL_WAIT, SHORTEST_WAIT), LONGEST_WAIT)
        wait = min(first * GROWTH ** min(self.poll_count, 20), LONGEST_WAIT)
        return fields.Datetime.now() + timedelta(seconds=wait * random.uniform(0.9, 1.1))

    def _pull(self):
        """The job: asks first, without holding anything, and then writes down what was learnt at one go."""
        self.ensure_one()
        if self.state != "accepted" or self.batch_id.batch_state != "sent":
            return _("Nothing to do: the batch waits for no result.")
        open_payments = self.batch_id.payment_ids.filtered(lambda payment: not payment.status_is_final)
        answer, outcomes, whole = self._ask(open_payments.mapped("name"))
        self.batch_id._lock_in_job()
        became_final = self.batch_id.payment_ids._apply_outcomes(outcomes, whole)
        if became_final:
            answer = _("%s payments have their final result.", became_final)
        self.sudo().write(
            {
                "last_polled_at": fields.Datetime.now(),
                "poll_count": self.poll_count + 1,
                "poll_answer": answer,
            }
        )
        self.batch_id._settle()
        return answer

    def _ask(self, references):
        """(sentence, outcomes, whether that is the whole answer). What was learnt before an error counts; the
        rest is asked for later."""
        outcomes = []
        try:
            for page in self.gateway_id._outcomes(self, references):
                outcomes += page
        except GatewayError as error:
            return self.gateway_id._explain(error), outcomes, False
        return _("Nothing new."), outcomes, True
