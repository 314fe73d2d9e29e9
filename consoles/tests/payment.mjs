// One payment between two sample banks, so that the pages have something to show.

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const PAYER = { folder: "02-IBAZAZ2X", member: 2, bic: "IBAZAZ2X" };
const PAYEE = { bic: "AIIBAZ2X" };
const ANSWER_MS_MAX = 20_000;

// Orders it at the payer's bank, as its core banking would; throws unless it settles.
export async function pay(addresses) {
  const { url } = addresses.members.find((member) => member.id === PAYER.member);
  const tokenFile = join(addresses.data, "members", PAYER.folder, "core.token");
  const token = (await readFile(tokenFile, "utf8")).trim();
  const response = await fetch(`${url}/v1/payments`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/xml" },
    body: creditTransfer(),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const report = await response.text();
  if (!report.includes("<TxSts>ACSC</TxSts>")) {
    throw new Error(`the payment did not settle: ${response.status} ${report}`);
  }
}

function creditTransfer() {
  const now = new Date().toISOString();
  const agent = (bic) => `<FinInstnId><BICFI>${bic}</BICFI></FinInstnId>`;
  const account = (bic) => `<Id><IBAN>${iban(bic)}</IBAN></Id>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10"><FIToFICstmrCdtTrf><GrpHdr>\
<MsgId>BROWSER-1</MsgId><CreDtTm>${now}</CreDtTm><NbOfTxs>1</NbOfTxs>\
<SttlmInf><SttlmMtd>CLRG</SttlmMtd><ClrSys><Cd>IPS</Cd></ClrSys></SttlmInf></GrpHdr>\
<CdtTrfTxInf><PmtId><EndToEndId>BROWSER-1</EndToEndId><UETR>${randomUUID()}</UETR></PmtId>\
<IntrBkSttlmAmt Ccy="AZN">1234.56</IntrBkSttlmAmt>\
<IntrBkSttlmDt>${now.slice(0, 10)}</IntrBkSttlmDt>\
<ChrgBr>SLEV</ChrgBr><Dbtr><Nm>Sample Debtor</Nm></Dbtr>\
<DbtrAcct>${account(PAYER.bic)}</DbtrAcct><DbtrAgt>${agent(PAYER.bic)}</DbtrAgt>\
<CdtrAgt>${agent(PAYEE.bic)}</CdtrAgt><Cdtr><Nm>Sample Creditor</Nm></Cdtr>\
<CdtrAcct>${account(PAYEE.bic)}</CdtrAcct></CdtTrfTxInf></FIToFICstmrCdtTrf></Document>`;
}

// The first invented customer of a bank, with right check digits (ISO 13616).
function iban(bic) {
  const basic = `${bic.slice(0, 4)}${"1".padStart(20, "0")}`;
  const digits = [...`${basic}AZ00`].map((letter) => Number.parseInt(letter, 36)).join("");
  return `AZ${String(98n - (BigInt(digits) % 97n)).padStart(2, "0")}${basic}`;
}
