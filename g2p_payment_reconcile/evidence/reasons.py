"""The words of ISO 20022 and what they mean to us."""

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType

from .lines import EvidenceStatus

# ExternalPaymentTransactionStatus1Code. What is not here has not ended: waiting.
STATUS = {
    "ACSC": EvidenceStatus.PAID,  # settled on the payer's account
    "ACCC": EvidenceStatus.PAID,  # settled on the payee's account
    "RJCT": EvidenceStatus.FAILED,
    "CANC": EvidenceStatus.FAILED,  # cancelled at the payer's request
}

# ExternalStatusReason1Code and ExternalReturnReason1Code.
_CODES = {
    FailureType.PAYEE_UNKNOWN: (
        "AC01 AC02 AC03 AC14 AC15 BE01 BE04 BE06 BE07 BE08 BE09 BE17 BE18 BE22 CNOR IEDT RC01 RC03 RC04 RC07 "
        "RC08 RC10 RC11 RR03"
    ),
    FailureType.ACCOUNT_CLOSED: "AC04 AC05 AC06 AC07 AC08 AC12 AC13 AG01 ED03 MD07 SL01 SL02",
    FailureType.LIMIT: "AM02 AM06 AM13 AM14 AM21 AM23 CA01",
    FailureType.INSUFFICIENT_FUNDS: "AM04 AM07 ED05",
    FailureType.DUPLICATE: "AM05 DU01 DU02 DU03 DU04 DU05 DUPL",
    FailureType.TECHNICAL: (
        "AB01 AB02 AB03 AB04 AB05 AB06 AB07 AB08 AB09 AB10 AB11 AGNT DT01 DT02 DT04 DT05 ED01 ED06 FF01 FF02 "
        "FF03 FF04 FF05 FF06 FF07 FF08 FF09 FF10 TM01 TD01 TD02 TD03 XT13 XT33 XT73 XT74 XT75 XT80"
    ),
    FailureType.REJECTED: (
        "AG02 AG03 AGO7 AM01 AM03 AM09 AM10 AM11 AM12 AM22 CH03 CUST DS02 DS04 FOCR FRAD LEGL MS02 MS03 NARR "
        "NOAS NOOR RR01 RR02 RR04 SVNR TECH UPAY"
    ),
}
_SAYS_NOTHING = {"NARR", "MS02", "MS03", "AGNT", "NOAS", "NOOR"}
_TYPE = {code: kind for kind, codes in _CODES.items() for code in codes.split()}


# Before anything else a person must know that another payment may have been made.
_TELLING = (FailureType.DUPLICATE, None, FailureType.TECHNICAL, FailureType.REJECTED, FailureType.OTHER)


def most_telling(codes: list[str]) -> str:
    """The code that says most about why it failed, of several; the first of those that say as much."""

    def rank(code: str) -> tuple[int, bool]:
        kind = _TYPE.get(code.strip().upper(), FailureType.OTHER)
        return _TELLING.index(kind if kind in _TELLING else None), code.upper() in _SAYS_NOTHING

    return min(codes, key=rank, default="")


def failure_type(status: EvidenceStatus | None, code: str) -> FailureType | None:
    """Why it failed; None for what did not fail. What came back had been paid, whatever the code."""
    if status is EvidenceStatus.RETURNED:
        return FailureType.RETURNED
    if status is EvidenceStatus.FAILED:
        return _TYPE.get(code.strip().upper(), FailureType.OTHER)
    return None
