from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from ..client import bulk as bulk_client
from ..client import paying_bulk
from .common import TIMEOUT
from .common_paying import FIRST
from .flows import BulkScheme, FlowCase

SECOND, THIRD, FOURTH = "27713800001", "27713800002", "27713800003"


class BulkCase(FlowCase):
    flow = "bulk"
    scheme_class = BulkScheme

    def _by_payee(self, batch):
        return {one.payment_id.account_number: one for one in self._transfers(batch)}


@tagged("post_install", "-at_install")
class TestBulk(BulkCase):
    def test_one_bulk_for_each_institution(self):
        self.scheme.institutions.update({SECOND: "other", FOURTH: "other"})
        batch = self._paid(5)
        transfers = self._transfers(batch)
        self.assertEqual(transfers.mapped("state"), ["committed"] * 5)
        self.assertEqual(self.scheme.paid(), [(f"2771380000{n}", "100") for n in range(5)])
        self.assertEqual(set(self.scheme.ledger), set(transfers.mapped("transfer_id")))
        self.assertEqual([len(one["individualTransfers"]) for one in self.scheme.bulks], [3, 2])
        self.assertEqual(self._paths("POST"), ["bulkQuotes"] * 2 + ["bulkTransfers"] * 2)
        sent = {
            one["transferId"]: bulk["bulkTransferId"]
            for bulk in self.scheme.bulks
            for one in bulk["individualTransfers"]
        }
        self.assertEqual({one.transfer_id: one.bulk_transfer_id for one in transfers}, sent)
        for one in self._outcomes(batch).values():
            self.assertEqual((one.status, one.amount, one.currency), (OutcomeStatus.PAID, 100, "USD"))

    def test_no_more_in_one_than_the_connector_takes(self):
        with patch.object(bulk_client, "MAX_ITEMS", 2):
            self._paid(5)
        self.assertEqual([len(one["individualTransfers"]) for one in self.scheme.bulks], [2, 2, 1])
        self.assertEqual(len({one["bulkTransferId"] for one in self.scheme.bulks}), 3)
        self.assertEqual(len(self.scheme.ledger), 5)

    def test_what_does_not_fit_waits_for_another(self):
        with patch.object(bulk_client, "MAX_BYTES", 2000):
            batch = self._paid(4, runs=4)
        self.assertGreater(len(self.scheme.bulks), 1)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 4)
        self.assertEqual((len(self.scheme.posts), len(self.scheme.ledger)), (4, 4))

    def test_one_about_which_the_scheme_is_silent_holds_nobody_up(self):
        self.scheme.faults.update({(FIRST, "transfer"): TIMEOUT, (FIRST, "ask"): TIMEOUT})
        batch = self._approved(3)
        self._send(batch)
        self._pay_only(self._transfers(batch)[0])
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["unknown", "committed", "committed"])
        self.assertFalse(batch.mojaloop_run_answer)

    def test_it_is_written_down_before_it_leaves(self):
        batch = self._approved(2)
        self._send(batch)
        seen = []

        def transfer(connector, tasks):
            rows = self._transfers(batch).sudo()
            seen.extend((row.state, row.body, row.bulk_transfer_id) for row in rows)
            self.assertFalse(self.scheme.bulks)
            self.assertEqual([task.body for task in tasks], rows.mapped("body"))
            return original(connector, tasks)

        original = paying_bulk.transfer
        with patch.object(paying_bulk, "transfer", transfer):
            self._pay(batch)
        (sent,) = self.scheme.bulks
        self.assertEqual(
            {(state, bulk) for state, _body, bulk in seen}, {("transferring", sent["bulkTransferId"])}
        )
        for (_state, body, _bulk), one in zip(seen, sent["individualTransfers"], strict=True):
            self.assertIn(one["condition"], body)

    def test_run_twice_pays_once(self):
        self._paid(3, runs=3)
        self.assertEqual((len(self.scheme.bulks), len(self.scheme.posts)), (1, 3))

    def test_each_has_an_ending_of_its_own(self):
        self.gateway.mojaloop_fee_limit = 1
        self.scheme.faults.update(
            {(FIRST, "lookup"): "3204", (SECOND, "quote"): "5103", (THIRD, "transfer"): "5104"}
        )
        self.scheme.fees[FOURTH] = "2"
        batch = self._paid(6)
        self.assertEqual(self._by_payee(batch)[THIRD].state, "unknown", "refused, and not yet confirmed")
        self._expire(batch)
        self._pay(batch)
        by_payee = self._by_payee(batch)
        ends = {one: (transfer.state, transfer.error_code) for one, transfer in by_payee.items()}
        self.assertEqual(ends.pop(SECOND), ("failed", "5103"))
        self.assertEqual(ends.pop(THIRD), ("failed", "5104"))
        self.assertEqual(ends.pop(FOURTH), ("failed", "fee"))
        self.assertEqual(by_payee[FIRST].error_step, "lookup")
        self.assertEqual(ends.pop(FIRST)[0], "failed")
        self.assertEqual(set(ends.values()), {("committed", False)})
        self.assertEqual(len(self.scheme.ledger), 2)
        asked = {one["transferId"] for one in self.scheme.bulks[0]["individualTransfers"]}
        self.assertNotIn(by_payee[FOURTH].transfer_id, asked, "too dear to leave")

    def test_committed_without_proof_is_not_paid(self):
        self.scheme.wrong_fulfilment.add(FIRST)
        transfer, outcome = self._only(self._paid())
        self.assertEqual((transfer.state, outcome.status), ("suspect", OutcomeStatus.SUSPECT))

    def test_the_flow_is_part_of_what_is_approved(self):
        batch = self._approved()
        self._send(batch)
        self.gateway.mojaloop_flow = "steps"
        self._pay(batch)
        self.assertEqual(self._paths("POST"), ["bulkQuotes", "bulkTransfers"])


