// Lets a passkey answer the forms that ask for one. All else on the pages works without script.

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

async function answer(event) {
  const form = event.currentTarget;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    show(failed.dataset.missing);
    return;
  }
  const button = form.querySelector("button");
  const label = button.textContent;
  form.ariaBusy = "true";
  button.ariaDisabled = "true";
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

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", answer);
}
