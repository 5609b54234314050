"""The safety mechanisms of Mojaloop's keys, certificates and signed callbacks, as in mutants.py."""

from .mutants import Mutant

_CLIENT = "g2p_mojaloop_connector/client"
_MODELS = "g2p_mojaloop_connector/models"
_CALLBACK = "payment_gateway_callback.py"
_CERTIFICATE = "payment_gateway_certificate.py"
_SEEN = "g2p_payment_hub/models/payment_callback_seen.py"
_ADDON = ("--only", "addons", "--addon", "g2p_mojaloop_connector", "-k")


def _in_client(name, file, old, new, tests):
    return Mutant(f"mojaloop {name}", f"{_CLIENT}/{file}", old, new, ("--only", "unit", "-k", tests))


def _in_odoo(name, file, old, new, tests):
    return Mutant(f"mojaloop {name}", f"{_MODELS}/{file}", old, new, (*_ADDON, tests))


MUTANTS = (
    _in_client(
        "signatures: only its key's owner can have made one",
        "jws.py",
        "            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())\n",
        "            pass\n",
        "test_jws",
    ),
    _in_client(
        "keys: a request is signed with its own key",
        "keys.py",
        "builder.sign(load_key(key_pem), hashes.SHA256())",
        "builder.sign(load_key(new_key(JWS_BITS)), hashes.SHA256())",
        "test_keys",
    ),
    _in_client(
        "keys: what is published of a server has no private key in it",
        "keys.py",
        '    if not found or "PRIVATE KEY" in text:\n',
        "    if not found:\n",
        "test_keys",
    ),
    _in_client(
        "keys: what is published of a signing key has no private key in it",
        "keys.py",
        '    if "PRIVATE KEY" in pem:\n',
        "    if False:\n",
        "test_keys",
    ),
    Mutant(
        "mojaloop keys: no private key stands where everybody reads",
        "g2p_payment_hub/models/payment_gateway_checks.py",
        """        if "PRIVATE KEY" in (self[name] or ""):\n""",
        "        if False:\n",
        (*_ADDON, "where_everybody_reads"),
    ),
    _in_odoo(
        "keys: a certificate is for our key",
        _CERTIFICATE,
        "        if not ours:\n",
        "        if False:\n",
        "test_trust",
    ),
    _in_odoo(
        "keys: a certificate that is over takes no place",
        _CERTIFICATE,
        "        if ends <= datetime.now(timezone.utc):\n",
        "        if False:\n",
        "test_trust",
    ),
    _in_odoo(
        "keys: the key of a request under way is not replaced",
        _CERTIFICATE,
        """        if self._mojaloop_step("certificate").state == "requested":\n""",
        "        if False:\n",
        "test_trust",
    ),
    _in_odoo(
        "keys: a request whose answer was lost may have arrived",
        "payment_gateway_manager.py",
        """            return "requested"  # it may have arrived: its key is not to be replaced\n""",
        "            return state\n",
        "test_trust",
    ),
    _in_odoo(
        "keys: a private key is nowhere to read",
        _CERTIFICATE,
        "                serial=keys.facts(certificate).serial,\n",
        "                serial=key,\n",
        "test_trust",
    ),
    _in_odoo(
        "keys: who may exchange them",
        "payment_gateway_manager.py",
        "        check_role(\n            self.env,\n            GATEWAY_ADMIN,",
        "        (\n            self.env,\n            GATEWAY_ADMIN,",
        "test_trust",
    ),
    _in_odoo(
        "keys: whose key is not shown any more is not trusted any more",
        "mojaloop_peer_key.py",
        "        self.union(*(one for fsp, one in kept.items() if fsp not in usable)).unlink()\n",
        "",
        "test_exchange or test_hub",
    ),
    _in_odoo(
        "keys: what cannot be read is no key",
        "mojaloop_peer_key.py",
        "        except ValueError:\n            return None\n",
        "        except ValueError:\n            end = None\n",
        "test_exchange or test_hub",
    ),
    _in_odoo(
        "keys: a name leads to no other folder",
        "mojaloop_peer_key.py",
        "        if not _NAME.fullmatch(fsp):\n",
        "        if False:\n",
        "test_hub",
    ),
    _in_odoo(
        "keys: who may not ask for the hub's key keeps what is known",
        "payment_gateway_signing_keys.py",
        "        if why_not:  # nothing was heard of it, so what is known of it stays\n",
        "        if False:\n",
        "test_hub",
    ),
    _in_odoo(
        "keys: what is no certificate takes no place of the hub's",
        "payment_gateway_server_certificates.py",
        "        if text and not end:\n",
        "        if False:\n",
        "test_hub",
    ),
    _in_odoo(
        "keys: administrators are told of an end once",
        "payment_gateway_expiry.py",
        "        if current == told:\n            return told\n",
        "",
        "test_trust",
    ),
    _in_odoo(
        "keys: administrators are told 30, 7 and 1 days ahead",
        "payment_gateway_expiry.py",
        "REMIND_DAYS = (30, 7, 1)",
        "REMIND_DAYS = (30, 7)",
        "test_trust",
    ),
    _in_odoo(
        "keys: nothing is sent with a certificate that has ended",
        "payment_gateway_expiry.py",
        "        if self.provider == MOJALOOP and until and until <= fields.Datetime.now():\n",
        "        if False:\n",
        "test_trust",
    ),
    _in_odoo(
        "callbacks: what is not signed is not believed",
        _CALLBACK,
        "            return not self.mojaloop_signed_callbacks\n",
        "            return True\n",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: a signature is checked",
        _CALLBACK,
        "        if self.provider == MOJALOOP and not self._mojaloop_is_genuine(call):\n",
        "        if False:\n",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: the key is the sender's",
        _CALLBACK,
        """        sender = [("gateway_id", "=", self.id), ("fsp", "=", call.headers.get(jws.SOURCE))]\n""",
        """        sender = [("gateway_id", "=", self.id), ("fsp", "=", "mallory")]\n""",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: a key of another gateway is none",
        _CALLBACK,
        """        sender = [("gateway_id", "=", self.id), ("fsp", "=",""",
        """        sender = [("fsp", "=",""",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: what was signed for somebody else is not for us",
        _CALLBACK,
        "        if call.headers.get(jws.DESTINATION) != self.mojaloop_dfsp_id:\n",
        "        if False:\n",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: a call has a signed date",
        _CALLBACK,
        """        if not signed.at:
            raise jws.Forged(f"{jws.DATE} is not signed")
""",
        """        if not signed.at:
            signed = signed._replace(at=fields.Datetime.now().astimezone())
""",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: another signature of the same is the same call",
        _CALLBACK,
        "._take(self, signed.content, ",
        "._take(self, call.headers[jws.SIGNATURE].encode(), ",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: the scheme is not asked more often than every ten seconds",
        _CALLBACK,
        "AND write_date < %s AND",
        "AND (write_date < %s OR true) AND",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: what somebody works on is left alone",
        _CALLBACK,
        "(lease_until IS NULL OR lease_until < %s)",
        "(lease_until IS NULL OR lease_until < %s OR true)",
        "test_callback",
    ),
    _in_odoo(
        "callbacks: a gateway hears of its own transfers",
        _CALLBACK,
        "AND gateway_id = %s AND",
        "AND (gateway_id = %s OR true) AND",
        "test_callback",
    ),
    Mutant(
        "mojaloop callbacks: a stale call is not believed",
        _SEEN,
        "        if abs(time.time() - signed_at) > SIGNATURE_WINDOW.total_seconds():\n",
        "        if False:\n",
        (*_ADDON, "test_callback"),
    ),
    Mutant(
        "mojaloop callbacks: a call is taken once",
        _SEEN,
        "        return bool(self.env.cr.rowcount)\n",
        "        return True\n",
        (*_ADDON, "test_callback"),
    ),
)
