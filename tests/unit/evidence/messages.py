"""Bank messages for the tests, each in the spelling of its version of the schema."""

from xml.sax.saxutils import escape

_MOMENT = "2026-03-02T08:00:00Z"


def element(name, content="", **attributes):
    if content is None:
        return ""
    texts = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{texts}>{content}</{name}>"


def text(name, value, **attributes):
    return "" if value is None else element(name, escape(str(value)), **attributes)


def camt(*entries, version=8, accounts=("our-account",)):
    head = text("MsgId", "m1") + text("CreDtTm", _MOMENT)
    statements = "".join(
        element("Stmt", text("Id", "s1") + text("CreDtTm", _MOMENT) + _account(account) + "".join(entries))
        for account in accounts
    )
    return document(
        f"camt.053.001.{version:02}", element("BkToCstmrStmt", element("GrpHdr", head) + statements)
    )


def notification(*entries, version=8):
    """The same as camt.054."""
    renamed = {"camt.053": "camt.054", "BkToCstmrStmt": "BkToCstmrDbtCdtNtfctn", "Stmt>": "Ntfctn>"}
    message = camt(*entries, version=version).decode()
    for statement, notified in renamed.items():
        message = message.replace(statement, notified)
    return message.encode()


def _account(account):
    kind = text("IBAN", account) if account[:2].isupper() else element("Othr", text("Id", account))
    return element("Acct", element("Id", kind))


def entry(
    *transactions,
    amount="100.00",
    currency="USD",
    indicator="DBIT",
    status="BOOK",
    booked_on="2026-03-02",
    reversal=None,
    code=None,
    own=None,
    version=8,
):
    sub_family = element("Fmly", text("Cd", "ICDT") + text("SubFmlyCd", code)) if code else ""
    domain = element("Domn", text("Cd", "PMNT") + sub_family) if code else ""
    return element(
        "Ntry",
        text("Amt", amount, Ccy=currency)
        + text("CdtDbtInd", indicator)
        + text("RvslInd", reversal)
        + element("Sts", text("Cd", status) if version >= 7 else status)
        + element("BookgDt", text("Dt", booked_on))
        + text("AcctSvcrRef", own)
        + element("BkTxCd", domain)
        + (element("NtryDtls", "".join(transactions)) if transactions else ""),
    )


def transaction(
    reference=None,
    amount=None,
    currency="USD",
    account=None,
    iban=None,
    name=None,
    own=None,
    returned=None,
    information=None,
    instruction=None,
    version=8,
):
    references = text("AcctSvcrRef", own) + text("InstrId", instruction) + text("EndToEndId", reference)
    if amount is None:
        money = ""
    elif version == 2:
        money = element("AmtDtls", element("TxAmt", text("Amt", amount, Ccy=currency)))
    else:
        money = text("Amt", amount, Ccy=currency) + text("CdtDbtInd", "CRDT" if returned else "DBIT")
    party = text("Nm", name)
    party = element("Cdtr", element("Pty", party) if version >= 7 else party) if name else ""
    identifier = text("IBAN", iban) if iban else element("Othr", text("Id", account))
    identifier = element("CdtrAcct", element("Id", identifier)) if iban or account else ""
    back = element("Rsn", text("Cd", returned)) + text("AddtlInf", information)
    return element(
        "TxDtls",
        (element("Refs", references) if references else "")
        + money
        + (element("RltdPties", party + identifier) if party or identifier else "")
        + (element("RtrInf", back) if returned else ""),
    )


def pain(*transactions, version=3, group_status=None, payment_status=None, groups=True):
    head = element("GrpHdr", text("MsgId", "m2") + text("CreDtTm", _MOMENT))
    whole = (
        text("OrgnlMsgId", "our-message")
        + text("OrgnlMsgNmId", "pain.001.001.03")
        + text("GrpSts", group_status)
    )
    group = text("OrgnlPmtInfId", "our-batch") + text("PmtInfSts", payment_status) + "".join(transactions)
    return document(
        f"pain.002.001.{version:02}",
        element(
            "CstmrPmtStsRpt",
            head
            + element("OrgnlGrpInfAndSts", whole)
            + (element("OrgnlPmtInfAndSts", group) if groups else ""),
        ),
    )


def status(
    reference,
    word,
    code=None,
    information=None,
    amount="100.00",
    currency="USD",
    iban=None,
    name=None,
    own=None,
    accepted_at=None,
    version=3,
):
    why = element("Rsn", text("Cd", code)) if code else ""
    why = element("StsRsnInf", why + text("AddtlInf", information)) if code or information else ""
    party = (
        element("Cdtr", element("Pty", text("Nm", name)) if version >= 9 else text("Nm", name))
        if name
        else ""
    )
    original = (
        (element("Amt", text("InstdAmt", amount, Ccy=currency)) if amount else "")
        + party
        + (element("CdtrAcct", element("Id", text("IBAN", iban))) if iban else "")
    )
    return element(
        "TxInfAndSts",
        text("OrgnlEndToEndId", reference)
        + text("TxSts", word)
        + why
        + text("AccptncDtTm", accepted_at)
        + text("AcctSvcrRef", own)
        + (element("OrgnlTxRef", original) if original else ""),
    )


def document(message, content):
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{message}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{namespace}">{content}</Document>'.encode()
    )
