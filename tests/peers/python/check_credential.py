"""An independent verifier (openvc-core) accepts the credentials of a running issuer under the
authority that its operator registered, and refuses them under another and when altered.

    python check_credential.py <outcome of check_running.mjs> [fingerprint of the authority]
"""

import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from openvc.errors import OpenvcError
from openvc.verify import VerificationPolicy, verify_credential

from ours import same

# The lists of the issuer are another peer's business.
POLICY = VerificationPolicy(require_status=False)


def refused(what, credential, anchor):
    try:
        verify_credential(credential, x5c_trust_anchors=[anchor], policy=POLICY)
    except (OpenvcError, ValueError):
        return
    raise SystemExit(f"credential: the peer accepted {what}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        issued = json.load(file)
    anchors = [x509.load_pem_x509_certificate(one["authority"].encode()) for one in issued]
    for one, anchor in zip(issued, anchors):
        verified = verify_credential(
            one["credential"], x5c_trust_anchors=[anchor], policy=POLICY
        )
        same(verified.credential.get("vct"), one["vct"], "the type")
        jwt, _, disclosures = one["credential"].partition("~")
        head, _, tail = jwt.rpartition(".")
        refused("an altered signature", f"{head}.{'A' * len(tail)}~{disclosures}", anchor)
        refused("an added disclosure", f"{one['credential']}WyJhIiwgImIiLCAiYyJd~", anchor)
        for other in anchors:
            if other.fingerprint(SHA256()) != anchor.fingerprint(SHA256()):
                refused("another authority's", one["credential"], other)
    if len(sys.argv) > 2:
        same(anchors[0].fingerprint(SHA256()).hex(), sys.argv[2], "the registered authority")
    print(f"credential: an independent verifier accepted {len(issued)} of a running issuer")


main()
