// An independent wallet against a network that really runs: it enrols at the registrar, takes what
// is offered there (pre-authorized code), signs in at another agency with what it got (OpenID4VP)
// and takes that agency's credential (authorization code with PAR, PKCE and DPoP).
//
//   node check_running.mjs <data folder> <outcome file>
//
// The network's addresses come as one line of JSON on the standard input, as `etibar up --json`
// prints them. What was issued goes into the outcome file, for other peers to judge.
import assert from "node:assert/strict";
import { X509Certificate, createHash, randomBytes, verify } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

import { setGlobalConfig } from "@openid4vc/oauth2";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { ES256, digest, generateSalt } from "@sd-jwt/crypto-nodejs";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import * as jose from "jose";

import { hash, newKey, preAuthorized, redeem, signJwt, signerOf, wallet } from "./wallet.mjs";

const CLIENT_ID = "etibar-wallet";
const REDIRECT_URI = "https://wallet.etibar.invalid/callback";
const REGISTRAR = 12;
/** The agency that is signed in to: the credit bureau, which attests something of every adult. */
const AGENCY = 25;

// The sample network is on one machine, without TLS.
setGlobalConfig({ allowInsecureUrls: true });

const [data, outcome] = process.argv.slice(2);
const network = JSON.parse(readFileSync(0, "utf8"));
const urlOf = (member) => network.members.find(({ id }) => id === member).url;
const client = wallet(fetch, CLIENT_ID);

