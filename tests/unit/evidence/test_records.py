"""Records that are not as their schema demands: one line for a person, the others are read."""

import pytest
from messages import camt, element, entry, pain, status, text, transaction

from g2p_payment_reconcile.evidence.bank_file import read
from g2p_payment_reconcile.evidence.lines import EvidenceStatus, Expected, FaultKind, Problem

GOOD = entry(transaction("R1"))
LAST = entry(transaction("R3"))


def among_good(record, version=8):
    first, *found, last = read(camt(GOOD, record, LAST)).lines
    assert (first.reference, last.reference) == ("R1", "R3")
    assert (first.status, last.status) == (EvidenceStatus.PAID, EvidenceStatus.PAID)
    return found


@pytest.mark.parametrize(
    ("good", "bad", "kind", "name"),
    [
        ("<BkTxCd>", "<Surprise/><BkTxCd>", FaultKind.UNKNOWN, "Surprise"),
        ("<BkTxCd>", '<Sts xmlns="urn:other"/><BkTxCd>', FaultKind.UNKNOWN, "Sts"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", "", FaultKind.MISSING, "CdtDbtInd"),
        (' Ccy="USD"', "", FaultKind.MISSING, "Ccy"),
        ("<CdtDbtInd>DBIT<", "<CdtDbtInd>BOTH<", FaultKind.VALUE, "CdtDbtInd"),
        (">100.00<", ">1,000.00<", FaultKind.VALUE, "Amt"),
        (">100.00<", "><", FaultKind.VALUE, "Amt"),
        (">100.00<", "><Sum>100.00</Sum><", FaultKind.UNKNOWN, "Sum"),
        ("2026-03-02</Dt>", "2026-02-30</Dt>", FaultKind.VALUE, "Dt"),
        ("<BkTxCd>", "not booked<BkTxCd>", FaultKind.TEXT, "Ntry"),
        ("<Refs>", "reversed<Refs>", FaultKind.TEXT, "TxDtls"),
        ("<NtryDtls>", "<NtryDtls>reversed", FaultKind.TEXT, "NtryDtls"),
        ("</TxDtls>", "</TxDtls>reversed", FaultKind.TEXT, "NtryDtls"),
        ("<Cd>BOOK</Cd>", "<Cd>BOOK</Cd>PDNG", FaultKind.TEXT, "Sts"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", "<CdtDbtInd>DBIT</CdtDbtInd>" * 2, FaultKind.REPEATED, "CdtDbtInd"),
        ("<Sts><Cd>BOOK</Cd></Sts>", "<Sts><Cd>BOOK</Cd></Sts>" * 2, FaultKind.REPEATED, "Sts"),
        ("<NtryDtls>", "<TxDtls/><NtryDtls>", FaultKind.UNKNOWN, "TxDtls"),
    ],
)
def test_a_bad_entry_says_which_element_is_wrong(good, bad, kind, name):
    record = entry(transaction("R2"))
    assert good in record
    (line,) = among_good(record.replace(good, bad, 1))
    assert (line.status, line.problem, line.amount) == (None, Problem.SCHEMA, None)
    assert (line.fault.kind, line.fault.element) == (kind, name)
    assert line.reference == "R2", "the payment that it names must not be paid again unseen"


def test_a_fault_names_line_and_expectation():
    record = entry(transaction("R2")).replace("<CdtDbtInd>DBIT", "\n\n<CdtDbtInd>BOTH")
    (line,) = among_good(record)
    assert (line.fault.line, line.fault.value, line.fault.expected) == (4, "BOTH", Expected.WORD)
    assert line.fault.words == "CRDT, DBIT"


def test_no_words_of_python_reach_a_person():
    for bad in ("<Sts/>", "<Sts><Cd/><Cd/></Sts>", "<Sts><Sts/></Sts>"):
        (line,) = among_good(entry(transaction("R2")).replace("<Sts><Cd>BOOK</Cd></Sts>", bad))
        if line.problem:
            assert "__init__" not in str(line.fault) + line.problem_detail
        assert line.status is not EvidenceStatus.PAID


@pytest.mark.parametrize("kind", ["n:ReportEntry10", "absent:ReportEntry10", "ReportEntry10", ""])
def test_a_type_on_a_record_is_read(kind):
    typed = GOOD.replace(
        "<Ntry>",
        '<Ntry xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:n="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08" xsi:type="{kind}">',
    )
    (line,) = read(camt(typed)).lines
    assert (line.status, line.reference, line.problem) == (EvidenceStatus.PAID, "R1", None)


@pytest.mark.parametrize("version", [2, 8])
@pytest.mark.parametrize("word", ["BOOK", "PDNG"])
@pytest.mark.parametrize("spelling", ["<Sts><Cd>{}</Cd></Sts>", "<Sts>{}</Sts>"])
def test_a_status_in_the_spelling_of_another_version(version, word, spelling):
    record = entry(transaction("R1", "100.00", version=version), version=version)
    own = "<Sts><Cd>BOOK</Cd></Sts>" if version == 8 else "<Sts>BOOK</Sts>"
    (line,) = read(camt(record.replace(own, spelling.format(word)), version=version)).lines
    expected = EvidenceStatus.PAID if word == "BOOK" else EvidenceStatus.WAITING
    assert (line.status, line.problem) == (expected, None)


def test_one_bad_transaction_of_a_collective_entry_is_one_line():
    details = [transaction(f"R{number}", "10.00") for number in (4, 5, 6)]
    details[1] = details[1].replace(">10.00<", ">ten<")
    found = among_good(entry(*details, amount="30.00"))
    assert [line.reference for line in found] == ["R4", "R5", "R6"]
    assert [line.problem for line in found] == [None, Problem.SCHEMA, None]


def test_a_bad_collective_entry_names_each_payment():
    details = [transaction(f"R{number}", "10.00") for number in (4, 5)]
    found = among_good(entry(*details, amount="20.00").replace("DBIT</CdtDbtInd><Sts>", "X</CdtDbtInd><Sts>"))
    assert [(line.reference, line.status) for line in found] == [("R4", None), ("R5", None)]


@pytest.mark.parametrize("wrong", ["Entry", "ntry", "NtryDtls"])
def test_a_misspelt_record_is_not_lost(wrong):
    record = entry(transaction("R2")).replace("<Ntry>", f"<{wrong}>").replace("</Ntry>", f"</{wrong}>")
    content = camt(GOOD, record)
    first, line = read(content).lines
    assert (first.status, line.status, line.reference) == (EvidenceStatus.PAID, None, "R2")


def test_a_record_in_the_wrong_place_is_not_lost():
    content = camt(GOOD).decode().replace("</GrpHdr>", entry(transaction("R2")) + "</GrpHdr>")
    first, line = read(content.encode()).lines
    assert (first.status, line.status, line.reference) == (EvidenceStatus.PAID, None, "R2")


def test_a_copy_in_a_banks_own_data_is_no_payment():
    own = element("SplmtryData", element("Envlp", entry(transaction("R2"))))
    content = camt(GOOD).decode().replace("</BkToCstmrStmt>", own + "</BkToCstmrStmt>")
    assert [line.reference for line in read(content.encode()).lines] == ["R1"]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<TxSts>ACSC<", "<TxSts>SURE<"),
        ("<TxSts>ACSC</TxSts>", "<TxSts>ACSC</TxSts>" * 2),
        ("<TxSts>", "loose<TxSts>"),
        ("<TxSts>", "<Surprise/><TxSts>"),
    ],
)
def test_a_bad_transaction_of_a_status_report(good, bad):
    bad_one = status("R2", "ACSC").replace(good, bad)
    found = read(pain(status("R1", "ACSC"), bad_one, status("R3", "ACSC"))).lines
    assert [line.reference for line in found] == ["R1", "R2", "R3"]
    assert [line.problem for line in found] == [None, Problem.SCHEMA, None]


