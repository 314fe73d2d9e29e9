"""A sealed document of ours, opened by an independent HPKE (PyPI pyhpke).

Reads the example's JSON from standard input; exits with an error unless the document opens, has its
announced hash, and does not open under another consent.
"""

import base64
import hashlib
import json
import struct
import sys
import uuid

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey, OpenError


def base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def associated_data(envelope):
    media_type = envelope["media_type"].encode()
    return (
        b"EDV1"
        + uuid.UUID(envelope["consent"]).bytes
        + struct.pack("<II", envelope["provider"], envelope["consumer"])
        + bytes.fromhex(envelope["content_hash"])
        + struct.pack("<I", len(media_type))
        + media_type
    )


def main():
    given = json.load(sys.stdin)
    envelope = given["envelope"]
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(given["private_key"]))
    key = KEMKey.from_pyca_cryptography_key(private)
    suite = CipherSuite.new(
        KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305
    )

    def open_key(aad):
        recipient = suite.create_recipient_context(
            base64url(envelope["enc"]), key, info=b"etibar.credential.document.v1"
        )
        return recipient.open(base64url(envelope["sealed_key"]), aad=aad)

    aad = associated_data(envelope)
    secret = open_key(aad)
    content = ChaCha20Poly1305(secret[:32]).decrypt(
        bytes(12), base64url(envelope["ciphertext"]), aad
    )
    assert content.decode() == given["content"]
    salted = hashlib.sha256(b"etibar.document.content" + secret[32:] + content)
    assert salted.hexdigest() == envelope["content_hash"]
    try:
        open_key(associated_data(envelope | {"consent": str(uuid.UUID(int=6))}))
    except OpenError:
        pass
    else:
        raise AssertionError("the envelope opened under another consent")
    print("pyhpke opens our envelope under its own consent only")


if __name__ == "__main__":
    main()
