"""An independent verifier (openvc-core) accepts the credentials of a running issuer under the
authority that its operator registered and reads their status from the issuer's list; it refuses
them under another authority, when altered, and when nobody reads the list.

    python check_credential.py <outcome of check_running.mjs> [fingerprint of the authority]
"""

import base64
import json
import sys
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from jwcrypto.jwk import JWK
from openvc.errors import OpenvcError
from openvc.status import verify_status_list_token
from openvc.verify import verify_credential

from ours import same


def status_list(credential):
    """Fetches status lists: of the issuer whose certificate the credential carries."""
    head = credential.partition(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    leaf = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
    key = JWK.from_pyca(leaf.public_key()).export_public(as_dict=True)

    def resolve(uri):
        wanted = {"accept": "application/statuslist+jwt"}
        with urllib.request.urlopen(urllib.request.Request(uri, headers=wanted)) as answer:
            token = answer.read().decode()
        return verify_status_list_token(token, public_key_jwk=key, expected_uri=uri)

    return resolve


def refused(what, credential, anchor, resolve):
    try:
        verify_credential(
            credential, x5c_trust_anchors=[anchor], resolve_status_list_token=resolve
        )
    except (OpenvcError, OSError, ValueError):
        return
    raise SystemExit(f"credential: the peer accepted {what}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        issued = json.load(file)
    anchors = [x509.load_pem_x509_certificate(one["authority"].encode()) for one in issued]
    for one, anchor in zip(issued, anchors):
        resolve = status_list(one["credential"])
        verified = verify_credential(
            one["credential"], x5c_trust_anchors=[anchor], resolve_status_list_token=resolve
        )
        same(verified.credential.get("vct"), one["vct"], "the type")
        same(verified.status.status, 0, "the status")
        jwt, _, disclosures = one["credential"].partition("~")
        head, _, tail = jwt.rpartition(".")
        refused("an altered signature", f"{head}.{'A' * len(tail)}~{disclosures}", anchor, resolve)
        refused("an added disclosure", f"{one['credential']}WyJhIiwgImIiLCAiYyJd~", anchor, resolve)
        refused("an unread status", one["credential"], anchor, None)
        for other in anchors:
            if other.fingerprint(SHA256()) != anchor.fingerprint(SHA256()):
                refused("another authority's", one["credential"], other, resolve)
    if len(sys.argv) > 2:
        same(anchors[0].fingerprint(SHA256()).hex(), sys.argv[2], "the registered authority")
    print(f"credential: an independent verifier accepted {len(issued)} of a running issuer")


main()
