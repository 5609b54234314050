"""What becomes of a payment: the last four digits of the payee's identifier decide. Any other payee is paid.

One row is one ending. What a row leaves open goes as for everybody: found, quoted without a fee, paid.
"""

import dataclasses

HUB = "hub"
PAYEE_FSP = "payeefsp"

SILENT = "silent"  # taken with a 202 and never called back


@dataclasses.dataclass(frozen=True)
class Error:
    """An error callback."""

    code: str
    text: str


@dataclasses.dataclass(frozen=True)
class Quote:
    """Amounts are added to what was asked for; all of them as text, in the currency of the quote."""

    transfer: str = "0"
    receive: str = "0"
    fee: str = ""
    commission: str = ""
    currency: str = ""  # instead of the one that was asked for
    expiration: str = "2040-01-01T00:00:00.000Z"


@dataclasses.dataclass(frozen=True)
class Transfer:
    """How POST /transfers is answered, and what the hub's books say then and later.

    `state` is what the books end with: COMMITTED, ABORTED, RESERVED or EXPIRED; empty when the hub lost it.
    Until `after` (in time-outs of the connector) has passed they say RESERVED.
    """

    answer: object = "COMMITTED"  # a state, an Error, SILENT, or an HTTP status
    state: str = "COMMITTED"
    after: float = 0
    delay: float = 0  # of the callback, in time-outs of the connector
    times: int = 1  # how often the callback is sent
    fulfilment: str = ""  # instead of the right one
    query: object = None  # SILENT: GET /transfers/{id} is not answered either
    resend: bool = True  # whether a second POST with the same body goes through when the first was lost


@dataclasses.dataclass(frozen=True)
class Payee:
    ending: str
    name: str
    party: object = None  # None: found; an Error; SILENT; or the party's name
    quote: object = None  # None: as asked; an Error; SILENT; a Quote
    transfer: object = None  # None: committed; a Transfer
    lag: float = 0  # of every callback, in time-outs of the connector

    @property
    def fsp(self):
        """A transfer does not say who the payee is, so each of them has a bank of its own."""
        return f"{PAYEE_FSP}-{self.ending}"


_NOT_FOUND = Error("3204", "Party not found")
_WRONG_FULFILMENT = "A" * 43

PAYEES = (
    # Before any money moves
    Payee("0404", "not_found", party=_NOT_FOUND),
    Payee("0408", "lookup_unanswered", party=SILENT),
    Payee("0409", "other_name", party="Somebody Else"),
    Payee("0503", "quote_rejected", quote=Error("5103", "Payee FSP rejected quote")),
    Payee("0508", "quote_unanswered", quote=SILENT),
    Payee("0510", "fee_of_payee", quote=Quote(receive="-2", fee="2")),
    Payee("0511", "fee_on_top", quote=Quote(transfer="2", fee="2")),
    Payee("0512", "large_fee_on_top", quote=Quote(transfer="50", fee="50")),
    Payee("0513", "commission", quote=Quote(transfer="-1", commission="1")),
    Payee("0514", "quote_expired", quote=Quote(expiration="2020-01-01T00:00:00.000Z")),
    Payee("0515", "quote_in_other_currency", quote=Quote(currency="XTS")),
    Payee("0516", "quote_of_less", quote=Quote(transfer="-1", receive="-1")),
    # Refused, and nothing moved
    Payee("0601", "rejected", transfer=Transfer(Error("5104", "Payee rejected transaction"), "ABORTED")),
    Payee(
        "0602",
        "payer_without_money",
        transfer=Transfer(Error("4001", "Payer FSP has no liquidity"), "ABORTED"),
    ),
    Payee("0603", "aborted", transfer=Transfer("ABORTED", "ABORTED")),
    # Answered, but not plainly
    Payee("0604", "reserved_then_committed", transfer=Transfer("RESERVED")),
    Payee("0605", "wrong_fulfilment", transfer=Transfer(fulfilment=_WRONG_FULFILMENT)),
    Payee("0606", "called_back_twice", transfer=Transfer(times=2)),
    Payee("0607", "refused_503", transfer=Transfer(503, "")),
    Payee("0608", "refused_503_but_committed", transfer=Transfer(503)),
    Payee("0609", "reserved_for_ever", transfer=Transfer("RESERVED", "RESERVED")),
    Payee("0610", "reserved_then_aborted", transfer=Transfer("RESERVED", "ABORTED")),
    # Not answered, or too late
    Payee("0701", "unanswered_but_committed", transfer=Transfer(SILENT)),
    Payee("0702", "lost_once", transfer=Transfer(SILENT, "")),
    Payee("0703", "silent_but_committed", transfer=Transfer(SILENT, query=SILENT)),
    Payee("0704", "committed_late", transfer=Transfer(after=1.3, delay=1.3)),
    Payee("0705", "unanswered_and_aborted", transfer=Transfer(SILENT, "ABORTED")),
    Payee("0706", "unanswered_and_expired", transfer=Transfer(SILENT, "EXPIRED")),
    Payee("0707", "lost_always", transfer=Transfer(SILENT, "", resend=False)),
    Payee("0708", "silent_and_lost", transfer=Transfer(SILENT, "", query=SILENT, resend=False)),
    Payee("0710", "slow", lag=0.2),
)

FSPS = (HUB, PAYEE_FSP, *(payee.fsp for payee in PAYEES))


def ending(name):
    """The digits that a payee's number has to end in, by the name of its row."""
    (found,) = (payee.ending for payee in PAYEES if payee.name == name)
    return found