/** The offers that the registrar makes to a person of the sample's list. */
async function enrol({ fin, document }) {
  const body = {
    id: crypto.randomUUID(),
    fin,
    document_number: document,
    proofing: {
      methods: ["video"],
      provider: "sample",
      evidence: JSON.stringify({ sample: true, seen: fin, live: true }),
    },
    language: "en",
  };
  const answer = await fetch(`${urlOf(REGISTRAR)}/v1/enrolments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.text();
  assert.equal(answer.status, 200, said);
  return JSON.parse(said);
}

const certificateOf = (text) => new X509Certificate(Buffer.from(text, "base64"));

/** The signature of a JWT under the certificate that it carries. */
function verifyWithChain({ compact, x5c }) {
  const [header, payload, signature] = compact.split(".");
  const key = { key: certificateOf(x5c[0]).publicKey, dsaEncoding: "ieee-p1363" };
  const bytes = Buffer.from(signature, "base64url");
  return verify("sha256", Buffer.from(`${header}.${payload}`), key, bytes);
}

const verifier = new Openid4vpClient({
  callbacks: {
    fetch,
    hash,
    signJwt,
    generateRandom: (length) => randomBytes(length),
    getX509CertificateMetadata: (text) => ({
      sanDnsNames: [],
      sanUriNames: [certificateOf(text).subjectAltName?.replace("URI:", "")],
    }),
    verifyJwt: async (signer, { compact }) => {
      assert.equal(signer.method, "x5c");
      return { verified: verifyWithChain({ compact, x5c: signer.x5c }) };
    },
    decryptJwe: () => assert.fail("nothing to decrypt here"),
    encryptJwe: async ({ publicJwk, alg, enc, apu, apv }, text) => {
      const header = { alg, enc, kid: publicJwk.kid };
      const jwe = await new jose.CompactEncrypt(Buffer.from(text))
        .setProtectedHeader(header)
        .setKeyManagementParameters({
          ...(apu ? { apu: Buffer.from(apu, "base64url") } : {}),
          ...(apv ? { apv: Buffer.from(apv, "base64url") } : {}),
        })
        .encrypt(await jose.importJWK(publicJwk, alg));
      return { jwe, encryptionJwk: publicJwk };
    },
  },
});

/** A presentation of `names` of a credential, for this request. */
async function present({ credential, key }, names, { client_id: aud, nonce }) {
  const holder = new SDJwtVcInstance({
    hasher: digest,
    hashAlg: "sha-256",
    saltGenerator: generateSalt,
    kbSignAlg: "ES256",
    kbSigner: signerOf(key),
  });
  const frame = Object.fromEntries(names.map((name) => [name, true]));
  const payload = { iat: Math.floor(Date.now() / 1000), aud, nonce };
  return holder.present(credential, frame, { kb: { payload } });
}

/** Answers a presentation request with the PID: where the answer sends the person. */
async function signIn(link, pid) {
  const { params } = verifier.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link });
  const { authorizationRequestPayload: request } =
    await verifier.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params });
  const [asked] = request.dcql_query.credentials;
  const names = asked.claims.map(({ path }) => path[0]);
  const presentation = await present(pid, names, request);
  const response = await verifier.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: { vp_token: { [asked.id]: [presentation] } },
    jarm: {
      encryption: {},
      serverMetadata: {
        authorization_signing_alg_values_supported: [],
        authorization_encryption_alg_values_supported: ["ECDH-ES"],
        authorization_encryption_enc_values_supported: ["A256GCM", "A128GCM"],
      },
    },
  });
  const answer = await fetch(request.response_uri, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ response: response.jarm.responseJwt }),
  });
  const said = await answer.text();
  assert.equal(answer.status, 200, said);
  return JSON.parse(said).redirect_uri;
}

/** The agency's credential, by the authorization code that the PID opens. */
async function authorized(pid) {
  const issuerMetadata = await client.resolveIssuerMetadata(urlOf(AGENCY));
  const offered = issuerMetadata.credentialIssuer.credential_configurations_supported;
  const [[configuration, { scope }]] = Object.entries(offered);
  const credentialOffer = {
    credential_issuer: urlOf(AGENCY),
    credential_configuration_ids: [configuration],
    grants: { authorization_code: {} },
  };
  const started = await client.createAuthorizationRequestUrlFromOffer({
    credentialOffer,
    issuerMetadata,
    clientId: CLIENT_ID,
    redirectUri: REDIRECT_URI,
    scope,
    dpop: { signer: await newKey() },
  });
  const asked = await fetch(started.authorizationRequestUrl, { redirect: "manual" });
  assert.equal(asked.status, 302);
  const url = await signIn(asked.headers.get("location"), pid);
  const [authorizationServerMetadata] = issuerMetadata.authorizationServers;
  const { code } = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url,
    authorizationServerMetadata,
  });
  const token = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
    issuerMetadata,
    credentialOffer,
    authorizationCode: code,
    pkceCodeVerifier: started.pkce.codeVerifier,
    redirectUri: REDIRECT_URI,
    dpop: started.dpop,
  });
  return redeem(client, CLIENT_ID, issuerMetadata, configuration, token);
}

/** What a credential says and the authority that it stands under, verified by this peer. */
async function judged({ credential, key }) {
  const header = jose.decodeProtectedHeader(credential.split("~")[0]);
  const chain = header.x5c.map(certificateOf);
  const authority = chain.at(-1);
  chain.slice(0, -1).forEach((one, at) => {
    assert.ok(one.verify(chain[at + 1].publicKey), "each certificate is signed by the next");
  });
  assert.ok(authority.verify(authority.publicKey), "the authority by itself");
  const issuer = chain[0].publicKey.export({ format: "jwk" });
  const peer = new SDJwtVcInstance({
    hasher: digest,
    hashAlg: "sha-256",
    verifier: await ES256.getVerifier(issuer),
  });
  const { payload } = await peer.verify(credential);
  assert.equal(payload.cnf.jwk.x, key.publicJwk.x, "it is bound to the key that asked");
  const fingerprint = createHash("sha256").update(authority.raw).digest("hex");
  return { vct: payload.vct, credential, authority: authority.toString(), fingerprint };
}

const [person] = JSON.parse(readFileSync(`${data}/people.json`, "utf8")).slice(
  Number(process.env.PERSON ?? 0),
);
const enrolled = await enrol(person);
const held = [];
for (const offer of enrolled.offers) {
  held.push(...(await preAuthorized(client, CLIENT_ID, offer, enrolled.tx_code)));
}
const typeOf = ({ credential }) => jose.decodeJwt(credential.split("~")[0]).vct;
const pids = held.filter((one) => typeOf(one) === "urn:az:pid:1");
const pairwise = held.filter((one) => typeOf(one) === "urn:az:pairwise:1");
assert.ok(pids.length >= 2 && pairwise.length > 2, "an identity, and a name for each bank");
const found = [await judged(pids[0])];
if (process.env.ONLY_ENROLMENT === undefined) {
  const [report] = await authorized(pids[1]);
  found.push(await judged(report));
  assert.equal(found[1].vct, "urn:az:credit-report:1");
}
writeFileSync(outcome, JSON.stringify(found));
console.log(`running: an independent wallet enrolled and holds ${found.map(({ vct }) => vct)}`);
