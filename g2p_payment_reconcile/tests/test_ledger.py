import random
from collections import Counter
from decimal import Decimal

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.calls import Call
from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome

from .common import FAILED, PAID, SUSPECT, WAITING, DecisionCase

RETURNED = "returned"
# What the other side's ledger shows of a payment, one moment after the other; a moment is a set of rows.
PLANS = {
    "paid": [[(WAITING, "r1")], [(PAID, "r1")]],
    "failed": [[(WAITING, "r1")], [(FAILED, "r1")]],
    "slow": [[], [(WAITING, "")], [(WAITING, "r1")], [(PAID, "r1")]],
    "tried again": [[(FAILED, "r1"), (WAITING, "r2")], [(FAILED, "r1"), (FAILED, "r2")]],
    "paid, then failed": [[(PAID, "r1")], [(FAILED, "r1")]],
    "failed, then paid": [[(FAILED, "r1")], [(PAID, "r1")]],
    "paid, then returned": [[(PAID, "r1")], [(RETURNED, "r1")]],
    "twice": [[(WAITING, "r1")], [(PAID, "r1"), (PAID, "r2")]],
    "paid and failed": [[(PAID, "r1"), (FAILED, "r2")]],
    "other money": [[(WAITING, "r1")], [(PAID, "r1", Decimal(99))]],
    "other currency": [[(PAID, "r1", Decimal(100), "EUR")]],
    "doubtful": [[(SUSPECT, "r1")]],
    "doubtful, then paid": [[(SUSPECT, "r1")], [(PAID, "r1")]],
}
PAYMENTS, ANSWERS, SEEDS = 8, 12, 16


class Line:
    """One payment in the other side's ledger, and what has to be written down of it by what was told."""

    def __init__(self, plan):
        self.plan, self.moments = plan, PLANS[plan]
        self.now = 0
        self.status, self.reference = None, None
        self.exceptions, self.doubtful = set(), False

    def rows(self, moment=None):
        return self.moments[self.now if moment is None else moment]

    def hear(self, rows, whole):
        """`rows` were told in one answer."""
        loud = {row for row in rows if row[0] is not WAITING}
        silent_others = {row[1] for row in rows} - {row[1] for row in loud} - {""}
        if self.status:
            for row in loud:
                self._hear_after_the_end(row)
        elif loud:
            self._hear_before_the_end(loud, alone=not silent_others, whole=whole)

    def _hear_after_the_end(self, row):
        if row[0] is SUSPECT:
            self._doubt()
        elif self.status is FAILED and row[0] is not FAILED:
            self.exceptions.add("contradiction")
        elif self.status is PAID and not (row[0] is PAID and _exact(row) and row[1] == self.reference):
            self.exceptions.add("contradiction")

    def _hear_before_the_end(self, loud, alone, whole):
        kinds, first = {row[0] for row in loud}, next(iter(loud))
        if kinds == {SUSPECT}:
            self._doubt()
        elif kinds == {PAID} and len(loud) == 1 and _exact(first) and alone:
            self.status, self.reference, self.doubtful = PAID, first[1], False
        elif kinds != {FAILED}:
            self.exceptions.add("contradiction")
        elif whole and alone and not self.exceptions:
            self.status = FAILED

    def _doubt(self):
        self.exceptions.add("suspect")
        self.doubtful = True

    @property
    def open_exceptions(self):
        return {one for one in self.exceptions if one != "suspect" or self.doubtful}


def _exact(row):
    return row[2:] in ((), (Decimal(100),), (Decimal(100), "USD"))


def _outcome(reference, row):
    status, remote, *money = row
    amount, currency = [*money, *(Decimal(100), "USD")[len(money) :]]
    came_back = status is RETURNED
    return Outcome(
        reference=reference,
        status=FAILED if came_back else status,
        failure_type=FailureType.RETURNED if came_back else None,
        remote_reference=remote,
        amount=amount,
        currency=currency,
    )


