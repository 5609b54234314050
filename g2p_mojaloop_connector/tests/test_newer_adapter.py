from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from .common import TIMEOUT, Scheme, _answer, _asked, _error
from .common_paying import FIRST, PayingCase
from .flows import BulkScheme, FlowCase, NewerScheme, TwoPhaseScheme
from .newer_adapter import QuestionMemory


class _Cases(PayingCase):
    def _times_pass(self, batch, turns=4):
        """Let whatever is under way expire, again and again."""
        for _number in range(turns):
            self._expire(batch)
            self._pay(batch)

    def _assert_paid_once(self, batch, count=1):
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * count)
        self.assertEqual(set(self._transfers(batch).mapped("attempt")), {1})
        self.assertEqual(set(self.scheme.ledger), set(self._transfers(batch).mapped("transfer_id")))
        statuses = {outcome.status for outcome in self._outcomes(batch).values()}
        self.assertEqual(statuses, {OutcomeStatus.PAID})


@tagged("post_install", "-at_install")
class TestNewerAdapter(_Cases):
    """24.19.4 keeps the error of an earlier question beside the true answer, and tells an error that it has
    told before only in its sentence."""

    scheme_class = NewerScheme

    def test_lost_answer_then_expiry_pays_once(self):
        self.scheme.lose_replies.add(FIRST)
        batch = self._paid()
        transfer, _outcome = self._only(batch)
        kept = self.scheme.memory.states[transfer.transfer_id]["lastError"]["mojaloopError"]
        self.assertEqual(kept, {"errorInformation": _error("3208")}, "it was asked for before it left")
        self.assertEqual((transfer.state, len(self.scheme.ledger)), ("unknown", 1))
        self._times_pass(batch)
        self._assert_paid_once(batch)
        self.assertEqual(len(self.scheme.posts), 1)

    def test_asked_for_and_never_begun_is_paid_next_turn(self):
        """The adapter was started anew while it looked the payee up."""
        self.scheme.faults[FIRST, "lookup"] = OutcomeUnknown(Reason.CONNECTION_LOST)
        batch = self._paid(2)
        self.assertEqual(self._transfers(batch).mapped("state"), ["waiting", "committed"])
        self.scheme.faults.clear()
        self._pay(batch)
        self._assert_paid_once(batch, 2)

    def test_lookup_silent_once_is_paid_next_turn(self):
        self.scheme.faults.update({(None, "ask"): TIMEOUT, (FIRST, "lookup"): TIMEOUT})
        batch = self._paid()
        self.scheme.faults.pop((None, "ask"))
        self._pay(batch)
        self.scheme.faults.clear()
        self._pay(batch)
        self._assert_paid_once(batch)

    def test_lost_transfer_is_resent_and_after_expiry_anew(self):
        for expires in (False, True):
            with self.subTest(expires=expires):
                self.scheme.__init__()
                self.scheme.faults[FIRST, "transfer"] = OutcomeUnknown(Reason.TIMEOUT)
                self.cycle = self._cycle(self.program, f"Cycle {expires}")
                batch = self._paid(cycle=self.cycle)
                self._pay(batch)
                self.assertEqual(self._transfers(batch).state, "unknown")
                self.assertEqual(len(set(self.scheme.posts)), 1, "the same bytes, and no others")
                self.scheme.faults.clear()
                if expires:
                    self._expire(batch)
                for _number in range(2):
                    self._pay(batch)
                self._assert_paid_once(batch)
                self.assertEqual(len(set(self.scheme.posts)), 2 if expires else 1)

    def test_nobody_has_the_number(self):
        self.scheme.faults[FIRST, "lookup"] = "3204"
        _transfer, outcome = self._only(self._paid())
        self.assertEqual((outcome.status, outcome.failure_type), (OutcomeStatus.FAILED, "payee_unknown"))
        self.assertFalse(self.scheme.posts)

    def test_wrong_versions_pause_the_batch(self):
        self.scheme.refused_as = 406
        batch = self._paid(2, runs=2)
        self.assertIn("RESOURCE_VERSIONS", batch.mojaloop_paused_reason)
        self.assertEqual(self._transfers(batch).mapped("state"), ["waiting"] * 2)
        self.scheme.refused_as = None
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)
        self._assert_paid_once(batch, 2)

    def test_wrong_versions_after_it_left_call_people(self):
        self.scheme.lose_replies.add(FIRST)
        batch = self._paid()
        self.scheme.refused_as = 406
        self._times_pass(batch)
        self.assertIn("RESOURCE_VERSIONS", batch.mojaloop_paused_reason)
        self.scheme.refused_as = None
        self._times_pass(batch)
        self._assert_paid_once(batch)

    def test_connection_test_tells_wrong_versions(self):
        self.gateway.mojaloop_payer_identifier = FIRST
        self.gateway.mojaloop_payer_type = "MSISDN"
        said = self.gateway.action_test_connection()["params"]
        self.assertEqual(said["type"], "success", said["message"])
        self.scheme.refused_as = 406
        said = self.gateway.action_test_connection()["params"]
        self.assertEqual(said["type"], "danger")
        self.assertIn("RESOURCE_VERSIONS", said["message"])
        self.assertFalse(self.scheme.posts)