@tagged("post_install", "-at_install")
class TestBulkUnknown(BulkCase):
    def test_one_of_which_nothing_is_said_is_asked_for(self):
        self.scheme.untold.add((SECOND, "transfer"))
        batch = self._paid(3)
        transfer = self._by_payee(batch)[SECOND]
        self.assertEqual(
            (transfer.state, self._outcomes(batch)[transfer.payment_id.name].status),
            ("unknown", OutcomeStatus.WAITING),
        )
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 3)
        self.assertEqual((len(self.scheme.bulks), len(self.scheme.posts)), (1, 3))

    def test_one_whose_quote_is_not_told_is_quoted_again(self):
        self.scheme.untold.add((SECOND, "quote"))
        batch = self._paid(2)
        transfer = self._by_payee(batch)[SECOND]
        self.assertEqual((transfer.state, transfer.tries), ("waiting", 1))
        self.scheme.untold.clear()
        self._pay(batch)
        self.assertEqual(transfer.state, "committed")
        self.assertEqual(len(self.scheme.ledger), 2)

    def test_a_lost_answer_is_asked_for_one_by_one(self):
        self.scheme.fault["transfers"] = TIMEOUT
        self.scheme.carried_out.add("transfers")
        batch = self._paid(3)
        self.assertEqual(self._transfers(batch).mapped("state"), ["unknown"] * 3)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 3)
        self.assertEqual((len(self.scheme.bulks), len(self.scheme.posts)), (1, 3))

    def test_a_bulk_that_never_arrived_goes_again_in_another_when_its_time_is_over(self):
        self.scheme.fault["transfers"] = TIMEOUT
        batch = self._paid(3)
        for _number in range(3):
            self._pay(batch)
        self.assertEqual(
            (self._transfers(batch).mapped("state"), len(self.scheme.bulks)), (["unknown"] * 3, 1)
        )
        self.scheme.fault.clear()
        self._expire(batch)
        for _number in range(2):
            self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 3)
        first, second = self.scheme.bulks
        self.assertNotEqual(first["bulkTransferId"], second["bulkTransferId"])
        ids = [{one["transferId"] for one in bulk["individualTransfers"]} for bulk in (first, second)]
        self.assertEqual(ids, [set(self.scheme.ledger)] * 2, "the ids keep them from being paid twice")

    def test_it_surely_did_not_leave(self):
        for error in (NotSent(Reason.UNREACHABLE), Refused(Reason.LOGIN, "HTTP 401")):
            with self.subTest(error):
                batch = self._approved(2)
                self._send(batch)
                with patch.object(bulk_client.Bulk, "transfer", side_effect=error):
                    self._pay(batch)
                self.assertEqual(self._transfers(batch).mapped("state"), ["waiting"] * 2)
                if batch.mojaloop_paused_reason:
                    batch.with_user(self.finance_user).action_resume_paying()
                self._pay(batch)
                self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 2)

    def test_without_liquidity_the_batch_pauses(self):
        self.scheme.fault["transfers"] = "4001"
        batch = self._paid(2)
        self.assertIn("4001", batch.mojaloop_paused_reason)
        self._expire(batch)
        self._pay(batch)
        self.assertEqual(sorted(self._transfers(batch).mapped("state")), ["failed"] * 2 + ["waiting"] * 2)
        self.scheme.fault.clear()
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)
        self.assertEqual(len(self.scheme.ledger), 2)

    def test_quotes_that_are_lost_are_asked_for_again(self):
        self.scheme.fault["quotes"] = TIMEOUT
        batch = self._paid(2)
        self.assertEqual(self._transfers(batch).mapped("tries"), [1, 1])
        self.assertFalse(batch.mojaloop_paused_reason, "a newer connector may be late as well")
        self.scheme.fault.clear()
        self._pay(batch)
        self.assertEqual(len(self.scheme.ledger), 2)

    def test_a_worker_dies_while_it_quotes(self):
        batch = self._approved(2)
        self._send(batch)
        with self._worker_dies_at("quote", way=paying_bulk):
            self._pay(batch)
        self._lease_ends(batch)
        self._pay(batch)
        self.assertEqual((len(self.scheme.bulks), len(self.scheme.ledger)), (1, 2))

    def test_a_worker_dies_before_the_bulk_leaves(self):
        batch = self._approved(2)
        self._send(batch)
        with self._worker_dies_at("transfer", before=True, way=paying_bulk):
            self._pay(batch)
        self._lease_ends(batch)
        self._pay(batch)
        self.assertEqual((self._transfers(batch).mapped("state"), self.scheme.bulks), (["unknown"] * 2, []))
        self._expire(batch)
        for _number in range(2):
            self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 2)
        self.assertEqual((len(self.scheme.bulks), len(self.scheme.ledger)), (1, 2))

    def test_a_worker_dies_after_the_bulk_has_left(self):
        batch = self._approved(2)
        self._send(batch)
        with self._worker_dies_at("transfer", way=paying_bulk):
            self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["transferring"] * 2)
        self._lease_ends(batch)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 2)
        self.assertEqual((len(self.scheme.bulks), len(self.scheme.posts)), (1, 2))

    def test_one_that_another_run_has_taken_meanwhile_does_not_leave(self):
        batch = self._approved(2)
        self._send(batch)
        original = paying_bulk.quote

        def late(connector, part):
            self._sql("UPDATE g2p_mojaloop_transfer SET lease = 'other' WHERE id = %s", part.tasks[0].id)
            return original(connector, part)

        with patch.object(paying_bulk, "quote", late):
            self._pay(batch)
        first, second = self._transfers(batch)
        self.assertEqual(list(self.scheme.ledger), [second.transfer_id])
        self.assertEqual((first.state, second.state), ("waiting", "committed"))

    def test_a_restored_backup_pays_nobody_twice(self):
        batch = self._paid(2)
        self._forget_sending(batch)
        self._send(batch)
        self._pay(batch)
        self.assertEqual((len(self.scheme.bulks), len(self.scheme.ledger)), (1, 2))
        self.assertEqual(self._transfers(batch).mapped("state"), ["suspect"] * 2)


