//! Passkeys (WebAuthn Level 3), verified on the server.
//!
//! User verification is demanded always: each gesture says that the device's owner, not only its
//! finder, was there. Attestation is not asked for: it would tell the wallet the device's model
//! and keep most phones out.

use etibar_primitives::{BlockTime, hex};
use passki::{
    AuthenticationCredential, AuthenticationOptions, ClientData, Passki, PubKeyCredParam,
    RegistrationCredential, RegistrationOptions, RegistrationState, ResidentKeyRequirement,
    StoredPasskey, UserVerificationRequirement,
};

use crate::{
    gesture::Evidence,
    id::PersonId,
    store::{PasskeyRow, StoreFault},
};

/// The algorithms that may sign (COSE): EdDSA and ES256. All phones have the second.
const ALGORITHMS: [i32; 2] = [-8, -7];
/// How long the browser waits for the person, in milliseconds.
const TIMEOUT_MS: u64 = 120_000;

/// Why a passkey was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// It is not the JSON that browsers give.
    #[error("the passkey's answer cannot be read")]
    Malformed,
    /// Nobody asked for it, it was answered before, or too late.
    #[error("the passkey's answer has ended")]
    Ended,
    /// The wallet does not know this passkey.
    #[error("the passkey is unknown")]
    Unknown,
    /// Signature, origin, user verification or counter do not hold.
    #[error("the passkey's answer does not hold")]
    Wrong,
}

/// The wallet as a relying party of passkeys.
pub struct Passkeys {
    passki: Passki,
}

/// A passkey that is being made: keep it until the browser answers.
#[derive(Debug, Clone)]
pub struct Registration {
    state: RegistrationState,
    /// What `navigator.credentials.create` takes, as JSON.
    pub options: String,
}

impl PasskeyError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "passkey_malformed",
            Self::Ended => "passkey_ended",
            Self::Unknown => "passkey_unknown",
            Self::Wrong => "passkey_wrong",
        }
    }
}

impl Passkeys {
    /// Passkeys of the site at `origin`, such as `https://wallet.example`, whose domain is `host`.
    pub fn new(host: &str, origin: &str) -> Self {
        Self { passki: Passki::new(host, &[origin], "Etibar") }
    }

    /// Begins a new passkey. The authenticator learns a random id and `label`, which is shown in
    /// the device's list of passkeys.
    pub fn register(&self, label: &str) -> Registration {
        let handle: [u8; 16] = rand::random();
        let mut options = RegistrationOptions::default();
        options.timeout = TIMEOUT_MS;
        options.resident_key = ResidentKeyRequirement::Required;
        options.user_verification = UserVerificationRequirement::Required;
        let started = self.passki.start_passkey_registration(&handle, label, label, options);
        let (mut challenge, state) = started.expect("a handle has 16 bytes");
        challenge
            .pub_key_cred_params
            .retain(|PubKeyCredParam { alg, .. }| ALGORITHMS.contains(alg));
        let options = serde_json::to_string(&challenge).expect("options are plain data");
        Registration { state, options }
    }

    /// Checks what the browser answered to [`Passkeys::register`]: the passkey to keep.
    pub fn registered(
        &self,
        registration: &Registration,
        answer: &str,
    ) -> Result<NewPasskey, PasskeyError> {
        let answer: RegistrationCredential =
            serde_json::from_str(answer).map_err(|_| PasskeyError::Malformed)?;
        let passkey = self.passki.finish_passkey_registration(&answer, &registration.state);
        let passkey = passkey.map_err(|error| wrong(&error))?;
        if !ALGORITHMS.contains(&passkey.algorithm) {
            return Err(PasskeyError::Wrong);
        }
        Ok(NewPasskey(passkey))
    }

