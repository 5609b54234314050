from odoo import _, api, models

from .verdict import judge, may_be_paid_yet


class Payment(models.Model):
    """Payments that were given up and are at the payment system all the same become exceptions, and what
    people have decided about them is heeded."""

    _inherit = "g2p.payment"

    def _in_doubt(self, told):
        doubtful = [
            fact["id"] for fact in self._facts(list(told)) if self._is_in_doubt(fact, told[fact["name"]])
        ]
        return self.filtered(lambda payment: payment.id in set(doubtful))

    def _is_in_doubt(self, fact, said):
        """Tell whether it may have been paid, or may yet, in a way that people have not decided about."""
        if not fact["final"]:
            return judge(said, fact["amount"], fact["currency"]).status != "failed"
        known = (fact["known"] or "").splitlines()
        is_open = fact["status"] == "failed" and may_be_paid_yet(said, known)
        return is_open or bool(self._contradiction_rows(fact, said))

    @api.model
    def _raise_arrived(self, arrived):
        source = {"gateway_id": arrived.gateway_id, "submission_id": arrived.submission_id}
        rows = self._stranger_rows(arrived.told, source)
        for row in rows:
            if row["type"] == "stranger":
                row["summary"] = _(
                    "The payment system has it as %s, although it was never accepted as far as is known "
                    "here. Find out whether it was paid.",
                    arrived.reference,
                )
        self._name_results(rows)
        self.env["g2p.payment.exception"]._raise(rows)
        batches = self.browse({row["payment_id"] for row in rows}).sudo()._batches_of_origin()
        batches._settle_later()
        return batches
