"""The two keys of JWS: the hub's, with which the Toolkit signs for every bank, and the adapter's."""

import shutil

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .payees import FSPS


def ensure(folder, dfsp):
    """Make what is not there:

    hub.key, dfsp.key       private keys
    of_hub/NAME.pem         public keys of the hub and of each payee's bank: for the adapter
    of_dfsps/NAME.pem       public key of the adapter: for the Toolkit
    """
    if (folder / "dfsp.key").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    for name, owners in (("hub", FSPS), ("dfsp", [dfsp])):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        directory = folder / ("of_hub" if name == "hub" else "of_dfsps")
        directory.mkdir(parents=True)
        for owner in owners:
            (directory / f"{owner}.pem").write_bytes(public)
        private = folder / f"{name}.key"
        private.touch(mode=0o600)
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
