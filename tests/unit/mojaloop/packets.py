"""Packets, conditions and fulfilments as a payee's institution makes them, without any of our code."""

import base64
import hashlib
import hmac
import json

SECRET = b"secret"


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


_ACCOUNT = b"g.payeefsp.msisdn.27713803912"


def packet(carried, amount=10000):
    """`carried` is the transaction; `amount` only stands in the packet's head."""
    data = base64url(json.dumps(carried).encode()).encode()
    content = amount.to_bytes(8, "big") + _variable(_ACCOUNT) + _variable(data) + b"\0"
    return base64url(b"\x01" + _variable(content))


def _variable(data):
    if len(data) < 128:
        return bytes([len(data)]) + data
    size = len(data).to_bytes(2, "big")
    return b"\x82" + size + data


def fulfilment(packet_text):
    key = base64.b64encode(SECRET)
    return base64url(hmac.new(key, packet_text.encode(), hashlib.sha256).digest())


def condition(packet_text):
    preimage = base64.urlsafe_b64decode(fulfilment(packet_text) + "=")
    return base64url(hashlib.sha256(preimage).digest())


def packet_v4(carried, amount=10000, opened_by=None, kind=12):
    """Interledger version 4: the fulfilment is made of the transaction, and its hash stands in the head."""
    data = base64url(json.dumps(carried).encode()).encode()
    opened_by = opened_by or condition_v4(carried)
    head = amount.to_bytes(8, "big") + b"20400101010101001" + base64.urlsafe_b64decode(opened_by + "=")
    return base64url(bytes([kind]) + _variable(head + _variable(b"g.mojaloop") + _variable(data)))


def fulfilment_v4(carried):
    return fulfilment(json.dumps(carried))


def condition_v4(carried):
    return condition(json.dumps(carried))