    /// What `navigator.credentials.get` takes, as JSON: any of `passkeys`, or any that the device
    /// has for this site when there is none.
    pub fn request(
        &self,
        challenge: &[u8; 32],
        passkeys: &[PasskeyRow],
    ) -> Result<String, StoreFault> {
        let stored: Vec<StoredPasskey> = passkeys.iter().map(read).collect::<Result<_, _>>()?;
        let mut options = AuthenticationOptions::default();
        options.timeout = TIMEOUT_MS;
        options.user_verification = UserVerificationRequirement::Required;
        let started = self.passki.start_passkey_authentication(&stored, options);
        let (mut request, _) = started.expect("no extension is asked for");
        request.challenge = Passki::base64_encode(challenge);
        Ok(serde_json::to_string(&request).expect("options are plain data"))
    }

    /// Checks the signature of an answer under `challenge` with the passkey it names; gives the
    /// passkey as it is to be stored again, and the evidence.
    pub(crate) fn verify(
        &self,
        answer: &Answer,
        challenge: &[u8; 32],
        nonce: &[u8; 16],
        row: &PasskeyRow,
    ) -> Result<(PasskeyRow, Evidence), PasskeyError> {
        let mut stored = read(row).map_err(|_| PasskeyError::Unknown)?;
        let options = AuthenticationOptions::default();
        let started =
            self.passki.start_passkey_authentication(std::slice::from_ref(&stored), options);
        let (_, mut state) = started.expect("no extension is asked for");
        state.challenge = challenge.to_vec();
        state.user_verification = UserVerificationRequirement::Required;
        let result = self.passki.finish_passkey_authentication(&answer.0, &state, &stored);
        stored.counter = result.map_err(|error| wrong(&error))?.counter;
        let response = &answer.0.response;
        let evidence = Evidence {
            credential: answer.0.raw_id.clone(),
            client_data: response.client_data_json.clone(),
            authenticator_data: response.authenticator_data.clone(),
            signature: response.signature.clone(),
            nonce: Passki::base64_encode(nonce),
        };
        let passkey = serde_json::to_string(&stored).expect("a passkey is plain data");
        Ok((PasskeyRow { passkey, ..row.clone() }, evidence))
    }
}

/// A passkey that was just made.
#[derive(Debug, Clone)]
pub struct NewPasskey(StoredPasskey);

impl NewPasskey {
    /// The credential's id in hexadecimal digits.
    pub(crate) fn id(&self) -> String {
        hex::encode(&self.0.credential_id)
    }

    /// The row that gives it to `person`.
    pub(crate) fn row(&self, person: PersonId, added: BlockTime) -> PasskeyRow {
        PasskeyRow {
            credential: self.0.credential_id.clone(),
            person,
            passkey: serde_json::to_string(&self.0).expect("a passkey is plain data"),
            added,
        }
    }
}

/// What a browser answered to a request, not yet verified.
pub(crate) struct Answer(AuthenticationCredential);

impl Answer {
    /// Reads the JSON that `PublicKeyCredential.toJSON` gives.
    pub(crate) fn parse(text: &str) -> Result<Self, PasskeyError> {
        serde_json::from_str(text).map(Self).map_err(|_| PasskeyError::Malformed)
    }

    /// The passkey that it says it is.
    pub(crate) fn credential(&self) -> Result<Vec<u8>, PasskeyError> {
        Passki::base64_decode(&self.0.raw_id).map_err(|_| PasskeyError::Malformed)
    }

    /// The challenge that it says it answers.
    pub(crate) fn challenge(&self) -> Result<[u8; 32], PasskeyError> {
        let data = ClientData::from_base64(&self.0.response.client_data_json);
        let data = data.map_err(|_| PasskeyError::Malformed)?;
        let bytes = Passki::base64_decode(&data.challenge).map_err(|_| PasskeyError::Malformed)?;
        bytes.try_into().map_err(|_| PasskeyError::Ended)
    }
}

fn read(row: &PasskeyRow) -> Result<StoredPasskey, StoreFault> {
    serde_json::from_str(&row.passkey).map_err(|_| StoreFault::Row("passkey"))
}

/// The reason goes to the log; it holds no personal data.
fn wrong(error: &passki::PasskiError) -> PasskeyError {
    tracing::info!(%error, "a passkey's answer does not hold");
    PasskeyError::Wrong
}
