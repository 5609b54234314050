"""Files as banks deliver them: envelopes, marks around the document, archives, other kinds."""

import io
import zipfile

import pytest
from messages import camt, document, entry, pain, status, transaction

from g2p_payment_reconcile.evidence import archive
from g2p_payment_reconcile.evidence.bank_file import is_bank_message, read
from g2p_payment_reconcile.evidence.lines import EvidenceError, EvidenceStatus, Problem

STATEMENT = camt(entry(transaction("R1", name="Ana Müller")))
BODY = STATEMENT.decode().split("?>\n", 1)[1]
HEADER = (
    '<AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"><BizMsgIdr>1</BizMsgIdr>'
    "<MsgDefIdr>{}</MsgDefIdr></AppHdr>"
)


def references(content):
    assert is_bank_message(content)
    return [line.reference for line in read(content).lines]


def problem_of(content, opener=read):
    with pytest.raises(EvidenceError) as caught:
        opener(content)
    return caught.value.problem


@pytest.mark.parametrize(
    "content",
    [
        b"\n \r\n" + STATEMENT,
        b"\xef\xbb\xbf" + STATEMENT,
        b"\xef\xbb\xbf\n" + STATEMENT,
        STATEMENT + b"\0" * 512,
        STATEMENT + b"\r\n\x1a",
        STATEMENT.decode().encode("utf-16"),
        STATEMENT.decode().replace("UTF-8", "UTF-16").encode("utf-16") + "\0\0".encode("utf-16-le"),
        ("\ufeff\n" + STATEMENT.decode()).encode("utf-16-be"),
        BODY.encode(),
        b"\n\n" + BODY.encode(),
        STATEMENT.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1"),
    ],
)
def test_what_stands_around_the_document_does_no_harm(content):
    assert references(content) == ["R1"]
    assert read(content).lines[0].payee_name == "Ana Müller"


def test_blank_lines_in_front_do_not_move_the_line_of_a_fault():
    bad = STATEMENT.replace(b"<CdtDbtInd>DBIT", b"\n<CdtDbtInd>X")
    assert read(bad).lines[0].fault.line == 3
    assert read(b"\n\n" + bad).lines[0].fault.line == 5


@pytest.mark.parametrize(
    "envelope",
    [
        '<BizMsgEnvlp xmlns="urn:bank">{header}{body}</BizMsgEnvlp>',
        "<RequestPayload>{header}{body}</RequestPayload>",
        '<Saa:DataPDU xmlns:Saa="urn:swift:saa"><Saa:Body>{header}{body}</Saa:Body></Saa:DataPDU>',
    ],
)
def test_the_message_in_an_envelope_is_read(envelope):
    header = HEADER.format("camt.053.001.08")
    assert references(envelope.format(header=header, body=BODY).encode()) == ["R1"]
    bare = BODY.replace('xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"', 'xmlns=""')
    assert references(envelope.format(header=header, body=bare).encode()) == ["R1"]


def test_several_messages_of_one_kind_in_an_envelope_are_read():
    second = BODY.replace("R1", "R2")
    assert references(f"<All>{BODY}{second}</All>".encode()) == ["R1", "R2"]
    other = pain(status("R3", "ACSC")).decode().split("?>\n", 1)[1]
    assert problem_of(f"<All>{BODY}{other}</All>".encode()) is Problem.SEVERAL


def test_entries_of_two_messages_in_an_envelope_are_two_entries():
    second = BODY.replace("R1", "R2")
    found = read(f"<All>{BODY}{second}</All>".encode()).lines
    assert [line.entry_number for line in found] == [1, 2]


