// The desks of a bank's staff and of an agency's clerks, on a phone and on a desk: a politically
// exposed person applies by the wallet, two of the staff decide, a clerk looks the person up.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { accessibilityFindings, addAuthenticator, openPage } from "./browser.mjs";

const VIEWS = [
  { name: "390", width: 390, height: 844, scheme: "light", script: true, clerk: "clerk-1.token" },
  { name: "1440", width: 1440, height: 900, scheme: "dark", script: true, clerk: "clerk-2.token" },
];
const BANK = { member: 2, folder: "02-IBAZAZ2X" };
const REGISTRAR = { member: 12, folder: "12-DINXAZ2X" };
const FLOW_MS_MAX = 40_000;

async function token(network, folder, name) {
  return (await readFile(join(network.data, "members", folder, name), "utf8")).trim();
}

function urlOf(network, { member }) {
  return network.members.find((its) => its.id === member).url;
}

// What every page must keep, and its picture. No address may name anybody.
async function look(page, view, name, person, screenshots) {
  await page.screenshot({ path: `${screenshots}desk-${name}-${view.name}.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= view.width, `${name} is ${wide} px wide`);
  assert.deepEqual(await accessibilityFindings(page), [], name);
  assert.ok(!page.url().includes(person.fin), `the address of ${name} names somebody`);
  assert.equal(await page.locator("h1").count(), 1, name);
  // Words, not codes: but for addresses of status lists and the short numbers of rows.
  const text = await page.evaluate(() => {
    const shown = document.body.cloneNode(true);
    shown.querySelectorAll("code").forEach((its) => its.remove());
    return shown.textContent;
  });
  const raw = text.match(/\b[a-z]+_[a-z_]+\b|urn:az:\S+|undefined|\bNone\b|null/);
  assert.equal(raw, null, `${name} shows ${raw}`);
}

async function press(page, selector) {
  const navigated = page.waitForEvent("framenavigated", { timeout: FLOW_MS_MAX });
  await page.locator(selector).first().click();
  await navigated;
  await page.waitForLoadState("domcontentloaded");
}

async function signIn(page, url, path, secret) {
  await page.goto(`${url}${path}?lang=en`);
  await page.fill("#token", secret);
  // The keyboard alone gets in.
  const navigated = page.waitForEvent("framenavigated");
  await page.keyboard.press("Enter");
  await navigated;
  await page.locator("form[action$='/sign-out']").waitFor();
}

// The exposed person enrols and applies; the wallet says that the bank examines it.
async function apply(page, network, person, screenshots) {
  const origin = new URL(network.wallet).origin;
  await addAuthenticator(page);
  await page.goto(`${origin}/?lang=en`);
  await page.goto(`${origin}/start`);
  await page.fill("#fin", person.fin);
  await page.fill("#document", person.document);
  await page.locator("form[data-passkey=create] button").first().click();
  await page.waitForURL(`${origin}/`, { timeout: FLOW_MS_MAX });
  await page.goto(`${origin}/banks`);
  await page.locator("form[action='/banks'] button").first().click();
  await page.waitForURL(/\/requests\/[0-9a-f]+$/, { timeout: FLOW_MS_MAX });
  await page.locator("form[data-passkey=get] button").first().click();
  await page.waitForURL(/\/result$/, { timeout: FLOW_MS_MAX });
  await page.getByText("is examining your application").waitFor();
  await page.screenshot({ path: `${screenshots}desk-applicant-waits.png`, fullPage: true });
  return page.url();
}

async function openExamined(page, url) {
  await page.goto(`${url}/staff?state=examining`);
  await press(page, "a[href*='/staff/applications/']");
}

export async function run(browser, network, check, screenshots) {
  const people = JSON.parse(await readFile(join(network.data, "people.json"), "utf8"));
  const person = people.find((its) => its.exposed);
  const wallet = await openPage(browser, VIEWS[0], new URL(network.wallet).origin);
  const [phone, desk] = VIEWS;
  try {
    let result;
    await check("desks: an exposed person's application waits for the staff", async () => {
      result = await apply(wallet.page, network, person, screenshots);
    });
    await bank(browser, network, check, screenshots, person, [phone, desk]);
    await check("desks: the applicant sees how it ended", async () => {
      await wallet.page.goto(result);
      await wallet.page.getByText("Your account is open").waitFor({ timeout: FLOW_MS_MAX });
    });
    await check("desks: clerks' and staff's looks are in the person's own list", async () => {
      await lookUp(browser, network, person, phone);
      await seeLooks(wallet.page, network, screenshots);
    });
  } finally {
    await wallet.close();
  }
  for (const view of VIEWS) {
    await clerk(browser, network, check, screenshots, person, view);
  }
}

async function signInAsClerk(page, network, view) {
  const secret = await token(network, REGISTRAR.folder, view.clerk);
  await signIn(page, urlOf(network, REGISTRAR), "/clerk", secret);
}

async function fillLookUp(page, person) {
  await page.fill("#subject", person.fin);
  await page.fill("#reason", "Asked at the counter");
  await press(page, "form[action='/clerk/person'] button");
}

async function lookUp(browser, network, person, view) {
  const { page, close } = await openPage(browser, view, urlOf(network, REGISTRAR));
  try {
    await signInAsClerk(page, network, view);
    await fillLookUp(page, person);
    await page.locator("[data-record='urn:az:pid:1']").waitFor();
  } finally {
    await close();
  }
}

// The wallet verifies the looks like every other access: until they are on the ledger.
async function seeLooks(page, network, screenshots) {
  const origin = new URL(network.wallet).origin;
  const deadline = Date.now() + FLOW_MS_MAX;
  const proven = (role) =>
    page.locator("ol.log li", { hasText: role }).filter({ hasText: "Verified on the ledger" });
  await page.goto(`${origin}/accesses?lang=en`);
  for (const role of ["A clerk of the register", "A bank officer", "A senior bank officer"]) {
    while ((await proven(role).count()) === 0) {
      assert.ok(Date.now() < deadline, `no proven look by: ${role}`);
      await press(page, "form[action='/accesses'] button");
    }
  }
  await page.screenshot({ path: `${screenshots}desk-person-sees.png`, fullPage: true });
  const text = await page.locator("main").innerText();
  assert.ok(!/clerk-\d|officer-\d|senior-\d|at the counter/.test(text), "a name or a reason");
  assert.equal(await page.locator("ol.log .mark.bad").count(), 0);
}

// An officer prepares on a phone, a senior approves on a desk; both see all pages.
async function bank(browser, network, check, screenshots, person, [phone, desk]) {
  const url = urlOf(network, BANK);
  const officer = await openPage(browser, phone, url);
  const senior = await openPage(browser, desk, url);
  const seen = [officer.seen, senior.seen];
  try {
    await check("desks: the staff signs in by keyboard and lists applications", async () => {
      await officer.page.goto(`${url}/staff?lang=en`);
      await look(officer.page, phone, "staff-sign-in", person, screenshots);
      const own = await token(network, BANK.folder, "staff-officer.token");
      await signIn(officer.page, url, "/staff", own);
      await look(officer.page, phone, "staff-list", person, screenshots);
      const other = await token(network, BANK.folder, "staff-senior.token");
      await signIn(senior.page, url, "/staff", other);
      await look(senior.page, desk, "staff-list", person, screenshots);
    });
    await check("desks: an officer records the preparation and may not decide", async () => {
      const { page } = officer;
      await openExamined(page, url);
      assert.ok((await page.content()).includes(person.fin), "what was presented is shown");
      await look(page, phone, "staff-application", person, screenshots);
      await page.fill("#sources", "Salary of a public office");
      await page.fill("#preparation", "The declared income fits the expected turnover");
      await press(page, "form[action$='/preparations'] button");
      assert.equal(await page.locator("button[value=approve]").count(), 0);
      await look(page, phone, "staff-prepared", person, screenshots);
    });
    await check("desks: a senior approves and the account is open", async () => {
      const { page } = senior;
      await openExamined(page, url);
      await look(page, desk, "staff-decide", person, screenshots);
      await page.fill("#verdict", "Looked at the declaration of assets");
      await press(page, "button[value=approve]");
      const state = page.locator("[data-state]");
      const deadline = Date.now() + FLOW_MS_MAX;
      while ((await state.getAttribute("data-state")) !== "done") {
        assert.ok(Date.now() < deadline, `it is ${await state.innerText()}`);
        await page.reload();
      }
      assert.equal(await state.innerText(), "Done");
      await look(page, desk, "staff-approved", person, screenshots);
    });
    await check("desks: erasures, obligations and lags are on one page", async () => {
      for (const [its, view] of [[officer, phone], [senior, desk]]) {
        await its.page.goto(`${url}/staff/watch`);
        assert.equal(await its.page.locator("[data-watch=overdue]").innerText(), "0");
        await look(its.page, view, "staff-watch", person, screenshots);
      }
    });
    await check("desks: no errors and no request to another host at the bank", () => calm(seen));
  } finally {
    await officer.close();
    await senior.close();
  }
}

async function clerk(browser, network, check, screenshots, person, view) {
  const url = urlOf(network, REGISTRAR);
  const { page, seen, close } = await openPage(browser, view, url);
  try {
    await check(`desks: a clerk looks somebody up, ${view.name}`, async () => {
      await signInAsClerk(page, network, view);
      await look(page, view, "clerk-home", person, screenshots);
      await fillLookUp(page, person);
      const record = page.locator("[data-record='urn:az:pid:1']");
      await record.waitFor();
      await look(page, view, "clerk-person", person, screenshots);
      const acts = page.locator("section[aria-labelledby=acts]");
      assert.match(await acts.innerText(), /Looked/, "the look is on record");
    });
    await check(`desks: a clerk records a change and revokes for cause, ${view.name}`, async () => {
      const record = "[data-record='urn:az:pid:1']";
      const city = `Şəki ${view.name}`;
      await page.locator(`${record} details`).first().locator("summary").click();
      await page.selectOption(`${record} select[name=path]`, "address.city");
      await page.fill(`${record} input[name=value]`, city);
      await page.fill(`${record} form[action='/clerk/changes'] input[name=reason]`, "Moved");
      await look(page, view, "clerk-change", person, screenshots);
      await press(page, `${record} form[action='/clerk/changes'] button`);
      assert.ok((await page.content()).includes(city), "the new value is shown");
      await page.locator(`${record} details`).last().locator("summary").click();
      await page.fill(`${record} form[action='/clerk/revocations'] input[name=reason]`, "Stolen");
      await press(page, `${record} form[action='/clerk/revocations'] button`);
      await page.locator("[role=status]").waitFor();
      await look(page, view, "clerk-revoked", person, screenshots);
    });
    const sentence = `desks: no errors and no request to another host, ${view.name}`;
    await check(sentence, () => calm([seen]));
  } finally {
    await close();
  }
}

function calm(pages) {
  const found = pages.flatMap((seen) => [
    ...seen.errors, ...seen.foreign.map((url) => `request to ${url}`),
  ]);
  if (found.length > 0) throw new Error(found.join("; "));
}
