//! A wallet without a network, and an authenticator in software.

use std::{path::Path, sync::Arc};

use etibar_client::{Client, ClientConfig};
use etibar_credential::jose::{Signer as _, SoftwareKey, encode, sha256};
use etibar_ledger::{
    Genesis,
    genesis::{GenesisAccount, GenesisMember},
    operation::{AccountKind, Bic, MemberRole},
};
use etibar_primitives::{AccountId, Amount, BlockTime, MemberId, key::PrivateKey};
use etibar_vault::key::FileKey;
use etibar_wallet::{Wallet, WalletSetup, config::MemberAddress};
use serde_json::{Value, json};

/// The origin of the wallet under test.
pub(crate) const ORIGIN: &str = "http://localhost:8200";
const HOST: &str = "localhost";

/// User present, user verified; and with attested credential data.
const FLAGS: u8 = 0x05;
const FLAGS_WITH_CREDENTIAL: u8 = 0x45;

/// A wallet in `folder`: hosted behind passkeys, or scripted. Its validators are nowhere.
pub(crate) async fn wallet(folder: &Path, hosted: bool) -> Wallet {
    wallet_of(folder, hosted, Vec::new()).await
}

/// A wallet that knows these members' addresses.
pub(crate) async fn wallet_of(folder: &Path, hosted: bool, members: Vec<MemberAddress>) -> Wallet {
    let key = Arc::new(PrivateKey::from_seed(&[1; 32]));
    let member = GenesisMember {
        id: MemberId(1),
        name: "Operator (sample)".to_owned(),
        role: MemberRole::Operator,
        bic: Bic::new("NABZAZ2C").expect("the test gives what it needs"),
        keys: vec![key.public_key()],
    };
    let issue = GenesisAccount {
        id: AccountId(1),
        owner: MemberId(1),
        kind: AccountKind::Issue,
        opening: Amount::ZERO,
    };
    let validator = |seed| PrivateKey::from_seed(&[seed; 32]).public_key();
    let genesis = Genesis {
        name: "wallet test".to_owned(),
        time: BlockTime(1_795_000_000_000),
        validators: (10..14).map(validator).collect(),
        members: vec![member],
        accounts: vec![issue],
        parameters: Vec::new(),
        issuers: Vec::new(),
        purposes: Vec::new(),
    };
    let client = Client::new(ClientConfig {
        genesis: Arc::new(genesis),
        validators: vec!["http://127.0.0.1:9".to_owned()],
        member: MemberId(1),
        key,
    });
    Wallet::start(WalletSetup {
        store: folder.to_owned(),
        master: Arc::new(FileKey::new([7; 32])),
        client: client.expect("the test gives what it needs"),
        members,
        registrar: MemberId(12),
        origin: hosted.then(|| ORIGIN.to_owned()),
    })
    .await
    .expect("the test gives what it needs")
}

/// An authenticator with one passkey, as WebAuthn Level 3 describes it.
pub(crate) struct Authenticator {
    key: SoftwareKey,
    id: [u8; 16],
    counter: u32,
    /// The origin that the browser writes into what it signs.
    pub(crate) origin: &'static str,
}

impl Authenticator {
    pub(crate) fn new(seed: u8) -> Self {
        let key = SoftwareKey::from_bytes(&[seed; 32]).expect("the test gives what it needs");
        Self { key, id: [seed; 16], counter: 0, origin: ORIGIN }
    }

    /// `navigator.credentials.create`.
    pub(crate) fn create(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).expect("the test gives what it needs");
        let client_data = self.client_data("webauthn.create", &options);
        let point = self.key.public_key().to_sec1();
        let mut data = self.authenticator_data(FLAGS_WITH_CREDENTIAL);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(self.id);
        // COSE_Key: kty EC2, alg ES256, crv P-256, x, y (RFC 9052 §7).
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 32]);
        data.extend(&point[33..]);
        let mut object = vec![0xa3];
        object.extend(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).expect("the test gives what it needs"));
        object.extend(&data);
        json!({
            "id": encode(&self.id), "rawId": encode(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(client_data.as_bytes()),
                "attestationObject": encode(&object), "transports": ["internal"],
            },
        })
        .to_string()
    }

    /// `navigator.credentials.get`.
    pub(crate) fn get(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).expect("the test gives what it needs");
        let client_data = self.client_data("webauthn.get", &options);
        self.counter += 1;
        let data = self.authenticator_data(FLAGS);
        let message = [data.as_slice(), &sha256(client_data.as_bytes())].concat();
        let signature = der(&self.key.sign(&message).expect("the test gives what it needs"));
        json!({
            "id": encode(&self.id), "rawId": encode(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(client_data.as_bytes()),
                "authenticatorData": encode(&data), "signature": encode(&signature),
            },
        })
        .to_string()
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = options["challenge"].as_str().expect("the test gives what it needs");
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
    }

    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        let mut data = sha256(HOST.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }
}

/// `r ‖ s` as an ASN.1 sequence of two integers.
fn der(signature: &[u8; 64]) -> Vec<u8> {
    let tagged = |tag: u8, body: &[u8]| {
        let length = u8::try_from(body.len()).expect("at most 72 bytes");
        [&[tag, length], body].concat()
    };
    let integer = |bytes: &[u8]| {
        let first = bytes.iter().position(|byte| *byte != 0).expect("r and s are not zero");
        let mut value = bytes[first..].to_vec();
        if value[0] >= 0x80 {
            value.insert(0, 0);
        }
        tagged(0x02, &value)
    };
    tagged(0x30, &[integer(&signature[..32]), integer(&signature[32..])].concat())
}
