//! The other members in memory: status lists, and a provider that seals and receipts.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use etibar_credential::{
    catalogue::PurposeCode,
    consent::{Artefact, ConsentSecret},
    document::Binding,
    evidence::{Action, Receipt},
    jose::sha256,
};
use etibar_onboarding::{
    identity::Identity,
    ports::{AccountFault, AccountOpening, PeerFault, Peers},
    service::Clock,
};
use etibar_openid::{
    Private,
    member::{
        ConsentRegistered, ConsentRegistration, DataAnswer, DataRequest, ReceiptAcknowledged,
        ReceiptAcknowledgement, RevocationNotice, render,
    },
};
use etibar_primitives::{Digest, MemberId, OperationId};
use futures::future::BoxFuture;
use serde_json::Value;

/// What stands behind all URLs.
#[derive(Default)]
pub(crate) struct Web {
    pub(crate) lists: Mutex<BTreeMap<String, String>>,
    pub(crate) consents: Mutex<BTreeMap<Digest, (OperationId, MemberId)>>,
    pub(crate) answers: Mutex<BTreeMap<OperationId, DataAnswer>>,
    pub(crate) registers: Mutex<BTreeMap<String, Value>>,
    pub(crate) acknowledged: Mutex<u32>,
    pub(crate) revoked: Mutex<Vec<Digest>>,
    pub(crate) down: AtomicBool,
}

/// The other members, as one bank sees them.
pub(crate) struct FakePeers {
    pub(crate) web: Arc<Web>,
    pub(crate) members: Vec<Identity>,
    pub(crate) own: Identity,
    pub(crate) clock: Clock,
}

impl FakePeers {
    fn answers(&self, member: MemberId) -> Result<(), PeerFault> {
        let down = PeerFault { member, code: "unreachable".into(), refused: false };
        if self.web.down.load(Ordering::SeqCst) { Err(down) } else { Ok(()) }
    }

    fn give(&self, provider: MemberId, request: &DataRequest) -> Result<DataAnswer, PeerFault> {
        self.answers(provider)?;
        let refused = |code: &str| PeerFault { member: provider, code: code.into(), refused: true };
        let consents = self.web.consents.lock().expect("no test panics inside");
        let (consent, _) = *consents.get(&request.rel).ok_or(refused("consent_unknown"))?;
        let mut answers = self.web.answers.lock().expect("no test panics inside");
        if let Some(answer) = answers.get(&request.id) {
            return Ok(answer.clone());
        }
        let identity = self.members.iter().find(|its| its.member == provider);
        let identity = identity.ok_or(refused("no_such_member"))?;
        let registers = self.web.registers.lock().expect("no test panics inside");
        let claims = registers.get(&request.vct).ok_or(refused("nothing"))?;
        let binding = Binding { consent, provider, consumer: self.own.member };
        let answer = serde_json::json!({ "vct": request.vct, "as_of": 0, "records": [claims] });
        let document = serde_json::to_vec(&answer).expect("JSON");
        let recipient = self.own.seal.public_key();
        let sealed = etibar_credential::document::seal(
            &binding,
            "application/json",
            &document,
            &recipient,
            &mut rand::rng(),
        )
        .expect("sealed")
        .to_text();
        let receipt = Receipt {
            rel: request.rel,
            consent,
            sequence: 1,
            previous: Digest::ZERO,
            author: provider,
            action: Action::Fetch,
            vct: request.vct.clone(),
            claims: request.claims.clone(),
            purpose: PurposeCode(request.purpose),
            requester: self.own.member,
            provider,
            request_hash: Digest(sha256(&render(request).expect("a message within its limits"))),
            response_hash: Digest(sha256(sealed.as_bytes())),
            time: (self.clock)(),
            reader: None,
            duty: None,
        };
        let receipt = receipt.sign(&*identity.signer).expect("signed");
        let answer = DataAnswer { id: request.id, envelope: sealed, receipt };
        answers.insert(request.id, answer.clone());
        Ok(answer)
    }
}