@tagged("post_install", "-at_install")
class TestLedger(DecisionCase):
    """Whatever pages and callbacks come, how often and in whatever order, we end where the other side's
    ledger is; and where that contradicts itself there is one exception, and nowhere else."""

    def test_random_answers(self):
        self.gateway.result_hours = 0
        self.gateway.callback_base_url = "https://payments.example"
        for seed in range(SEEDS):
            with self.subTest(seed=seed), self.env.cr.savepoint() as savepoint:
                self._run(random.Random(seed))
                savepoint.rollback()
            self.env.invalidate_all()
            self.hub.__init__()

    def _run(self, chance):
        batches = [self._sent(PAYMENTS) for _number in range(2)]
        ledgers = [
            {payment.name: Line(chance.choice(list(PLANS))) for payment in batch.payment_ids}
            for batch in batches
        ]
        self.log = []
        for _answer in range(ANSWERS):
            which = chance.randrange(2)
            self._answer(chance, batches[which], ledgers[which])
            self._check(batches[which], ledgers[which])
        for batch, ledger in zip(batches, ledgers, strict=True):
            for line in ledger.values():
                line.now = len(line.moments) - 1
            for _time in range(2):
                self._tell(batch, ledger, {name: line.rows() for name, line in ledger.items()}, whole=True)
            self._check(batch, ledger)
            self._check_end(batch, ledger)

    def _answer(self, chance, batch, ledger):
        """One question: some lines have moved on; the answer may be of before, broken off, doubled, in
        disorder."""
        for line in ledger.values():
            if chance.random() < 0.4:
                line.now = min(line.now + 1, len(line.moments) - 1)
        whole, stale = chance.random() < 0.6, chance.random() < 0.2
        told = {}
        for name, line in ledger.items():
            rows = line.rows(chance.randint(0, line.now)) if stale else line.rows()
            told[name] = rows if whole else [row for row in rows if chance.random() < 0.7]
        if chance.random() < 0.3:
            submission = batch.submission_ids
            token = submission._callback_url().rpartition("/")[2]
            submission._hear_of_news(submission.key, token, Call("POST", "", {}, b""))
        for _time in range(chance.choice((1, 1, 2))):
            self._tell(batch, ledger, told, whole, chance)

    def _tell(self, batch, ledger, told, whole, chance=None):
        outcomes = [_outcome(name, row) for name, rows in told.items() for row in rows]
        if chance:
            outcomes += chance.sample(outcomes, len(outcomes) // 3)
            chance.shuffle(outcomes)
        self.hub.told = outcomes
        self.hub.breaks_off = None if whole else OutcomeUnknown(Reason.TIMEOUT)
        self.log.append((batch.name, whole, told))
        self._pull(batch)
        for name, rows in told.items():
            ledger[name].hear(rows, whole)

    def _check(self, batch, ledger):
        exceptions = self._exceptions(batch)
        for payment in batch.payment_ids:
            line = ledger[payment.name]
            told = [(whole, rows[payment.name]) for _name, whole, rows in self.log if payment.name in rows]
            about = f"{line.plan}: {told}"
            mine = exceptions.filtered(lambda one, payment=payment: one.payment_id == payment)
            kinds = ["suspect" if one.type == "suspect" else "contradiction" for one in mine]
            self.assertEqual(payment.status or None, line.status and line.status.value, about)
            self.assertEqual(Counter(kinds), Counter(line.exceptions), about)
            self.assertEqual(
                len(mine.filtered(lambda one: one.state != "closed")), len(line.open_exceptions), about
            )
            self.assertEqual(bool(payment.attention), bool(line.open_exceptions), about)
            self.assertEqual(payment.amount_paid, 100 if line.status is PAID else 0, about)
        self.assertEqual(len(exceptions), sum(len(line.exceptions) for line in ledger.values()))

    def _check_end(self, batch, ledger):
        paid = [line for line in ledger.values() if line.status is PAID]
        failed = [line for line in ledger.values() if line.status is FAILED]
        over = len(paid) + len(failed) == len(ledger) and not any(
            line.open_exceptions for line in ledger.values()
        )
        self.assertEqual(batch.batch_state, "done" if over else "sent")
        figures = (batch.stats_paid_transactions, batch.stats_paid_amount, batch.stats_failed_transactions)
        self.assertEqual(figures, (len(paid), 100 * len(paid), len(failed)))
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)
        for line in ledger.values():
            if not line.exceptions:
                self.assertEqual({row[0] for row in line.rows()}, {line.status}, "as the other side's ledger")
