// What a person does in the wallet, step by step. Every page that is passed is looked at: its
// width, axe's findings, and a picture.

import assert from "node:assert/strict";
import http from "node:http";
import { fileURLToPath } from "node:url";
import { accessibilityFindings } from "./browser.mjs";

export const screenshots = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));

const WIDTH = 390;
const FLOW_MS_MAX = 40_000;
// An access is anchored within the member's interval; the wallet then says so.
const VERIFIED_MS_MAX = 60_000;

export const picture = (name) => `${screenshots}wallet-${name}.png`;

// What every page must keep, and its picture.
async function look({ page, language }, name) {
  const full = `${name}-${language.code}`;
  await page.screenshot({ path: picture(full), fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= WIDTH, `${full} is ${wide} px wide`);
  const text = await page.locator("main").innerText();
  const raw = text.match(/\b[a-z]+_[a-z_]+\b|urn:az:\S+|undefined|\bNone\b|null/);
  assert.equal(raw, null, `${full} shows ${raw}`);
  assert.deepEqual(await accessibilityFindings(page), [], full);
}

// Presses and waits for the page that follows, also at the same address.
async function press(page, selector) {
  const navigated = page.waitForEvent("framenavigated", { timeout: FLOW_MS_MAX });
  await page.locator(selector).first().click();
  await navigated;
  await page.waitForLoadState("domcontentloaded");
}

// Presses and waits until the address fits.
async function pressTo(page, selector, address) {
  await page.locator(selector).first().click();
  await page.waitForURL(address, { waitUntil: "domcontentloaded", timeout: FLOW_MS_MAX });
}

const passkey = (action) => `form[action='${action}'] button`;

export async function mistypes(person) {
  const { page, origin, language } = person;
  await page.goto(`${origin}/?lang=${language.code}`);
  await look(person, "welcome");
  await page.goto(`${origin}/start`);
  await page.fill("#fin", "IIIIIII");
  await page.fill("#document", "x");
  await press(page, passkey("/start"));
  await page.locator(".alert.bad a[href='#fin']").waitFor();
  assert.equal(await page.locator("#fin").inputValue(), "IIIIIII");
  assert.ok(await page.evaluate(() => document.activeElement.matches(".alert.bad")));
  await look(person, "start-wrong");
}

export async function enrol(person) {
  const { page, origin, language, who } = person;
  await page.goto(`${origin}/?lang=${language.code}`);
  await page.goto(`${origin}/start`);
  await page.fill("#fin", who.fin);
  await page.fill("#document", who.document);
  await look(person, "start");
  await pressTo(page, passkey("/start"), `${origin}/`);
  await page.locator(".identity").waitFor();
  await look(person, "home");
}

// Asks a bank, the first or another, for something: the consent screen is open then.
async function ask({ page, origin }, product, bank = 0) {
  await page.goto(`${origin}/banks`);
  await page.check(`input[name=product][value=${product}]`);
  await page.locator("input[name=bank]").nth(bank).check();
  await pressTo(page, passkey("/banks"), /\/requests\/[0-9a-f]+$/);
}

async function agree({ page, language }) {
  await pressTo(page, "form[data-passkey=get] button", /\/result$/);
  return page.locator("h1").innerText();
}

export async function openAccount(person) {
  const { page, origin, language } = person;
  await page.goto(`${origin}/banks`);
  await look(person, "banks");
  await ask(person, "current_account");
  await look(person, "consent");
  assert.equal(await agree(person), language.opened);
  assert.match(await page.locator(".iban").innerText(), /^AZ\d\d [A-Z]{4}/);
  await look(person, "opened");
}

export async function askLoan(person) {
  await ask(person, "loan");
  await look(person, "consent-loan");
  await agree(person);
  await look(person, "loan");
}

export async function openCompany(person) {
  const { page, language } = person;
  await ask(person, "company_account", 1);
  await look(person, "consent-company");
  await page.locator("form[data-passkey=get] button").dblclick();
  await page.waitForURL(/\/result$/, { waitUntil: "domcontentloaded", timeout: FLOW_MS_MAX });
  assert.equal(await page.locator("h1").innerText(), language.opened);
  await look(person, "opened-company");
}

// The guardian's certificate is fetched and shown under the same gesture.
export async function openForChild(person) {
  const { page, language } = person;
  await ask(person, "minor_account", 1);
  await page.getByText(language.guardianship).first().waitFor();
  await look(person, "consent-child");
  assert.equal(await agree(person), language.opened);
  assert.match(await page.locator(".iban").innerText(), /^AZ\d\d [A-Z]{4}/);
  await look(person, "opened-child");
}

// Sends a request as the browser would, without waiting for the answer; gives back how to hang up.
async function send(request) {
  const headers = await request.allHeaders();
  const body = request.postDataBuffer();
  const { origin } = new URL(request.url());
  const own = { origin, "sec-fetch-site": "same-origin", "content-length": body.length };
  const sending = http.request(request.url(), { method: "POST", headers: { ...headers, ...own } });
  sending.on("error", () => {});
  sending.end(body);
  return () => sending.destroy();
}

// The answer goes out, and the window is closed before the bank has said anything.
export async function closeHalfWay(person) {
  const { page, origin, language } = person;
  await ask(person, "current_account", 2);
  const request = new URL(page.url()).pathname;
  const sent = new Promise((resolve, reject) => {
    page.route(`**${request}`, (route) => {
      if (route.request().method() !== "POST") return route.continue();
      send(route.request()).then(resolve, reject);
      return route.abort();
    });
  });
  await page.locator("form[data-passkey=get] button").click();
  const hangUp = await sent;
  await page.unrouteAll();
  const deadline = Date.now() + FLOW_MS_MAX;
  // Once the wallet asks for no decision any more, the answer went out.
  do {
    assert.ok(Date.now() < deadline, "the wallet did not take the answer");
    await page.goto(`${origin}/`);
  } while ((await page.locator(`a[href='${request}']`).count()) > 0);
  hangUp();
  const accounts = page.locator("section[aria-labelledby=accounts] .rows li");
  for (;;) {
    await page.goto(`${origin}/`);
    if ((await accounts.count()) === 2) break;
    if ((await page.locator(`a[href='${request}/result']`).count()) > 0) {
      await look(person, "home-unfinished");
      await press(page, `a[href='${request}/result']`);
      await page.getByText(language.opened).waitFor({ timeout: FLOW_MS_MAX });
    }
    assert.ok(Date.now() < deadline, "the account did not come");
  }
  await look(person, "home-two");
}

async function check(person) {
  const { page, origin } = person;
  await page.goto(`${origin}/accesses`);
  await press(page, passkey("/accesses"));
  await page.locator(".log li").first().waitFor({ timeout: FLOW_MS_MAX });
}

export async function seeAccesses(person) {
  const { page } = person;
  const deadline = Date.now() + VERIFIED_MS_MAX;
  for (;;) {
    await check(person);
    assert.equal(await page.locator(".mark.bad").count(), 0, "a record is missing or altered");
    const waiting = await page.locator(".mark.open").count();
    if (waiting === 0 && (await page.locator(".mark.good").count()) > 0) break;
    assert.ok(Date.now() < deadline, `${waiting} records were not anchored in time`);
  }
  await look(person, "accesses");
}

export async function revoke(person) {
  const { page, origin, language } = person;
  await page.goto(`${origin}/consents`);
  await look(person, "consents");
  // The oldest, of the bank that was looked at first.
  await page.locator(".rows.boxed a").last().click();
  await page.waitForURL(/\/consents\/[0-9a-f]+$/, { waitUntil: "domcontentloaded" });
  await look(person, "consent-given");
  await press(page, "form[action$='/revoke'] button");
  await page.getByText(language.revoked, { exact: true }).first().waitFor({ timeout: FLOW_MS_MAX });
  await look(person, "consent-revoked");
}

export async function erase(person) {
  const { page, origin, language } = person;
  await press(page, "form[action$='/erase'] button");
  await page.locator(".alert.good").waitFor({ timeout: FLOW_MS_MAX });
  const text = await page.locator("main").innerText();
  assert.match(text, /20\d\d/, "what is kept has no end");
  assert.equal(await page.locator("form[action$='/erase']").count(), 0);
  await look(person, "consent-erased");
  const bank = await page.locator("h1").innerText();
  await page.goto(`${origin}/consents`);
  const states = await page
    .locator(".rows.boxed li", { hasText: bank })
    .locator(".mark")
    .allInnerTexts();
  assert.deepEqual([...new Set(states)], [language.revoked], `of ${bank}`);
}

export async function seeAccessesAfterErasure(person) {
  await check(person);
  assert.equal(await person.page.locator(".mark.bad, .alert.bad:not([hidden])").count(), 0);
  await look(person, "accesses-erased");
}

export async function nameGuardians(person) {
  const { page, origin, guardians } = person;
  await page.goto(`${origin}/guardians`);
  for (const [place, fin] of [["first", guardians[0]], ["second", guardians[0]]]) {
    await page.fill(`#${place}`, fin);
  }
  await page.fill("#third", guardians[2]);
  await press(page, passkey("/guardians"));
  await page.locator(".alert.bad a[href='#second']").waitFor();
  await look(person, "guardians-wrong");
  await page.fill("#second", guardians[1]);
  await press(page, passkey("/guardians"));
  await page.locator(".said.good").waitFor();
  await look(person, "guardians-done");
  await page.goto(`${origin}/guardians`);
  await page.getByText(guardians[1].slice(-3)).first().waitFor();
}

export async function addPasskey(person) {
  const { page, origin } = person;
  await page.goto(`${origin}/passkeys`);
  await look(person, "passkeys");
  await press(page, passkey("/passkeys"));
  await look(person, "passkey-new");
  await page.locator(passkey("/passkeys/new")).click();
  // The address is the same before and after: only the list says that the passkey is there.
  await page.locator(".rows li").nth(1).waitFor({ timeout: FLOW_MS_MAX });
  assert.equal(await page.locator(".rows li").count(), 2);
  await look(person, "passkeys-two");
  const removed = page.locator("form[action$='/remove']").first();
  const id = (await removed.getAttribute("action")).split("/")[2];
  await press(page, "form[action$='/remove'] button");
  assert.equal(await page.locator(".rows li").count(), 1);
  await person.authenticator.forget(id);
}

export async function signInAgain(person) {
  const { page, origin } = person;
  await page.context().clearCookies({ name: "session" });
  await page.context().addCookies([{ name: "session", value: "00", url: origin }]);
  await page.goto(`${origin}/consents`);
  await page.locator(".alert.open").waitFor();
  await look(person, "signed-out");
  await pressTo(page, passkey("/sign-in"), `${origin}/consents`);
}

export async function getLost(person) {
  const { page, origin } = person;
  await page.goto(`${origin}/nowhere`);
  await look(person, "lost");
  await page.goto(`${origin}/help/confirm?lang=az`);
  assert.equal(new URL(page.url()).pathname, "/help");
  assert.equal(await page.locator("html").getAttribute("lang"), "az");
  await page.goto(`${origin}/help?lang=ru`);
  await page.fill("#number", "12");
  await press(page, passkey("/help"));
  await look(person, "help-wrong");
}

export async function others(person) {
  for (const name of ["credentials", "settings", "help", "guardians", "passkeys", "delete"]) {
    await person.page.goto(`${person.origin}/${name}`);
    await look(person, name);
  }
  await person.page.goto(`${person.origin}/credentials`);
  await press(person.page, ".rows.boxed a");
  await look(person, "credential");
}

async function prove(person, method) {
  const { page, origin, language, who } = person;
  await page.goto(`${origin}/recovery?lang=${language.code}`);
  await page.fill("#fin", who.fin);
  await page.fill("#document", who.document);
  await page.check(`input[name=method][value=${method}]`);
  await look(person, "recovery");
  await pressTo(page, passkey("/recovery"), `${origin}/recovering`);
}

async function confirm(guardian, number, name) {
  const { page, origin } = guardian;
  await page.goto(`${origin}/help`);
  await page.fill("#number", number.toLowerCase().replaceAll("-", " "));
  await press(page, passkey("/help"));
  await look(guardian, `${name}-confirm`);
  await press(page, passkey("/help/confirm"));
  await page.locator(".said.good").waitFor();
  await look(guardian, `${name}-confirmed`);
}

export async function recoverByGuardians(person, guardians) {
  const { page } = person;
  await prove(person, "guardians");
  await look(person, "recovering");
  const number = await page.locator("code.number").innerText();
  for (const guardian of guardians) await confirm(guardian, number, "help");
  await press(page, "a[href='/recovering']");
  await page.locator(".said.good").waitFor({ timeout: FLOW_MS_MAX });
  await look(person, "recovered");
  await lostPhoneIsOut(person);
}

export async function recoverByProofing(person) {
  await prove(person, "call_signature");
  await person.page.locator(".said.good").waitFor({ timeout: FLOW_MS_MAX });
  await look(person, "recovered");
  await lostPhoneIsOut(person);
  await person.page.goto(`${person.origin}/consents`);
  assert.ok((await person.page.locator(".rows.boxed li").count()) > 0, "the consents are gone");
}

// Whoever finds the phone is signed out, and its passkey opens nothing.
async function lostPhoneIsOut({ lost, origin }) {
  await lost.page.goto(`${origin}/`);
  await press(lost.page, passkey("/sign-in"));
  await lost.page.locator(".alert.bad:not([hidden])").waitFor();
  assert.equal(await lost.page.locator(".identity").count(), 0);
}

export async function coolDown(person) {
  const { page, origin } = person;
  await page.goto(`${origin}/`);
  await page.locator(".identity + .alert.open").waitFor();
  await look(person, "home-cooldown");
  await page.goto(`${origin}/consents`);
  assert.ok((await page.locator(".rows.boxed li").count()) > 0, "the consents are gone");
  await ask(person, "current_account", 3);
  await page.locator(".alert.bad:not([hidden])").waitFor();
  assert.equal(await page.locator("form[data-passkey=get]").count(), 0);
  await look(person, "consent-cooldown");
  await press(page, "form[action$='/decline'] button");
  await look(person, "declined");
}

export async function deleteWallet(person) {
  const { page, origin } = person;
  await page.goto(`${origin}/delete`);
  await press(page, passkey("/delete"));
  await page.locator(".said.good").waitFor();
  await look(person, "deleted");
  await page.goto(`${origin}/consents`);
  await page.locator("form[action='/sign-in']").waitFor();
}