impl Peers for FakePeers {
    fn base_url(&self, member: MemberId) -> Option<String> {
        self.members.iter().find(|its| its.member == member).map(|its| its.base_url.clone())
    }

    fn status_list<'a>(
        &'a self,
        member: MemberId,
        uri: &'a str,
    ) -> BoxFuture<'a, Result<String, PeerFault>> {
        Box::pin(async move {
            self.answers(member)?;
            let lists = self.web.lists.lock().expect("no test panics inside");
            let missing = PeerFault { member, code: "unknown".into(), refused: true };
            lists.get(uri).cloned().ok_or(missing)
        })
    }

    fn register<'a>(
        &'a self,
        provider: MemberId,
        consent: &'a ConsentRegistration,
    ) -> BoxFuture<'a, Result<ConsentRegistered, PeerFault>> {
        Box::pin(async move {
            self.answers(provider)?;
            let key = self.own.signer.public_key();
            let artefact = Artefact::verify(&consent.artefact.0, &key).expect("the bank's own");
            let secret = ConsentSecret::new(consent.r.0, consent.salt.0);
            let named = artefact.provider(provider).expect("it names the provider");
            assert_eq!(secret.rel(), named.rel, "r belongs to the consent");
            let mut consents = self.web.consents.lock().expect("no test panics inside");
            consents.insert(named.rel, (artefact.terms().id, provider));
            Ok(ConsentRegistered { rel: named.rel, registered_at: (self.clock)() })
        })
    }

    fn fetch<'a>(
        &'a self,
        provider: MemberId,
        request: &'a DataRequest,
    ) -> BoxFuture<'a, Result<DataAnswer, PeerFault>> {
        Box::pin(async move { self.give(provider, request) })
    }

    fn acknowledge<'a>(
        &'a self,
        provider: MemberId,
        receipt: &'a ReceiptAcknowledgement,
    ) -> BoxFuture<'a, Result<ReceiptAcknowledged, PeerFault>> {
        Box::pin(async move {
            self.answers(provider)?;
            *self.web.acknowledged.lock().expect("no test panics inside") += 1;
            Ok(ReceiptAcknowledged { id: receipt.id })
        })
    }

    fn revoked<'a>(
        &'a self,
        provider: MemberId,
        notice: &'a RevocationNotice,
    ) -> BoxFuture<'a, Result<(), PeerFault>> {
        Box::pin(async move {
            self.answers(provider)?;
            self.web.revoked.lock().expect("no test panics inside").push(notice.rel);
            Ok(())
        })
    }
}

/// Books in memory.
#[derive(Default)]
pub(crate) struct FakeAccounts {
    pub(crate) opened: Mutex<BTreeMap<OperationId, String>>,
    /// Whose they are, by account.
    pub(crate) names: Mutex<BTreeMap<String, String>>,
    pub(crate) phones: Mutex<BTreeMap<String, String>>,
    /// Accounts are opened, the answers are lost.
    pub(crate) loses_answers: AtomicBool,
}

impl AccountOpening for FakeAccounts {
    fn open<'a>(
        &'a self,
        order: OperationId,
        holder: &'a Private<String>,
    ) -> BoxFuture<'a, Result<Private<String>, AccountFault>> {
        Box::pin(async move {
            let mut opened = self.opened.lock().expect("no test panics inside");
            let number = format!("AZ00TEST{:020}", opened.len());
            let iban = opened.entry(order).or_insert(number).clone();
            let mut names = self.names.lock().expect("no test panics inside");
            names.insert(iban.clone(), holder.0.clone());
            if self.loses_answers.load(Ordering::SeqCst) {
                return Err(AccountFault("lost".into()));
            }
            Ok(Private(iban))
        })
    }

    fn register_phone<'a>(
        &'a self,
        phone: &'a Private<String>,
        account: &'a Private<String>,
    ) -> BoxFuture<'a, Result<bool, AccountFault>> {
        Box::pin(async move {
            let mut phones = self.phones.lock().expect("no test panics inside");
            phones.insert(phone.0.clone(), account.0.clone());
            Ok(true)
        })
    }
}
