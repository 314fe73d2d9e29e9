// An independent wallet (@openid4vc/openid4vci) completes issuance against our issuer.
//
//   OURS=<example> node check_openid4vci.mjs        our issuer as a child process, all ways
//   node check_openid4vci.mjs <offer> [tx_code]     a running issuer's offer, by HTTP
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes, webcrypto } from "node:crypto";
import { createInterface } from "node:readline";

import { clientAuthenticationNone } from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";

const { subtle } = webcrypto;
const clientId = "https://wallet.example";
const redirectUri = `${clientId}/back`;
const ecdsa = { name: "ECDSA", namedCurve: "P-256" };
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Our side: a child process that answers one JSON line with one JSON line. */
function start() {
  const child = spawn(process.env.OURS, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return JSON.parse((await lines.next()).value);
  };
  return { ask, close: () => child.stdin.end() };
}

/** What the shim below kept aside. */
let keptNotificationId;

/**
 * The peer (0.4.6) refuses a deferred answer with both credentials and a notification id, although
 * OpenID4VCI 1.0 section 9.2 allows it and its own message says the opposite: its condition is
 * inverted. So the id is handed around it.
 */
function aroundNotificationId(url, body) {
  if (!url.endsWith("/oid4vci/deferred")) return body;
  const { notification_id: id, ...rest } = JSON.parse(body);
  keptNotificationId = id;
  return JSON.stringify(rest);
}

/** `fetch`, answered by the child process. */
const fetchFrom = (ours) => async (url, init) => {
  const request = new Request(url, init);
  const answer = await ours.ask({
    do: "http",
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  });
  const text = aroundNotificationId(request.url, answer.body);
  const body = answer.status === 204 ? null : text;
  return new Response(body, { status: answer.status, headers: answer.headers });
};

/** Keys of this wallet by the x coordinate. */
const privateKeys = new Map();

async function newKey() {
  const pair = await subtle.generateKey(ecdsa, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await subtle.exportKey("jwk", pair.publicKey);
  privateKeys.set(x, pair.privateKey);
  return { method: "jwk", alg: "ES256", publicJwk: { kty, crv, x, y } };
}

async function signJwt(signer, { header, payload }) {
  const input = `${encode(header)}.${encode(payload)}`;
  const key = privateKeys.get(signer.publicJwk.x);
  const signature = await subtle.sign({ ...ecdsa, hash: "SHA-256" }, key, Buffer.from(input));
  const jwt = `${input}.${Buffer.from(signature).toString("base64url")}`;
  return { jwt, signerJwk: signer.publicJwk };
}

const wallet = (fetch) =>
  new Openid4vciClient({
    callbacks: {
      fetch,
      signJwt,
      hash: (data, alg) => createHash(alg.replace("-", "")).update(data).digest(),
      generateRandom: (length) => randomBytes(length),
      clientAuthentication: clientAuthenticationNone({ clientId }),
      verifyJwt: () => assert.fail("nothing to verify here"),
      decryptJwe: () => assert.fail("nothing to decrypt here"),
      encryptJwe: () => assert.fail("nothing to encrypt here"),
    },
  });

async function proofs(client, issuerMetadata, configuration, named, count) {
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
  const jwt = [];
  for (let made = 0; made < count; made += 1) {
    const proof = await client.createCredentialRequestJwtProof({
      issuerMetadata,
      credentialConfigurationId: configuration,
      signer: await newKey(),
      nonce,
      issuedAt: new Date(),
      ...(named ? { clientId } : {}),
    });
    jwt.push(proof.jwt);
  }
  return { jwt };
}

/** Credentials with a token, their notification, and a second use of the nonce refused. */
async function redeem(client, issuerMetadata, offer, token, named) {
  const [configuration] = offer.credential_configuration_ids;
  const { access_token: accessToken } = token.accessTokenResponse;
  let { dpop } = token;
  const two = await proofs(client, issuerMetadata, configuration, named, 2);
  const request = {
    issuerMetadata,
    accessToken,
    credentialConfigurationId: configuration,
    proofs: two,
  };
  let answer = await client.retrieveCredentials({ ...request, dpop });
  dpop = { ...dpop, ...answer.dpop };
  const transactionId = answer.credentialResponse.transaction_id;
  if (transactionId !== undefined) {
    const again = { issuerMetadata, accessToken, transactionId, dpop };
    answer = await client.retrieveDeferredCredentials(again);
    dpop = { ...dpop, ...answer.dpop };
  }
  const response = answer.credentialResponse ?? answer.deferredCredentialResponse;
  assert.equal(response.credentials.length, 2, "one credential for each key");
  for (const { credential } of response.credentials) {
    const header = JSON.parse(Buffer.from(credential.split(".")[0], "base64url"));
    assert.equal(header.typ, "dc+sd-jwt");
  }
  await assert.rejects(client.retrieveCredentials({ ...request, dpop }), (error) => {
    assert.equal(error.response.credentialErrorResponseResult.data.error, "invalid_nonce");
    return true;
  });
  await client.sendNotification({
    issuerMetadata,
    accessToken,
    dpop,
    notification: {
      notificationId: response.notification_id ?? keptNotificationId,
      event: "credential_accepted",
    },
  });
}

async function preAuthorized(client, uri, txCode) {
  const offer = await client.resolveCredentialOffer(uri);
  const issuerMetadata = await client.resolveIssuerMetadata(offer.credential_issuer);
  const token = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer: offer,
    issuerMetadata,
    txCode,
    dpop: { signer: await newKey() },
  });
  await redeem(client, issuerMetadata, offer, token, true);
}

async function authorized(client, ours, fetch) {
  const credentialOffer = {
    credential_issuer: "https://issuer.example",
    credential_configuration_ids: ["pid"],
    grants: { authorization_code: {} },
  };
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const started = await client.createAuthorizationRequestUrlFromOffer({
    credentialOffer,
    issuerMetadata,
    clientId,
    redirectUri,
    scope: "pid",
    dpop: { signer: await newKey() },
  });
  const answer = await fetch(started.authorizationRequestUrl);
  const [authorizationServerMetadata] = issuerMetadata.authorizationServers;
  const redirect = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url: answer.headers.get("location"),
    authorizationServerMetadata,
  });
  const token = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
    issuerMetadata,
    credentialOffer,
    authorizationCode: redirect.code,
    pkceCodeVerifier: started.pkce.codeVerifier,
    redirectUri,
    dpop: started.dpop,
  });
  await redeem(client, issuerMetadata, credentialOffer, token, true);
}

const [offer, txCode] = process.argv.slice(2);
if (offer !== undefined) {
  await preAuthorized(wallet(fetch), offer, txCode);
} else {
  const ours = start();
  const client = wallet(fetchFrom(ours));
  for (const way of [
    { tx_code: false, by_reference: false, slow: false },
    { tx_code: true, by_reference: true, slow: false },
    { tx_code: false, by_reference: false, slow: true },
  ]) {
    const { uri, tx_code: code } = await ours.ask({ do: "offer", ...way });
    await preAuthorized(client, uri, code ?? undefined);
  }
  await ours.ask({ do: "offer", tx_code: false, by_reference: false, slow: false });
  await authorized(client, ours, fetchFrom(ours));
  ours.close();
}
console.log("openid4vci: an independent wallet completed issuance");
