"""What becomes of a row, told by the row itself: the last four digits of the payee, or a plan.

An Outcome is what a row's life looks like from outside, and whether money moves. `steps` is a list of
(when, status); `when` is one of MOMENTS. The money moves at the row's first settled moment ("row").
"""

from dataclasses import dataclass, fields, replace

MOMENTS = ("start", "row", "repair", "slow", "late")
PAID = (("start", "IN_PROGRESS"), ("row", "COMPLETED"))
FAILED = (("start", "IN_PROGRESS"), ("row", "FAILED"))


@dataclass(frozen=True)
class Outcome:
    """steps: what is shown when; error: code shown with the last step; flag: workflow variable set true.

    shown / pays / currency: differences between what was asked, shown and paid (amounts are added, pays
    None is nothing); visible: whether a row appears at all; copies: how often; ids: plain, quoted, random;
    early_end: completedAt although still in progress.
    """

    steps: tuple = PAID
    error: str | None = None
    flag: str | None = None
    pays: int | None = 0
    shown: int = 0
    currency: str | None = None
    visible: bool = True
    copies: int = 1
    ids: str = "plain"
    early_end: bool = False

    @property
    def settled(self):
        """When the money moves: with the first final step, or one row time after the start."""
        return next((when for when, status in self.steps if status in ("COMPLETED", "FAILED")), "row")


def failed(code):
    return Outcome(steps=FAILED, error=code, pays=None)


def falsely_completed(flag):
    return Outcome(error=None, flag=flag, pays=None)


OUTCOMES = {
    "paid": Outcome(),
    "payer_insufficient_balance": failed("PayerInsufficientBalance"),
    "inactive_account": failed("InactiveAccountStatus"),
    "payee_not_found": failed("PayeeNotFound"),
    "payer_not_found": failed("PayerNotFound"),
    "timeout": failed("TimeOut"),
    "transaction_exists": failed("TransactionExists"),
    "transfer_expired": failed("TransferExpired"),
    "payee_currency_invalid": failed("PayeeCurrencyInvalid"),
    "format_error": failed("FormatError"),
    "communication_error": failed("CommunicationError"),
    "server_error": failed("ExtInternalServerError"),
    "failed_without_reason": Outcome(steps=FAILED, pays=None),
    "completed_with_error": Outcome(error="PayeeNotFound", pays=None),
    "completed_transfer_failed": falsely_completed("transactionFailed"),
    "completed_lookup_failed": falsely_completed("partyLookupFailed"),
    "completed_prepare_failed": falsely_completed("transferPrepareFailed"),
    "completed_create_failed": falsely_completed("transferCreateFailed"),
    "completed_settlement_failed": falsely_completed("transferSettlementFailed"),
    "in_progress_forever": Outcome(steps=(("start", "IN_PROGRESS"),), pays=None),
    "in_progress_but_paid": Outcome(steps=(("start", "IN_PROGRESS"),)),
    "in_progress_with_end": Outcome(steps=(("start", "IN_PROGRESS"),), pays=None, early_end=True),
    "unknown_forever": Outcome(steps=(("start", "UNKNOWN"),), pays=None),
    "exception_then_completed": Outcome(
        steps=(("start", "IN_PROGRESS"), ("row", "EXCEPTION"), ("repair", "COMPLETED"))
    ),
    "exception_forever": Outcome(steps=(("start", "IN_PROGRESS"), ("row", "EXCEPTION")), pays=None),
    "exception_then_failed": Outcome(
        steps=(("start", "IN_PROGRESS"), ("row", "EXCEPTION"), ("repair", "FAILED")),
        error="ExtInternalServerError",
        pays=None,
    ),
    "never_appears": Outcome(visible=False, pays=None),
    "paid_but_never_appears": Outcome(visible=False),
    "slow": Outcome(steps=(("start", "IN_PROGRESS"), ("slow", "COMPLETED"))),
    "new_status_word": Outcome(steps=(("start", "IN_PROGRESS"), ("row", "RESERVED")), pays=None),
    "shows_more": Outcome(shown=1),
    "shows_and_pays_less": Outcome(shown=-1, pays=-1),
    "other_currency": Outcome(currency="XTS"),
    "late_failure": Outcome(steps=(*PAID, ("late", "FAILED")), error="TransferExpired"),
    "late_success": Outcome(steps=(*FAILED, ("late", "COMPLETED"))),
    "back_to_progress": Outcome(steps=(*PAID, ("repair", "IN_PROGRESS"), ("late", "COMPLETED"))),
    "shown_twice": Outcome(copies=2),
    "quoted_ids": Outcome(ids="quoted"),
    "random_ids": Outcome(ids="random"),
}
SUFFIXES = {
    "0400": "format_error",
    "0402": "payer_insufficient_balance",
    "0403": "inactive_account",
    "0404": "payee_not_found",
    "0405": "payer_not_found",
    "0408": "timeout",
    "0409": "transaction_exists",
    "0410": "transfer_expired",
    "0415": "payee_currency_invalid",
    "0500": "server_error",
    "0503": "communication_error",
    "0599": "failed_without_reason",
    "0600": "completed_with_error",
    "0601": "completed_transfer_failed",
    "0602": "completed_lookup_failed",
    "0603": "completed_prepare_failed",
    "0604": "completed_create_failed",
    "0605": "completed_settlement_failed",
    "0610": "in_progress_forever",
    "0611": "in_progress_but_paid",
    "0612": "in_progress_with_end",
    "0613": "unknown_forever",
    "0620": "exception_then_completed",
    "0621": "exception_forever",
    "0622": "exception_then_failed",
    "0630": "never_appears",
    "0631": "paid_but_never_appears",
    "0640": "slow",
    "0641": "new_status_word",
    "0650": "shows_more",
    "0651": "shows_and_pays_less",
    "0652": "other_currency",
    "0660": "late_failure",
    "0661": "late_success",
    "0662": "back_to_progress",
    "0670": "shown_twice",
    "0671": "quoted_ids",
    "0672": "random_ids",
}
FIELDS = {field.name for field in fields(Outcome)}


