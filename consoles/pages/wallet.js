// Lets a passkey answer the forms that ask for one, and keeps a form from being sent twice. All
// else on the pages works without script.

const failed = document.querySelector("#passkey-failed");

function show(text) {
  if (text) failed.textContent = text;
  failed.hidden = false;
  failed.scrollIntoView({ block: "center" });
}

// The browser's own dialogue; its answer as the JSON that the server verifies.
async function ask(kind, options) {
  if (kind === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return (await navigator.credentials.create({ publicKey })).toJSON();
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

// Marks a form as being sent: a second press does nothing.
function hold(form) {
  const button = form.querySelector("button");
  form.ariaBusy = "true";
  button.ariaDisabled = "true";
  return button;
}

async function answer(event) {
  const form = event.currentTarget;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    show(failed.dataset.missing);
    return;
  }
  const button = hold(form);
  const label = button.textContent;
  failed.hidden = true;
  try {
    const credential = await ask(form.dataset.passkey, JSON.parse(form.dataset.options));
    form.elements.passkey.value = JSON.stringify(credential);
    if (button.dataset.busy) button.textContent = button.dataset.busy;
    form.submit();
  } catch {
    // Cancelled, timed out, or no passkey here: the browser does not say which.
    form.ariaBusy = "false";
    button.ariaDisabled = null;
    button.textContent = label;
    show();
  }
}

function once(event) {
  const form = event.currentTarget;
  if (form.ariaBusy === "true") event.preventDefault();
  else hold(form);
}

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", form.dataset.passkey ? answer : once);
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => globalThis.print());
}
// What went wrong is read first, also by who does not see where it stands.
const wrong = document.querySelector(".alert.bad[aria-labelledby]");
if (wrong) {
  wrong.tabIndex = -1;
  wrong.focus();
}
// A page that the browser kept shows a form as sent, with a challenge that was answered.
globalThis.addEventListener("pageshow", (event) => {
  if (event.persisted) globalThis.location.reload();
});
