"""An independent verifier (openvc-core) accepts our holder's encrypted answer, and refuses it for
another nonce, another verifier, another issuer and another key."""

import base64
import secrets
import time

from cryptography import x509
from openvc.errors import OpenvcError
from openvc.keys import P256KeyAgreementKey
from openvc.openid4vp import verify_encrypted_vp_response

from ours import Ours, same

VERIFIER = "https://verifier.example"
QUERY = {
    "credentials": [
        {
            "id": "pid",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:az:pid:1"]},
            "claims": [{"path": ["family_name"]}],
        }
    ]
}


def certificate(text):
    der = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return x509.load_der_x509_certificate(der)


def claims(client_id, nonce, jwk, encryption):
    now = int(time.time())
    return {
        "client_id": client_id,
        "response_type": "vp_token",
        "response_mode": "direct_post.jwt",
        "response_uri": f"{VERIFIER}/response",
        "aud": "https://self-issued.me/v2",
        "nonce": nonce,
        "state": "a state",
        "iat": now,
        "exp": now + 60,
        "dcql_query": QUERY,
        "client_metadata": {
            "jwks": {"keys": [jwk]},
            "encrypted_response_enc_values_supported": [encryption],
            "vp_formats_supported": {"dc+sd-jwt": {}},
        },
    }


def refused(what, **change):
    try:
        verify_encrypted_vp_response(**change)
    except (OpenvcError, ValueError):
        return
    raise SystemExit(f"openid4vp: the peer accepted {what}")


def main():
    ours = Ours()
    parties = ours.ask(do="parties")
    anchor = certificate(parties["issuer_authority"])
    for encryption in ["A128GCM", "A256GCM"]:
        key = P256KeyAgreementKey.generate("k1")
        jwk = {**key.public_jwk(), "kid": "k1", "alg": "ECDH-ES"}
        nonce = secrets.token_urlsafe(16)
        request = claims(parties["client_id"], nonce, jwk, encryption)
        answer = ours.ask(do="present", claims=request)
        same(answer.get("url"), f"{VERIFIER}/response", "where the answer goes")
        good = {
            "response": answer["response"],
            "key": key,
            "dcql_query": QUERY,
            "nonce": nonce,
            "client_id": parties["client_id"],
            "x5c_trust_anchors": [anchor],
            "require_holder_binding": True,
        }
        verified = verify_encrypted_vp_response(**good)
        (presented,) = verified.for_query("pid")
        same(presented.raw.claims["family_name"], "Nümunə", "the claim asked for")
        same("city" in str(presented.raw.claims.get("address")), False, "a claim not asked for")
        refused("another nonce", **{**good, "nonce": "another"})
        refused("another verifier", **{**good, "client_id": "x509_hash:another"})
        refused("another key", **{**good, "key": P256KeyAgreementKey.generate("k1")})
        refused("no anchor", **{**good, "x5c_trust_anchors": []})
        head, _, tail = answer["response"].rpartition(".")
        refused("an altered answer", **{**good, "response": f"{head}.{'A' * len(tail)}"})
    ours.close()
    print("openid4vp: an independent verifier accepted our answer and refused the wrong ones")


main()