def outcome_from(value):
    """An Outcome from a name, or from {"like": name, field: value, ...}; ValueError says why not."""
    if isinstance(value, str):
        value = {"like": value}
    changes = {key: entry for key, entry in value.items() if key != "like"}
    name = value.get("like", "paid")
    if name not in OUTCOMES or not changes.keys() <= FIELDS:
        raise ValueError(f"no such outcome: {value}")
    if "steps" in changes:
        changes["steps"] = _steps(changes["steps"])
    return replace(OUTCOMES[name], **changes)


def _steps(steps):
    steps = tuple((when, status) for when, status in steps)
    if not all(when in MOMENTS for when, _status in steps):
        raise ValueError(f"a step happens at one of {MOMENTS}")
    return steps


class Plan:
    """What is to happen to rows and batches, beyond what payee numbers say.

    JSON: {"rows": {request_id, payee or "*": outcome}, "batches": {correlation id, or the end of a file name:
    {"authorization": "Y" or "N" or "hold", "start": "never"}}, "accounts": {payee: {"address", "dfsp"}}}.
    """

    PARTS = ("rows", "batches", "accounts")

    def __init__(self, suffixes=True):
        self.suffixes = suffixes
        self.parts = {name: {} for name in self.PARTS}

    def add(self, parts):
        """Merge; refuses what it does not understand before changing anything."""
        if not parts.keys() <= set(self.PARTS):
            raise ValueError(f"a plan has {self.PARTS}")
        for value in parts.get("rows", {}).values():
            outcome_from(value)
        for name, entries in parts.items():
            self.parts[name].update(entries)

    def clear(self):
        for entries in self.parts.values():
            entries.clear()

    def outcome(self, row):
        rows = self.parts["rows"]
        payee = row["payee_identifier"] or ""
        request_id = (row["request_id"] or "").strip('"')
        value = next((rows[key] for key in (request_id, payee, "*") if key in rows), None)
        if value is not None:
            return outcome_from(value)
        return OUTCOMES[self._by_payee(payee)]

    def batch(self, correlation_id, file_name):
        """The entry for a batch, or {}."""
        for key, entry in self.parts["batches"].items():
            if key == correlation_id or file_name.endswith(key):
                return entry
        return {}

    def _by_payee(self, payee):
        """A payee that is blank, or that the splitter left in quotes, is nobody."""
        if not payee or '"' in payee:
            return "payee_not_found"
        return SUFFIXES.get(payee[-4:], "paid") if self.suffixes else "paid"
