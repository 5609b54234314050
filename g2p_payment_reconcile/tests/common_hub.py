"""The hub's real client in front of an operations app whose every row is the test's."""

from odoo.addons.g2p_payment_hub.client.payment_hub import PaymentHub


class ScriptedOperations:
    """Answer with `rows` and `variables`; `asked` are the transactions whose variables were read."""

    def __init__(self):
        self.rows, self.variables_of, self.asked, self.known = [], {}, [], True

    def batch_rows(self, _batch_id):
        yield [dict(row) for row in self.rows]

    def variables(self, transaction_id):
        self.asked.append(transaction_id)
        return self.variables_of.get(transaction_id, {"transactionFailed": "false"})

    def is_batch(self, _batch_id):
        return self.known

    def transfers_by_request(self, _references):
        return []

    def transfers_by_transaction(self, _transaction_id):
        return []

    def complete(self, payment, failed=False):
        """Store the transfer as completed, as the published workflows do whether it `failed` or not."""
        transaction = f"tx-{payment.name}"
        self.rows = [row for row in self.rows if row["transactionId"] != transaction]
        self.rows.append(
            {
                "transactionId": transaction,
                "clientCorrelationId": payment.name,
                "batchId": "remote-1",
                "status": "COMPLETED",
                "amount": f"{payment.amount_issued:.0f}",
                "currency": payment.payment_currency_id.name,
                "errorInformation": None,
            }
        )
        self.variables_of[transaction] = {"transactionFailed": str(failed).lower()}


def listen(case, batch):
    """Have the looks of this test read by the real client; return the operations app behind it."""
    operations = ScriptedOperations()

    def outcomes(*arguments):
        with PaymentHub(case.gateway._phee_settings(batch)) as hub:
            hub._operations = operations
            yield from hub.outcomes(*arguments)

    case.hub.outcomes = outcomes
    return operations
