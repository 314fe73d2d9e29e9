// SD-JWT VC and status lists, against the npm packages @sd-jwt/*.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { ES256, digest, generateSalt } from "@sd-jwt/crypto-nodejs";
import {
  StatusList,
  createHeaderAndPayload,
  getListFromStatusListJWT,
} from "@sd-jwt/jwt-status-list";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";

const now = Math.floor(Date.now() / 1000);
const bound = { nonce: "n-0S6_WzA2Mj", audience: "x509_hash:abc", now };
const open = { iss: "https://issuer.example", vct: "urn:az:pid:1", iat: now, exp: now + 3600 };
const hidden = {
  family_name: "Əliyeva",
  monthly_salary_qepik: 9007199254740991,
  address: { city: "Şuşa", street: 'X "1" \\ é' },
};
const paths = [["family_name"], ["monthly_salary_qepik"], ["address"], ["address", "city"]];
const frame = {
  _sd: ["family_name", "monthly_salary_qepik", "address"],
  _sd_decoy: 2,
  address: { _sd: ["city"] },
};

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

async function instance(issuerPublic, issuerPrivate, holder) {
  return new SDJwtVcInstance({
    hasher: digest,
    hashAlg: "sha-256",
    saltGenerator: generateSalt,
    signAlg: "ES256",
    signer: issuerPrivate && (await ES256.getSigner(issuerPrivate)),
    verifier: await ES256.getVerifier(issuerPublic),
    kbSignAlg: "ES256",
    kbSigner: await ES256.getSigner(holder),
    kbVerifier: async (data, signature, payload) => {
      const verify = await ES256.getVerifier(payload.cnf.jwk);
      return verify(data, signature);
    },
  });
}

const publicOf = ({ d, key_ops, ext, ...members }) => members;
const keyBinding = { payload: { iat: now, aud: bound.audience, nonce: bound.nonce } };

async function theyVerifyOurs(ours, keys) {
  const cnf = { jwk: publicOf(keys.holder) };
  const claims = { ...open, ...hidden, cnf };
  const issued = await ours.ask({ do: "issue", claims, disclosable: paths, decoys: 3 });
  const peer = await instance(keys.issuer, undefined, keys.holder);
  const verify = (text, nonce) => peer.verify(text, { keyBindingNonce: nonce ?? bound.nonce });

  for (const [wanted, shown] of [
    [paths, hidden],
    [[["address", "city"]], { address: hidden.address }],
    [[], {}],
  ]) {
    const request = { do: "present", sd_jwt: issued.sd_jwt, wanted, bound };
    const { presentation } = await ours.ask(request);
    const verified = await verify(presentation);
    assert.deepEqual(verified.payload, { ...open, ...shown, cnf });
    assert.equal(verified.kb.payload.aud, bound.audience);
    await assert.rejects(verify(presentation, "other"));
    const [jwt, ...rest] = presentation.split("~");
    const changed = `${jwt.slice(0, -2)}${jwt.at(-2) === "A" ? "B" : "A"}${jwt.at(-1)}`;
    await assert.rejects(verify([changed, ...rest].join("~")));
  }

  const shown = { family_name: true };
  const theirs = await peer.present(issued.sd_jwt, shown, { kb: keyBinding });
  const request = { do: "verify", presentation: theirs, issuer: keys.issuer, bound };
  const { claims: found } = await ours.ask(request);
  assert.deepEqual(found, { ...open, family_name: hidden.family_name, cnf });
}

async function weVerifyTheirs(ours, keys) {
  const { publicKey, privateKey } = await ES256.generateKeyPair();
  const issuer = publicOf(publicKey);
  const peer = await instance(issuer, privateKey, keys.holder);
  const cnf = { jwk: publicOf(keys.holder) };
  const issued = await peer.issue({ ...open, ...hidden, cnf }, frame);
  const everything = { family_name: true, monthly_salary_qepik: true, address: { city: true } };
  const theirs = await peer.present(issued, everything, { kb: keyBinding });
  const verify = (presentation, changed) =>
    ours.ask({ do: "verify", presentation, issuer, bound: { ...bound, ...changed } });

  assert.deepEqual(await verify(theirs), { claims: { ...open, ...hidden, cnf } });
  const wanted = [["monthly_salary_qepik"]];
  const { presentation } = await ours.ask({ do: "present", sd_jwt: issued, wanted, bound });
  const salary = { monthly_salary_qepik: hidden.monthly_salary_qepik };
  assert.deepEqual(await verify(presentation), { claims: { ...open, ...salary, cnf } });
  const both = await peer.verify(presentation, { keyBindingNonce: bound.nonce });
  assert.deepEqual(both.payload, { ...open, ...salary, cnf });

  assert.deepEqual(await verify(theirs, { nonce: "other" }), { error: "wrong_nonce" });
  assert.deepEqual(await verify(theirs, { audience: "other" }), { error: "wrong_audience" });
  assert.deepEqual(await verify(theirs, { now: now + 400 }), { error: "key_binding_stale" });
  assert.deepEqual(await verify(issued), { error: "key_binding_missing" });
  const foreign = { do: "verify", presentation: theirs, issuer: keys.issuer, bound };
  assert.deepEqual(await ours.ask(foreign), { error: "token_signature" });
}

async function statusLists(ours, keys) {
  const uri = "https://issuer.example/status/1";
  const { publicKey, privateKey } = await ES256.generateKeyPair();
  const issuer = publicOf(publicKey);
  const sign = await ES256.getSigner(privateKey);
  for (const [bits, values] of [
    [1, [0, 1, 1, 0, 1, 0, 0, 1, 1]],
    [2, [0, 1, 2, 3, 0]],
    [4, [0, 15, 2, 7]],
    [8, [0, 255, 2, 1]],
  ]) {
    const set = values.map((status, index) => [index, status]);
    const time = { issued_at: now, expires_at: now + 600, ttl_seconds: 60 };
    const request = { do: "sign_status", uri, bits, entries: values.length, set, time };
    const { token } = await ours.ask(request);
    const [header, payload, signature] = token.split(".");
    const check = await ES256.getVerifier(keys.issuer);
    assert.equal(await check(`${header}.${payload}`, signature), true);
    const read = getListFromStatusListJWT(token);
    values.forEach((status, index) => assert.equal(read.getStatus(index), status));

    const perByte = 8 / bits;
    const padded = [...values];
    while (padded.length % perByte !== 0) padded.push(0);
    const claims = { sub: uri, iat: now, exp: now + 600, ttl: 60 };
    const made = createHeaderAndPayload(new StatusList(padded, bits), claims, {
      alg: "ES256",
      typ: "statuslist+jwt",
    });
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const input = `${encode(made.header)}.${encode(made.payload)}`;
    const theirs = `${input}.${await sign(input)}`;
    const indexes = values.map((_, index) => index);
    const question = { do: "read_status", token: theirs, uri, issuer, now, indexes };
    assert.deepEqual(await ours.ask(question), { statuses: values });
    const other = { ...question, uri: "https://issuer.example/status/2" };
    assert.deepEqual(await ours.ask(other), { error: "status_subject" });
    const stale = { ...question, now: now + 600 };
    assert.deepEqual(await ours.ask(stale), { error: "status_stale" });
  }
}

const ours = start();
const keys = await ours.ask({ do: "keys" });
await theyVerifyOurs(ours, keys);
await weVerifyTheirs(ours, keys);
await statusLists(ours, keys);
ours.close();
console.log("@sd-jwt (Node): they verify ours, we verify theirs, with status lists");
