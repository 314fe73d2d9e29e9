//! A bank with its routes, in front of flows on a ledger in memory.

use std::sync::Arc;

use axum::{Router, body::Body, http::Request};
use etibar_api::{onboarding, problem::with_fallbacks};
use etibar_client::{Client, ClientConfig, clock, token};
use etibar_ledger::{
    Genesis,
    genesis::{GenesisAccount, GenesisMember},
    operation::{AccountKind, Bic, MemberRole},
};
use etibar_onboarding::staff::{Staff, StaffMember, StaffRole};
use etibar_primitives::{AccountId, Amount, BlockTime, MemberId, key::PrivateKey};
use serde_json::{Value, json};

use crate::{
    common::{Answer, JSON, ask, bare, post},
    support::{
        Country,
        country::{Bank, EXPOSED},
        wallet::Wallet,
    },
};

const OPERATOR: MemberId = MemberId(1);
pub(crate) const BANK: MemberId = MemberId(2);
pub(crate) const REGISTRAR: MemberId = MemberId(12);
pub(crate) const STRANGER: MemberId = MemberId(16);
/// The tokens of the staff: an officer and two seniors.
pub(crate) const STAFF: &str = "officer-token-of-the-bank-0123456789";
pub(crate) const SENIOR: &str = "senior-token-of-the-bank-0123456789";
pub(crate) const OTHER_SENIOR: &str = "another-senior-token-of-the-bank-012";

pub(crate) struct World {
    pub(crate) country: Country,
    pub(crate) bank: Bank,
    client: Client,
}

/// What must not change by a refused request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    sessions: usize,
    consents: usize,
    notices: usize,
    erasures: usize,
    accounts: usize,
    on_ledger: usize,
}

/// The key that speaks for a member on the ledger.
pub(crate) fn key_of(member: MemberId) -> PrivateKey {
    PrivateKey::from_seed(&[u8::try_from(member.0).expect("few"); 32])
}

fn genesis() -> Genesis {
    let member = |id: MemberId| GenesisMember {
        id,
        name: format!("Member {id} (sample)"),
        role: match id {
            OPERATOR => MemberRole::Operator,
            BANK => MemberRole::Bank,
            _ => MemberRole::Agency,
        },
        bic: Bic::new("NABZAZ2C").expect("a code"),
        keys: vec![key_of(id).public_key()],
    };
    Genesis {
        name: "onboarding doors".to_owned(),
        time: BlockTime(1_795_000_000_000),
        validators: vec![PrivateKey::from_seed(&[99; 32]).public_key()],
        members: [OPERATOR, BANK, REGISTRAR, STRANGER].map(member).to_vec(),
        accounts: vec![GenesisAccount {
            id: AccountId(1),
            owner: OPERATOR,
            kind: AccountKind::Issue,
            opening: Amount::ZERO,
        }],
        parameters: Vec::new(),
        issuers: Vec::new(),
        purposes: Vec::new(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let country = Country::new();
        let bank = country.bank(BANK.0).await;
        let client = Client::new(ClientConfig {
            genesis: Arc::new(genesis()),
            validators: vec!["http://127.0.0.1:9".to_owned()],
            member: BANK,
            key: Arc::new(key_of(BANK)),
        });
        Self { country, bank, client: client.expect("a good configuration") }
    }

    pub(crate) fn router(&self) -> Router {
        let flows = self.bank.flows.clone();
        let mut staff = Staff::default();
        for (name, role, token) in [
            ("officer-1", StaffRole::Officer, STAFF),
            ("senior-1", StaffRole::Senior, SENIOR),
            ("senior-2", StaffRole::Senior, OTHER_SENIOR),
        ] {
            staff.add(StaffMember { name: name.to_owned(), role }, token).expect("good");
        }
        with_fallbacks(onboarding::routes(flows, self.client.clone(), staff))
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        ask(self.router(), request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(bare(axum::http::Method::GET, path)).await
    }

    /// A token of `member`, signed by `signer`, made `age_ms` ago.
    pub(crate) fn token_of(&self, member: MemberId, signer: MemberId, age_ms: i64) -> String {
        let made = BlockTime(clock::now().0.saturating_add_signed(-age_ms));
        token::sign(self.client.network(), member, &key_of(signer), made)
    }

    pub(crate) fn token(&self, member: MemberId) -> String {
        self.token_of(member, member, 0)
    }

    /// A new session over HTTP.
    pub(crate) async fn session(&self, product: &str) -> Value {
        let body = json!({"product": product, "language": "en", "phone": "+994501234567"});
        let path = "/v1/onboarding/sessions";
        let answer = self.ask(post(path, JSON, body.to_string())).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    /// The answer of `wallet` to a session's request: the path, and the form.
    pub(crate) async fn answer_of(&self, wallet: &Wallet, session: &Value) -> (String, Vec<u8>) {
        let (registry, now) = (self.country.registry(), self.country.time());
        let link = session["request_uri"].as_str().expect("a link");
        let (id, body) = wallet.answer(&self.bank.flows, link, &registry, now).await;
        (format!("/oid4vp/responses/{id}"), body)
    }

    /// A session at its end.
    pub(crate) async fn end(&self, session: &Value) -> Value {
        let id = session["id"].as_str().expect("an id");
        let answer = self.get(&format!("/v1/onboarding/sessions/{id}?wait_ms=20000")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// An account opened over HTTP by the sample person.
    pub(crate) async fn open_account(&self) -> Value {
        let wallet = self.country.wallet(BANK.0, &json!({}));
        let session = self.session("current_account").await;
        let (path, body) = self.answer_of(&wallet, &session).await;
        let taken = self.ask(post(&path, crate::common::FORM, body)).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
        let ended = self.end(&session).await;
        assert_eq!(ended["state"], "done", "{ended}");
        ended
    }

    /// A politically exposed person's application that the staff must examine: its id.
    pub(crate) async fn examined(&self) -> String {
        let exposed = json!({"personal_administrative_number": EXPOSED});
        let wallet = self.country.wallet(BANK.0, &exposed);
        let session = self.session("current_account").await;
        let (path, body) = self.answer_of(&wallet, &session).await;
        let taken = self.ask(post(&path, crate::common::FORM, body)).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
        let waits = self.end(&session).await;
        assert_eq!((&waits["state"], &waits["is_final"]), (&json!("examining"), &json!(false)));
        assert!(waits["examined_until"].is_number(), "{waits}");
        waits["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn standing(&self) -> Standing {
        let vault = &self.bank.flows.parts().vault;
        let count = async |queue| vault.list_work(queue, 500).await.expect("no fault").len();
        let state = self.country.shared.state.lock().expect("unpoisoned").consents.len();
        Standing {
            sessions: count(etibar_onboarding::session::SESSIONS).await,
            notices: count(etibar_onboarding::notices::NOTICES).await,
            consents: vault.latest_consents(500).await.expect("no fault").len(),
            erasures: vault.open_erasures().await.expect("no fault").len(),
            accounts: self.bank.accounts.opened.lock().expect("unpoisoned").len(),
            on_ledger: state,
        }
    }
}
