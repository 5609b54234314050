"""Why Payment Hub EE did not pay, in our words.

Codes as in ph-ee-connector-common (`PaymentHubError`), which the hub compares without case. Failures after
which money may have moved are no failures to us: see `answers`.
"""

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
# A row that the hub takes for the same as another one of its batch has this note and no code.
_DUPLICATE_NOTE = "duplicate transaction"


def failure_type(code: str, reason: str) -> FailureType:
    """For what the hub says of a failed row; OTHER for what we do not know."""
    if reason.lower().startswith(_DUPLICATE_NOTE):
        return FailureType.DUPLICATE
    return _TYPES.get(code.lower(), FailureType.OTHER)