def test_a_message_without_a_namespace_is_named_unless_it_tells_its_version():
    bare = BODY.replace(' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"', "")
    assert problem_of(bare.encode()) is Problem.NO_VERSION
    place = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation='
    told = bare.replace("<Document", f'<Document {place}"camt.053.001.08.xsd"')
    assert references(told.encode()) == ["R1"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (document("camt.029.001.09", "<RsltnOfInvstgtn/>"), Problem.CANCELLATION),
        (document("camt.056.001.08", "<FIToFIPmtCxlReq/>"), Problem.CANCELLATION),
        (document("pain.001.001.09", "<CstmrCdtTrfInitn/>"), Problem.ORDER),
        (document("pacs.008.001.08", "<FIToFICstmrCdtTrf/>"), Problem.MESSAGE),
        (b'<Document xmlns="http://bank.example/pain.002.001.03.xy.02.xsd"/>', Problem.MESSAGE),
        (b"<html><body>Session expired</body></html>", Problem.MESSAGE),
        (b"", Problem.EMPTY),
        (b" \n\0", Problem.EMPTY),
        (b"%PDF-1.7", Problem.OTHER_KIND),
        (b"a,b\n1,2\n", Problem.OTHER_KIND),
        (b"\x1f\x8b\x08\x00", Problem.PACKED),
        (b"{1:F01X}{2:O9101200}{4:\n:20:A\n:25:1\n:32A:261102USD1,\n-}", Problem.ADVICE),
    ],
)
def test_other_kinds_are_named(content, problem):
    assert problem_of(content) is problem


def test_a_report_of_the_day_tells_booked_from_pending():
    entries = [entry(transaction("R1")), entry(transaction("R2"), status="PDNG")]
    content = camt(*entries).decode()
    for name, other in (("camt.053", "camt.052"), ("BkToCstmrStmt", "BkToCstmrAcctRpt"), ("Stmt>", "Rpt>")):
        content = content.replace(name, other)
    message = read(content.encode())
    assert (message.kind, message.accounts) == ("camt_052", ["our-account"])
    assert [line.status for line in message.lines] == [EvidenceStatus.PAID, EvidenceStatus.WAITING]


# ZIP


def packed(members, method=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as made:
        for name, data in members:
            made.writestr(name, data)
    return content.getvalue()


def test_the_files_of_an_archive():
    content = packed(
        [
            ("a/", b""),
            ("a/one.xml", STATEMENT),
            ("two.csv", b"x"),
            ("__MACOSX/._one.xml", b"?"),
            ("../../c", b"y"),
        ]
    )
    assert archive.is_archive(content) and not is_bank_message(content)
    assert archive.read(content) == [("one.xml", STATEMENT), ("two.csv", b"x"), ("c", b"y")]


def test_an_archive_without_files_is_empty():
    assert problem_of(packed([]), archive.read) is Problem.EMPTY


def test_limits_of_an_archive(monkeypatch):
    assert problem_of(packed([(str(n), b"") for n in range(101)]), archive.read) is Problem.ARCHIVE_MEMBERS
    assert problem_of(packed([("a", b"\0" * 3_000_000)]), archive.read) is Problem.ARCHIVE_RATIO
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    stored = packed([("a", b"x" * 600), ("b", b"y" * 600)], zipfile.ZIP_STORED)
    assert problem_of(stored, archive.read) is Problem.ARCHIVE_SIZE


def test_a_size_that_lies_reads_no_more(monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    content = packed([("a", b"x" * 5000)])
    for place in range(len(content) - 4):
        if content[place : place + 4] == (5000).to_bytes(4, "little"):
            content = content[:place] + (10).to_bytes(4, "little") + content[place + 4 :]
    assert problem_of(content, archive.read) in (Problem.ARCHIVE, Problem.ARCHIVE_SIZE)


@pytest.mark.parametrize("inner", [packed([("a", b"x")]), b"\x1f\x8b\x08\x00", b"Rar!\x1a\x07"])
def test_an_archive_in_an_archive_is_refused(inner):
    assert problem_of(packed([("inner.bin", inner)]), archive.read) is Problem.ARCHIVE_NESTED


def test_a_spreadsheet_is_named():
    assert problem_of(packed([("[Content_Types].xml", b"<Types/>")]), archive.read) is Problem.SPREADSHEET


def test_a_damaged_or_locked_archive_is_named():
    content = packed([("a.xml", STATEMENT)], zipfile.ZIP_STORED)
    assert problem_of(content[:60], archive.read) is Problem.ARCHIVE
    assert problem_of(content.replace(b"R1", b"R9"), archive.read) is Problem.ARCHIVE
    locked = bytearray(content)
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    locked[6] |= 1
    assert problem_of(bytes(locked), archive.read) is Problem.ARCHIVE_LOCKED
