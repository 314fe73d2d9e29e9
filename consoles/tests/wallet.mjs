// The hosted wallet on a phone, as people of the sample population use it: enrol, open accounts,
// withdraw and have erased, lose the phone and come back. The languages share the flows.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { addAuthenticator, launch, openPage } from "./browser.mjs";
import { startNetwork } from "./network.mjs";
import * as steps from "./wallet-steps.mjs";

const PHONE = { width: 390, height: 844, script: true };
const LANGUAGES = {
  az: { code: "az", scheme: "light", opened: "Hesabınız açıldı", revoked: "Geri götürülüb" },
  en: { code: "en", scheme: "dark", opened: "Your account is open", revoked: "Withdrawn" },
  ru: {
    code: "ru",
    scheme: "light",
    opened: "Ваш счёт открыт",
    revoked: "Отозвано",
    guardianship: "Справка об опеке или родительстве",
  },
};

const count = { passed: 0, failed: 0 };

// Runs the steps of one person until one fails; says whether all passed.
async function story(person, list) {
  const place = `wallet in ${person.language.code}`;
  for (const [sentence, run] of list) {
    try {
      await run(person);
      count.passed += 1;
      console.log(`ok      ${place}: ${sentence}`);
    } catch (error) {
      count.failed += 1;
      console.log(`FAILED  ${place}: ${sentence}: ${error.message}`);
      await person.page.screenshot({ path: steps.picture(`failed-${person.language.code}`) });
      return false;
    }
  }
  return true;
}

// A person with a phone: a context of its own, and the device's passkeys.
async function meet(browser, origin, language, who) {
  const view = { ...PHONE, scheme: language.scheme };
  const { page, seen, close } = await openPage(browser, view, origin);
  const person = { browser, origin, language, who, page, seen, close };
  person.authenticator = await addAuthenticator(page);
  return person;
}

// What is expected to be refused is no error of the page.
async function quiet({ seen }) {
  const expected = /40[0-9]|422|status of 4/;
  const errors = seen.errors.filter((error) => !expected.test(error));
  const found = [...errors, ...seen.foreign.map((url) => `request to ${url}`)];
  if (found.length > 0) throw new Error(found.join("; "));
}

const QUIET = ["no errors and no request to another host", quiet];

// Opens an account, closes the wallet half-way once, withdraws, and has everything erased.
const azerbaijani = [
  ["wrong fields are named, and the form keeps what was typed", steps.mistypes],
  ["a person enrols with a passkey", steps.enrol],
  ["an account is opened on one screen", steps.openAccount],
  ["who looked is shown, each line proven", steps.seeAccesses],
  ["who closes the wallet half-way finds the result", steps.closeHalfWay],
  ["the consent is withdrawn", steps.revoke],
  ["the data is erased, and what the law keeps has an end", steps.erase],
  ["erased records are no missing records", steps.seeAccessesAfterErasure],
  ["the other pages are in order", steps.others],
  QUIET,
];

// A director with a job: a company's account, a loan, guardians.
const english = [
  ["a person enrols with a passkey", steps.enrol],
  ["a loan is assessed by income and employment", steps.askLoan],
  ["a director opens the company's account; a double click opens one", steps.openCompany],
  ["three guardians are named", steps.nameGuardians],
  ["a second passkey is added and one taken away", steps.addPasskey],
  ["a session that ended leads back to where the person was", steps.signInAgain],
  ["the other pages are in order", steps.others],
  QUIET,
];

const russian = [
  ["a person enrols with a passkey", steps.enrol],
  ["an account is opened on one screen", steps.openAccount],
  ["an address that leads nowhere is a page with a way back", steps.getLost],
  ["who looked is shown, each line proven", steps.seeAccesses],
  ["the consent is withdrawn", steps.revoke],
  ["a parent opens the child's account", steps.openForChild],
  ["the other pages are in order", steps.others],
];

async function run(browser, origin, listed) {
  const people = listed.filter((person) => !person.exposed);
  const works = (person) => person.works && person.directs;
  const director = people.find(works) ?? people.find((person) => person.directs);
  assert.ok(director, "nobody of the list directs a company");
  const parent = people.find((person) => person.children === 1 && person !== director);
  assert.ok(parent, "nobody of the list has a child");
  const others = people.filter((person) => ![director, parent].includes(person));
  const [first, second, third] = [others[0], parent, others[1]];
  const one = await meet(browser, origin, LANGUAGES.az, first);
  const two = await meet(browser, origin, LANGUAGES.ru, second);
  const three = await meet(browser, origin, LANGUAGES.en, director);
  three.guardians = [first.fin, second.fin, third.fin];
  const went = [
    await story(one, azerbaijani),
    await story(two, russian),
    await story(three, english),
  ];
  if (went.every(Boolean)) {
    // The director's phone is gone; two guardians recognise the voice.
    const again = await meet(browser, origin, LANGUAGES.en, director);
    again.lost = three;
    await story(again, [
      ["a lost phone: two of three guardians bring the wallet back", (person) =>
        steps.recoverByGuardians(person, [one, two])],
      ["no new consents for some time, and the old ones are there", steps.coolDown],
      QUIET,
    ]);
    await again.close();
    const anew = await meet(browser, origin, LANGUAGES.ru, second);
    anew.lost = two;
    await story(anew, [
      ["a lost phone: a new proofing brings the wallet back", steps.recoverByProofing],
      ["the wallet is deleted", steps.deleteWallet],
      QUIET,
    ]);
    await anew.close();
  }
  for (const person of [one, two, three]) await person.close();
}

async function main() {
  await mkdir(steps.screenshots, { recursive: true });
  const network = await startNetwork();
  try {
    if (!network.wallet) throw new Error("the ready line names no wallet address");
    const file = join(network.data, "people.json");
    const people = JSON.parse(await readFile(file, "utf8"));
    const browser = await launch();
    try {
      await run(browser, new URL(network.wallet).origin, people);
    } finally {
      await browser.close();
    }
  } finally {
    await network.stop();
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

await main();
