"""Runs tuf-on-ci's signing tools as they are, with keys in files in place of the YubiKey
and of the key service, so that a test needs neither.

    signer.py KEYS delegate|sign ARGS...

Every question is answered as Enter answers it: with what the tool proposes.
"""

import os
import sys

import click
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf_on_ci_sign import delegate as _  # noqa: F401  the modules below are what it names
from tuf_on_ci_sign._signer_repository import set_key_field

modules = sys.modules["tuf_on_ci_sign.delegate"], sys.modules["tuf_on_ci_sign.sign"]


def key_in_file(name):
    """A key that stays the same, and where its private half lies."""
    path = os.path.join(keys, name)
    if os.path.exists(path):
        with open(path, "rb") as f:
            signer = CryptoSigner(load_pem_private_key(f.read(), None))
    else:
        signer = CryptoSigner.generate_ecdsa() if name == "service" else CryptoSigner.generate_ed25519()
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(signer.private_bytes)
    return signer.public_key, "file2:" + path


def service_key(_remote):
    key, uri = key_in_file("service")
    set_key_field(key, "online-uri", uri)
    return key


keys, command, *args = sys.argv[1:]
for module in modules:
    module.application_update_reminder = lambda: None  # it would ask the network
    module.get_signing_key_input = lambda: key_in_file("token")
modules[0]._sigstore_import = service_key
click.prompt = lambda text, default=None, **_: default
sys.argv = ["tuf-on-ci-" + command, *args]
getattr(modules[command == "sign"], command)()