@tagged("post_install", "-at_install")
class TestNewerAdapterInBulk(_Cases, FlowCase):
    flow = "bulk"
    scheme_class = BulkScheme

    def test_lost_answer_then_expiry_pays_once(self):
        self.scheme.fault["transfers"] = TIMEOUT
        self.scheme.carried_out.add("transfers")
        batch = self._paid(3)
        self.assertEqual(self._transfers(batch).mapped("state"), ["unknown"] * 3)
        self._times_pass(batch)
        self._assert_paid_once(batch, 3)
        self.assertEqual((len(self.scheme.bulks), len(self.scheme.posts)), (1, 3))

    def test_asked_for_and_never_begun_is_paid_next_turn(self):
        self.scheme.fault["quotes"] = TIMEOUT
        batch = self._paid(3)
        self.scheme.fault.clear()
        self._pay(batch)
        self._assert_paid_once(batch, 3)

    def test_error_of_the_bulk_beside_a_payment_fails_nobody(self):
        """It names an error of the whole, and the hub has carried it out."""
        self.scheme.fault["transfers"] = "5104"
        self.scheme.carried_out.add("transfers")
        batch = self._paid(2)
        self._times_pass(batch)
        self._assert_paid_once(batch, 2)


class _TwoPhasesThatRemember(TwoPhaseScheme):
    """Take ids of ours, and keep what was told as 24.19.4 does: no version that is known."""

    def __init__(self):
        super().__init__()
        self.memory = QuestionMemory()

    def _answer_question(self, transfer_id, hub):
        return _answer(*self.memory.answer(transfer_id, hub))

    def _get_transfers(self, transfer_id, text):
        return Scheme._get_transfers(self, transfer_id, text)


@tagged("post_install", "-at_install")
class TestNewerAdapterInTwoPhases(_Cases, FlowCase):
    flow = "two_phases"
    scheme_class = _TwoPhasesThatRemember

    def test_lost_answer_then_expiry_pays_once(self):
        self.scheme.lose_replies.add(FIRST)
        batch = self._paid()
        self._times_pass(batch)
        self._assert_paid_once(batch)
        self.assertEqual(self._paths("PUT"), ["transfers"])

    def test_asked_for_and_never_begun_is_paid_next_turn(self):
        self.scheme.faults[FIRST, "quote"] = TIMEOUT
        batch = self._paid()
        self.scheme.faults.clear()
        self._pay(batch)
        self._assert_paid_once(batch)


class _SchemeOfLeftovers(Scheme):
    """Go on telling 3208 of a transfer once that was told: no version that is known."""

    def __init__(self):
        super().__init__()
        self.not_known, self.leftover = set(), "lastError"

    def _answer_question(self, transfer_id, hub):
        if "errorInformation" in hub and transfer_id not in self.not_known:
            self.not_known.add(transfer_id)
            return super()._answer_question(transfer_id, hub)
        old = {**_asked("3208"), "message": "Request failed"}
        if self.leftover == "fulfil":
            old["message"] = _asked("3208")["message"]
            old["transferState"]["fulfil"] = {"body": hub}
        if self.leftover == "statusCode":
            old["transferState"] = {}
        return _answer(500, old)


@tagged("post_install", "-at_install")
class TestLeftovers(_Cases):
    """A new id needs the hub's own word of now that it does not know the old one."""

    scheme_class = _SchemeOfLeftovers

    def test_no_leftover_leads_to_another_id(self):
        for leftover in ("lastError", "statusCode", "fulfil"):
            with self.subTest(leftover):
                self.scheme.__init__()
                self.scheme.leftover = leftover
                self.scheme.lose_replies.add(FIRST)
                self.cycle = self._cycle(self.program, f"Cycle {leftover}")
                batch = self._paid(cycle=self.cycle)
                self._times_pass(batch, 6)
                transfer, outcome = self._only(batch)
                self.assertEqual((transfer.state, outcome.status), ("unknown", OutcomeStatus.WAITING))
                self.assertEqual((len(self.scheme.posts), len(self.scheme.ledger)), (1, 1))
                self.assertIn("answered nothing", batch.mojaloop_run_answer)


