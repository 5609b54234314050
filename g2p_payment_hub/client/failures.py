"""Why Payment Hub EE did not pay, in our words.

Words as in ph-ee-connector-common (`PaymentHubError`), which the hub compares without case, and the numbers
of FSPIOP, which its Mojaloop connector passes on: see `fspiop_codes`.
"""

from . import fspiop_codes
from .fspiop_codes import Verdict
from .outcomes import FailureType

_CODES = {
    FailureType.PAYEE_UNKNOWN: ("PayeeNotFound", "PayeeFSPIdNotFound", "PayeeFspNotConfigured", "IdNotFound"),
    FailureType.ACCOUNT_CLOSED: ("InactiveAccountStatus",),
    FailureType.INSUFFICIENT_FUNDS: ("PayerInsufficientBalance",),
    FailureType.REJECTED: (
        "GenericPayerError",
        "PayeeCurrencyInvalid",
        "PayeeFSPTransactionTypeInvalid",
        "PayeeUnauthorized",
        "SamePartiesError",
    ),
    # Of the hub, of its settings, or of what lies between hub and payee; the payee is not the cause.
    FailureType.TECHNICAL: (
        "AddPartyError",
        "CurrencyPairNotFound",
        "ExtGenericServerError",
        "ExtInternalServerError",
        "ExtValidationError",
        "FormatError",
        "GenericClientError",
        "MandatoryValueNotSupplied",
        "NegativeValue",
        "NotImplemented",
        "PayerCurrencyInvalid",
        "PayerFSPIdNotFound",
        "PayerFSPTransactionTypeInvalid",
        "PayerFspNotConfigured",
        "PayerNotFound",
        "RequiredElement",
        "ServiceDenied",
        "SyntaxError",
        "TransactionIdNotFound",
        "TransferExpired",
        "TransferIdNotFound",
        "UnknownURL",
    ),
}
_TYPES = {code.lower(): failure_type for failure_type, codes in _CODES.items() for code in codes}
# Failures after which money may have moved: the payment exists already, so that an earlier try of the hub's
# own may have paid, or nobody heard what came of it. In small letters.
_MAYBE_PAID = {
    "transactionexists",
    "timeout",
    "communicationerror",
    "destinationcommunicationerror",
    "connectionreset",
}
# A row that the hub takes for the same as another one of its batch has this note and no code.
_DUPLICATE_NOTE = "duplicate transaction"


def failure_type(code: str, reason: str) -> FailureType:
    """Return the type of what the hub says of a failed row; OTHER for what we do not know."""
    if reason.lower().startswith(_DUPLICATE_NOTE):
        return FailureType.DUPLICATE
    if fspiop_codes.is_code(code):
        return fspiop_codes.row(code).failure_type
    return _TYPES.get(code.lower(), FailureType.OTHER)


def may_have_paid(code: str) -> bool:
    """Return True if money may have moved in spite of this failure. A row does not name the step that failed,
    so a number counts as at the step with which money moves."""
    if fspiop_codes.is_code(code):
        return fspiop_codes.row(code).transfer is Verdict.ASK
    return code.lower() in _MAYBE_PAID
