import os
import stat
import tempfile
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from cryptography.fernet import Fernet

from odoo.exceptions import UserError
from odoo.tests import tagged

from .. import key_command, secret_keys, secret_store
from ..hooks import encrypt_secrets
from .common import GATEWAY, SIGNING_KEY, PaymentHubCase

_SAFETY = "odoo.addons.g2p_payment_hub.models.payment_gateway_safety"


class KeyCase(PaymentHubCase):
    """A key file of the test's own."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "payment-keys"
        self._write(Fernet.generate_key().decode())
        self._start(patch.dict(os.environ, {secret_keys.FILE_VARIABLE: str(self.file)}))
        self.gateway.write({"phee_password": "secret-password", "phee_signing_key": SIGNING_KEY})

    def _write(self, *keys):
        self.file.touch(mode=0o600)
        self.file.write_text("".join(f"{key}\n" for key in keys))

    def _another_key(self):
        """As on a server to which the database was copied without its key."""
        self._write(Fernet.generate_key().decode())

    def _rows(self):
        self._sql(
            "SELECT name, value FROM g2p_payment_gateway_secret WHERE gateway_id = %s ORDER BY name",
            self.gateway.id,
        )
        return dict(self.env.cr.fetchall())

    def _tested(self):
        with patch.object(type(self.gateway), "_check_connection", lambda _gateway: []):
            return self._message(self.gateway.action_test_connection())


@tagged("post_install", "-at_install")
class TestKeys(KeyCase):
    def test_the_database_holds_ciphertext(self):
        rows = self._rows()
        self.assertEqual(set(rows), {"phee_password", "phee_signing_key", "references"})
        for name in ("phee_password", "phee_signing_key"):
            self.assertTrue(secret_keys.is_sealed(rows[name]), name)
        self.assertNotIn("secret-password", str(rows))
        self.assertNotIn(SIGNING_KEY[60:100], str(rows))

    def test_without_a_key_nothing_is_kept(self):
        self.file.unlink()
        before = self._rows()
        with self.assertRaisesRegex(UserError, "key file .* is missing"), self.env.cr.savepoint():
            self.gateway.phee_password = "another"
        self.assertEqual(self._rows(), before)
        gateway = self.env[GATEWAY].create({"name": "Without secrets"})
        self.assertIn("key file", gateway.safety_problem)

    def test_without_a_key_nothing_is_sent_and_all_say_why(self):
        batch = self._approved()
        self.file.unlink()
        self._send(batch)
        self.assertEqual((self.hub.uploads, batch.batch_state), (0, "approved"))
        self.assertIn("key file", batch.submission_ids.answer)
        self.assertIn("key file", self.gateway.safety_problem)
        self.assertIn("key file", self._tested())
        with self.assertRaisesRegex(UserError, "key file"):
            self.gateway._phee_settings()

    def test_without_a_key_a_batch_is_checked_and_taken_back(self):
        batch = self._approved()
        self.file.unlink()
        batch.with_user(self.manager_user).action_back_to_draft()
        self.assertEqual(batch.batch_state, "draft")
        self.assertFalse(batch.payment_ids.check_problem)

    def test_no_key_is_named_at_all(self):
        with patch.dict(os.environ, {secret_keys.FILE_VARIABLE: ""}), patch.object(secret_keys, "config", {}):
            self.assertIn("has no key for the secrets of gateways", self.gateway.safety_problem)

    def test_a_file_that_others_can_read_is_not_used(self):
        for mode in (0o640, 0o604, 0o660, 0o777):
            self.file.chmod(mode)
            self.gateway.invalidate_recordset()
            self.assertIn("mode to 0600", self.gateway.safety_problem)
        self.file.chmod(0o400)
        self.env.invalidate_all()
        self.assertFalse(self.gateway.safety_problem)

    def test_a_file_without_a_key_says_so(self):
        for content in ("", "nonsense\n", "é" * 40):
            self.file.write_text(content)
            self.gateway.invalidate_recordset()
            self.assertIn("cannot be read", self.gateway.safety_problem)

    def test_keys_may_stand_in_the_environment(self):
        keys = {secret_keys.KEYS_VARIABLE: self.file.read_text()}
        self.file.unlink()
        with patch.dict(os.environ, keys):
            self.assertEqual(self.gateway._secrets()["phee_password"], "secret-password")

    def test_a_restored_database_without_its_key(self):
        references = self.gateway._reference_key()
        self._another_key()
        self.assertIn("enter them again: Password, Signing Key", self.gateway.safety_problem)
        self.assertIn("enter them again", self._tested())
        self.assertEqual(self.gateway.phee_password, "•" * 8)
        self.gateway.write({"phee_password": "typed again", "phee_signing_key": SIGNING_KEY})
        self.assertFalse(self.gateway.safety_problem)
        self.assertEqual(self.gateway._secrets()["phee_password"], "typed again")
        self.assertEqual(self.gateway._reference_key(), references, "or what was sent is not found again")

    def test_a_secret_moved_to_another_gateway_or_field_does_not_open(self):
        other = self._gateway(name="Of somebody else")
        move = "UPDATE g2p_payment_gateway_secret SET value = %s WHERE gateway_id = %s AND name = %s"
        sealed = self._rows()["phee_password"]
        for gateway, name in ((other, "phee_password"), (self.gateway, "phee_signing_key")):
            self._sql(move, sealed, gateway.id, name)
            with self.assertRaisesRegex(UserError, "enter them again"):
                gateway._secrets()[name]

    def test_what_is_put_there_in_plain_text_is_not_used(self):
        self._sql("UPDATE g2p_payment_gateway_secret SET value = 'mine' WHERE name = 'phee_password'")
        self.assertIn("--encrypt", self.gateway.safety_problem)
        with self.assertRaisesRegex(UserError, "not encrypted"):
            self.gateway._secrets()["phee_password"]


@tagged("post_install", "-at_install")
class TestRotation(KeyCase):
    def setUp(self):
        super().setUp()
        self._start(patch.object(key_command, "_cursor", lambda _database: nullcontext(self.env.cr)))

    def _password(self):
        self.env.invalidate_all()
        return self.gateway._secrets()["phee_password"]

    def test_rotating_encrypts_anew_and_the_old_key_can_go(self):
        (old,) = secret_keys.read()
        before = self._rows()
        key_command.rotate("a database")
        new, second = secret_keys.read()
        self.assertEqual((second, self.file.stat().st_mode & 0o777), (old, 0o600))
        self.assertNotEqual(self._rows()["phee_password"], before["phee_password"])
        key_command.retire("a database")
        self.assertEqual(secret_keys.read(), [new])
        self.assertEqual(self._password(), "secret-password")

    def test_a_new_key_outlives_a_power_cut(self):
        """Both the file and its name are on the disk before anything is encrypted with it."""
        synced = []
        sync = patch.object(os, "fsync", lambda file: synced.append(stat.S_ISDIR(os.fstat(file).st_mode)))
        with sync:
            secret_keys.write([secret_keys.new_key()])
        self.assertEqual(synced, [False, True])

    def test_a_key_that_is_needed_stays(self):
        old = secret_keys.read()
        secret_keys.write([secret_keys.new_key(), *old])
        with self.assertRaisesRegex(key_command.Problem, "phee_password of gateway"):
            key_command.retire("a database")
        self.assertEqual(len(secret_keys.read()), 2)
        key_command.encrypt("a database")
        key_command.retire("a database")
        self.assertEqual(self._password(), "secret-password")

    def test_making_leaves_a_file_alone(self):
        content = self.file.read_text()
        with self.assertRaisesRegex(key_command.Problem, "left alone"):
            key_command.make(None)
        self.assertEqual(self.file.read_text(), content)
        self.file.unlink()
        key_command.make(None)
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(len(secret_keys.read()), 1)

    def test_what_no_key_decrypts_is_named_and_stays(self):
        self._another_key()
        before = self._rows()
        (_count, lost) = key_command.encrypt("a database")
        self.assertIn(f"phee_password of gateway {self.gateway.id}", lost)
        self.assertEqual(self._rows(), before)


@tagged("post_install", "-at_install")
class TestUpgrade(KeyCase):
    """From a version that kept secrets as they were typed."""

    def setUp(self):
        super().setUp()
        self._sql(
            "UPDATE g2p_payment_gateway_secret SET value = 'typed' WHERE name IN ('phee_password', %s)",
            "token 0123",
        )
        self._sql(
            "INSERT INTO g2p_payment_gateway_secret (gateway_id, name, value) "
            "VALUES (%s, 'token 0123', '{}')",
            self.gateway.id,
        )

    def test_what_is_there_is_encrypted(self):
        encrypt_secrets(self.env)
        rows = self._rows()
        self.assertTrue(secret_keys.is_sealed(rows["phee_password"]))
        self.assertEqual(set(rows), {"phee_password", "phee_signing_key", "references"})
        self.assertEqual(self.gateway._secrets()["phee_password"], "typed")
        self.assertEqual(self.gateway._secrets()["phee_signing_key"], SIGNING_KEY)

    def test_without_a_key_it_is_kept_unused_and_told(self):
        content = self.file.read_text()
        self.file.unlink()
        with self.assertLogs(_SAFETY, "WARNING") as log:
            encrypt_secrets(self.env)
        self.assertIn("key file", log.output[0])
        self.file.touch(mode=0o600)
        self.file.write_text(content)
        self.assertIn("--encrypt", self.gateway.safety_problem)
        self.assertEqual(secret_store.seal_all(self.env.cr)[1], [])
        self.env.invalidate_all()
        self.assertFalse(self.gateway.safety_problem)