def test_a_bad_frame_of_a_status_report_loses_nothing():
    content = pain(status("R1", "ACSC")).decode().replace("OrgnlPmtInfAndSts", "PmtInfAndSts").encode()
    assert [(line.reference, line.status) for line in read(content).lines][-1] == ("R1", None)
    content = pain(status("R1", "ACSC")).decode().replace("<OrgnlMsgId>our-message</OrgnlMsgId>", "")
    bad, good = read(content.encode()).lines
    assert (bad.fault.element, good.status) == ("OrgnlMsgId", EvidenceStatus.PAID)


def test_a_bad_group_lends_its_transactions_no_other_word():
    content = pain(status("R1", None), group_status="ACSC", payment_status="RJCT").decode()
    bad, one = read(content.replace("<PmtInfSts>RJCT", "<PmtInfSts>REJECTED").encode()).lines
    assert (bad.problem, one.reference, one.status) == (Problem.SCHEMA, "R1", EvidenceStatus.WAITING)


def test_two_heads_of_messages_lend_no_word():
    content = pain(status("R1", None), group_status="RJCT").decode()
    start, end = content.index("<OrgnlGrpInfAndSts>"), content.index("<OrgnlPmtInfAndSts>")
    head = content[start:end]
    content = content[:end] + head.replace("RJCT", "ACSC") + content[end:]
    assert read(content.encode()).lines[-1].status is EvidenceStatus.WAITING


def test_a_misspelt_entry_keeps_the_text_that_names_a_payment():
    bad = entry(element("TxDtls", element("RmtInf", text("Ustrd", "GRANT R77")))).replace("Ntry>", "Ntri>")
    good, strange = read(camt(entry(transaction("R1")), bad)).lines
    assert (good.free_text, strange.free_text) == ("R1", "GRANT R77")


def test_words_of_a_person_are_not_in_the_log(caplog):
    caplog.set_level("DEBUG")
    read(camt(entry(transaction("R2", name="Amina Secret")).replace("<CdtDbtInd>DBIT", "<CdtDbtInd>X")))
    assert "Amina" not in caplog.text


def test_text_of_an_element_with_an_attribute_is_no_loose_text():
    assert text("Amt", "1", Ccy="USD") in entry(transaction("R1", "1"))
    assert read(camt(entry(transaction("R1", "1"), amount="1"))).lines[0].problem is None
