// An independent wallet (@openid4vc/openid4vci) completes issuance against our issuer.
//
//   OURS=<example> node check_openid4vci.mjs        our issuer as a child process, all ways
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { aroundNotificationId, newKey, preAuthorized, redeem, wallet } from "./wallet.mjs";

const clientId = "https://wallet.example";
const redirectUri = `${clientId}/back`;

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
  await redeem(client, clientId, issuerMetadata, "pid", token);
}

const ours = start();
const client = wallet(fetchFrom(ours), clientId);
for (const way of [
  { tx_code: false, by_reference: false, slow: false },
  { tx_code: true, by_reference: true, slow: false },
  { tx_code: false, by_reference: false, slow: true },
]) {
  const { uri, tx_code: code } = await ours.ask({ do: "offer", ...way });
  await preAuthorized(client, clientId, uri, code ?? undefined);
}
await ours.ask({ do: "offer", tx_code: false, by_reference: false, slow: false });
await authorized(client, ours, fetchFrom(ours));
ours.close();
console.log("openid4vci: an independent wallet completed issuance");