@tagged("post_install", "-at_install")
class TestAnotherId(_Cases):
    """Another id takes the place of one that is over: not of one that may still pay."""

    scheme_class = NewerScheme

    def test_only_after_the_expiry(self):
        self.scheme.faults[FIRST, "transfer"] = "5001"
        batch = self._paid(runs=4)
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, transfer.error_code), ("unknown", "5001"))
        self.assertEqual(outcome.status, OutcomeStatus.WAITING)
        self._times_pass(batch, 1)
        self.scheme.faults.clear()
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "committed"])
        self.assertEqual(len(self.scheme.ledger), 1)

    def test_not_when_it_was_carried_out_after_all(self):
        """The adapter said no with the answer to something else."""
        self.scheme.mixed_up[FIRST, "transfer"] = "5001"
        batch = self._paid(runs=2)
        self._times_pass(batch)
        self._assert_paid_once(batch)

    def test_code_not_in_the_table_is_not_repeated(self):
        for code in ("9999", "5999", "0", "E77"):
            with self.subTest(code):
                self.scheme.__init__()
                self.scheme.faults[FIRST, "transfer"] = code
                self.cycle = self._cycle(self.program, f"Cycle {code}")
                batch = self._paid(runs=3, cycle=self.cycle)
                self.assertEqual(len(self.scheme.posts), 1)
                self._times_pass(batch)
                transfer, outcome = self._only(batch)
                self.assertEqual((transfer.state, outcome.reason_code), ("failed", code))
                self.assertEqual(len(self.scheme.posts), 1)

    def test_code_not_in_the_table_and_then_aborted(self):
        self.scheme.faults[FIRST, "state"] = "ABORTED"
        self.scheme.mixed_up[FIRST, "transfer"] = "9999"
        batch = self._paid()
        self._times_pass(batch)
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, outcome.reason_code), ("failed", "9999"))

    def test_net_debit_cap_pauses_the_batch(self):
        for number in range(3):
            self.scheme.faults[f"2771380000{number}", "transfer"] = "4200"
        batch = self._paid(3)
        self.assertIn("4200", batch.mojaloop_paused_reason)
        self._times_pass(batch, 1)
        self.assertEqual({one.status for one in self._outcomes(batch).values()}, {OutcomeStatus.WAITING})
        self.scheme.faults.clear()
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)
        self.assertEqual(len(self.scheme.paid()), 3)


@tagged("post_install", "-at_install")
class TestWordsOfTheHub(_Cases):
    scheme_class = NewerScheme

    def _told(self, word):
        self.scheme.__init__()
        self.scheme.told[FIRST] = {"transferState": word}
        self.cycle = self._cycle(self.program, f"Cycle {word}")
        batch = self._paid(runs=2, cycle=self.cycle)
        return batch, *self._only(batch)

    def test_settled_is_paid_with_proof_only(self):
        _batch, transfer, outcome = self._told("SETTLED")
        self.assertEqual((transfer.state, outcome.status), ("committed", OutcomeStatus.PAID))
        self.assertEqual(outcome.remote_status, "SETTLED")
        self.cycle = self._cycle(self.program, "Without proof")
        self.scheme.wrong_fulfilment.add(FIRST)
        transfer, outcome = self._only(self._paid(cycle=self.cycle))
        self.assertEqual((transfer.state, outcome.status), ("suspect", OutcomeStatus.SUSPECT))

    def test_words_of_old_hubs_for_aborted(self):
        for word in ("EXPIRED_RESERVED", "ABORTED_ERROR", "INVALID"):
            with self.subTest(word):
                self.scheme.__init__()
                self.scheme.faults[FIRST, "state"] = word
                self.cycle = self._cycle(self.program, f"Cycle {word}")
                transfer, outcome = self._only(self._paid(cycle=self.cycle))
                self.assertEqual((transfer.state, outcome.status), ("failed", OutcomeStatus.FAILED))
                self.assertEqual(outcome.remote_status, word)

    def test_reserved_in_any_form_waits_silently(self):
        for word in ("RESERVED", "RESERVED_FORWARDED"):
            with self.subTest(word):
                batch, transfer, outcome = self._told(word)
                self.assertEqual((transfer.state, outcome.status), ("unknown", OutcomeStatus.WAITING))
                self.assertFalse(batch.mojaloop_run_answer)

    def test_word_that_is_not_known_waits_and_is_shown(self):
        batch, transfer, outcome = self._told("DISPATCHED")
        self._times_pass(batch)
        self.assertEqual((transfer.state, outcome.status), ("unknown", OutcomeStatus.WAITING))
        self.assertEqual(outcome.remote_status, "DISPATCHED")
        self.assertIn("DISPATCHED", batch.mojaloop_run_answer)
        self.assertEqual(len(self.scheme.posts), 1)
        self.scheme.told.clear()
        self._pay(batch)
        self._assert_paid_once(batch)
        self.assertFalse(batch.mojaloop_run_answer)
