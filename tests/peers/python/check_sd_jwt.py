"""SD-JWT with key binding, against the reference implementation (PyPI sd-jwt) and jwcrypto."""

import time

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from ours import Ours, same
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

NOW = int(time.time())
BOUND = {"nonce": "n-0S6_WzA2Mj", "audience": "x509_hash:abc", "now": NOW}
OPEN = {"iss": "https://issuer.example", "vct": "urn:az:pid:1", "iat": NOW, "exp": NOW + 3600}
HIDDEN = {
    "family_name": "Əliyeva",
    "monthly_salary_qepik": 9007199254740991,
    "address": {"city": "Şuşa", "street": "X \"1\" \\ é"},
    "nationalities": ["AZ", "XX"],
}
PATHS = [
    ["family_name"],
    ["monthly_salary_qepik"],
    ["address"],
    ["address", "city"],
    ["nationalities", None],
]


def refused(action, what):
    try:
        action()
    except Exception:
        return
    raise SystemExit(f"{what}: the peer accepted it")


def peer_verify(presentation, issuer, nonce=BOUND["nonce"], audience=BOUND["audience"]):
    peer = SDJWTVerifier(presentation, lambda _iss, _header: issuer, audience, nonce)
    return peer.get_verified_payload()


def they_verify_ours(ours, issuer, holder):
    claims = {**OPEN, **HIDDEN, "cnf": {"jwk": holder.export_public(as_dict=True)}}
    issued = ours.ask(do="issue", claims=claims, disclosable=PATHS, decoys=3)["sd_jwt"]

    # Ours presents, with all, some and no disclosures.
    wanted = [["address", "city"], ["nationalities", 1]]
    expected = {**OPEN, "cnf": claims["cnf"], "nationalities": []}
    for paths, shown in [
        (PATHS, HIDDEN),
        (wanted, {"address": {"city": "Şuşa", "street": "X \"1\" \\ é"}, "nationalities": ["XX"]}),
        ([], {}),
    ]:
        answer = ours.ask(do="present", sd_jwt=issued, wanted=paths, bound=BOUND)
        presentation = answer["presentation"]
        same(peer_verify(presentation, issuer), {**expected, **shown}, "our presentation")
        refused(lambda: peer_verify(presentation, issuer, nonce="other"), "another nonce")
        refused(lambda: peer_verify(presentation, issuer, audience="other"), "another audience")
        refused(lambda: peer_verify(presentation, JWK.generate(kty="EC", crv="P-256")), "key")

    # Their holder presents what our issuer issued.
    peer = SDJWTHolder(issued)
    peer.create_presentation(
        {"family_name": True, "address": {"city": True}}, BOUND["nonce"], BOUND["audience"], holder
    )
    presentation = peer.sd_jwt_presentation
    shown = {"family_name": "Əliyeva", "address": HIDDEN["address"]}
    same(peer_verify(presentation, issuer), {**expected, **shown}, "their holder, their verifier")
    key = issuer.export_public(as_dict=True)
    answer = ours.ask(do="verify", presentation=presentation, issuer=key, bound=BOUND)
    same(answer, {"claims": {**expected, **shown}}, "their holder, our verifier")


def we_verify_theirs(ours, holder):
    issuer = JWK.generate(kty="EC", crv="P-256")
    key = issuer.export_public(as_dict=True)
    claims = {
        **OPEN,
        SDObj("family_name"): HIDDEN["family_name"],
        SDObj("monthly_salary_qepik"): HIDDEN["monthly_salary_qepik"],
        SDObj("address"): {SDObj("city"): "Şuşa", "street": HIDDEN["address"]["street"]},
        "nationalities": [SDObj("AZ"), SDObj("XX")],
    }
    issued = SDJWTIssuer(
        claims,
        issuer,
        JWK.from_json(holder.export_public()),
        add_decoy_claims=True,
        extra_header_parameters={"typ": "dc+sd-jwt"},
    ).sd_jwt_issuance
    cnf = {"jwk": holder.export_public(as_dict=True)}

    def verify(presentation, **changed):
        request = {"presentation": presentation, "issuer": key, "bound": {**BOUND, **changed}}
        return ours.ask(do="verify", **request)

    # Their holder and ours present; ours verifies.
    peer = SDJWTHolder(issued)
    everything = {
        "family_name": True,
        "monthly_salary_qepik": True,
        "address": {"city": True},
        "nationalities": [True, True],
    }
    peer.create_presentation(everything, BOUND["nonce"], BOUND["audience"], holder)
    theirs = peer.sd_jwt_presentation
    same(verify(theirs), {"claims": {**OPEN, **HIDDEN, "cnf": cnf}}, "their presentation")
    answer = ours.ask(do="present", sd_jwt=issued, wanted=[["address", "city"]], bound=BOUND)
    shown = {**OPEN, "address": HIDDEN["address"], "nationalities": [], "cnf": cnf}
    same(verify(answer["presentation"]), {"claims": shown}, "our holder of theirs")
    same(peer_verify(answer["presentation"], issuer), shown, "our holder, their verifier")

    # Each refusal has its own code.
    same(verify(theirs, nonce="other"), {"error": "wrong_nonce"}, "nonce")
    same(verify(theirs, audience="other"), {"error": "wrong_audience"}, "audience")
    same(verify(theirs, now=NOW + 400), {"error": "key_binding_stale"}, "age")
    same(verify(theirs, now=NOW - 400), {"error": "key_binding_from_future"}, "future")
    same(verify(issued), {"error": "key_binding_missing"}, "no key binding")
    other = JWK.generate(kty="EC", crv="P-256").export_public(as_dict=True)
    answer = ours.ask(do="verify", presentation=theirs, issuer=other, bound=BOUND)
    same(answer, {"error": "token_signature"}, "another issuer")
    thief = SDJWTHolder(issued)
    stolen = JWK.generate(kty="EC", crv="P-256")
    thief.create_presentation(everything, BOUND["nonce"], BOUND["audience"], stolen)
    same(verify(thief.sd_jwt_presentation), {"error": "key_binding_signature"}, "another holder")
    # The last disclosure left out: the holder signed for it.
    *kept, _, key_binding = theirs.split("~")
    answer = verify("~".join([*kept, key_binding]))
    assert answer["error"] in ("wrong_sd_hash", "disclosure_unreferenced"), answer


def jwcrypto_verifies_our_signature(ours, issuer):
    text = ours.ask(do="issue", claims=OPEN, disclosable=[], decoys=0)["sd_jwt"]
    token = JWS()
    token.deserialize(text.split("~")[0])
    token.verify(issuer, alg="ES256")
    same(token.jose_header["typ"], "dc+sd-jwt", "the type")


def main():
    ours = Ours()
    keys = ours.ask(do="keys")
    issuer, holder = JWK(**keys["issuer"]), JWK(**keys["holder"])
    they_verify_ours(ours, issuer, holder)
    we_verify_theirs(ours, holder)
    jwcrypto_verifies_our_signature(ours, issuer)
    ours.close()
    print("sd-jwt (Python): they verify ours, we verify theirs")


main()