@tagged("post_install", "-at_install")
class TestBulkOfNpm(BulkCase):
    """18.0.2 has these addresses, and cannot do it."""

    sentence = "cannot pay in bulk"

    def test_refused_at_sending(self):
        self.scheme.old = True
        batch = self._approved(2)
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("refused", "refused"))
        self.assertIn(self.sentence, batch.last_answer)
        self.assertIn("choose another payment flow", batch.last_answer)
        self.assertFalse(self._transfers(batch))

    def test_noticed_while_paying(self):
        batch = self._approved(2)
        self._send(batch)
        self.scheme.old = True
        for _number in range(2):
            self._pay(batch)
        self.assertIn(self.sentence, batch.mojaloop_paused_reason)
        self.assertEqual(self._transfers(batch).mapped("state"), ["waiting"] * 2)
        self.assertFalse(self.scheme.bulks)
        self.scheme.old = False
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)
        self.assertEqual(len(self.scheme.ledger), 2)

    def test_told_by_the_test_of_the_connection(self):
        said = self.gateway.action_test_connection()["params"]
        self.assertIn("Connector: works. Questions for Transfers: works. Bulk: works.", said["message"])
        self.scheme.old = True
        said = self.gateway.action_test_connection()["params"]
        self.assertEqual(said["type"], "danger")
        self.assertIn(self.sentence, said["message"])

    def test_a_connector_that_is_late_with_its_answer_is_not_taken_for_it(self):
        batch = self._approved()
        self._send(batch)
        with patch.object(bulk_client.Bulk, "check", side_effect=OutcomeUnknown(Reason.TIMEOUT)):
            self.scheme.fault["quotes"] = TIMEOUT
            self._pay(batch)
        self.assertFalse(batch.mojaloop_paused_reason)
        self.assertEqual(self._transfers(batch).state, "waiting")
