//! A holder: credentials with a key each, and answers by the protocol's own holder side.

use etibar_credential::{
    jose::SoftwareKey,
    sd_jwt::{KeyBinding, SdJwt},
    trust::TrustRegistry,
};
use etibar_onboarding::{Onboarding, OnboardingError};
use etibar_openid::{
    Entropy, Private,
    dcql::Candidate,
    member::{HolderAction, HolderEnvelope, HolderRequest, body_nonce, render},
    vp::{
        RequestReference,
        holder::{Choice, check_request},
    },
};
use etibar_primitives::{BlockTime, OperationId};
use serde_json::Value;

pub(crate) struct Held {
    pub(crate) vct: String,
    pub(crate) credential: SdJwt,
    pub(crate) key: SoftwareKey,
    pub(crate) claims: Value,
}

#[derive(Default)]
pub(crate) struct Wallet {
    pub(crate) held: Vec<Held>,
}

impl Wallet {
    /// The request's id and the body of the answer.
    pub(crate) async fn answer(
        &self,
        bank: &Onboarding,
        request_uri: &str,
        registry: &TrustRegistry,
        now: BlockTime,
    ) -> (String, Vec<u8>) {
        let reference = RequestReference::parse(request_uri).expect("a link");
        let id = reference.request_uri.rsplit('/').next().expect("an id").to_owned();
        let object = bank.request_object(&id, Some("nonce-of-the-wallet")).await;
        let object = object.expect("a request object").0;
        let request = check_request(&object, &reference, "nonce-of-the-wallet", registry, now);
        let request = request.expect("a request of a registered relying party");
        let candidates: Vec<Candidate<'_>> =
            self.held.iter().map(|its| Candidate { vct: &its.vct, claims: &its.claims }).collect();
        let evaluation = request.evaluate(&candidates);
        let answered = evaluation.answer.expect("the wallet can answer");
        let mut choices = Vec::new();
        for found in evaluation.credentials.iter().filter(|its| answered.contains(&its.id)) {
            let chosen = &found.matches[0];
            let held = &self.held[chosen.candidate];
            choices.push(Choice {
                query: &found.id,
                credential: &held.credential,
                disclose: &chosen.disclose,
                holder: &held.key,
            });
        }
        let post = request.present(&choices, now, &Entropy::new(rand::random()));
        (id, post.expect("an answer").body)
    }

    /// A request to the bank itself.
    pub(crate) async fn ask(
        &self,
        bank: &Onboarding,
        path: &str,
        request: HolderAction,
        now: BlockTime,
    ) -> Result<etibar_onboarding::HolderAnswer, OnboardingError> {
        let audience = bank.parts().identity.base_url.clone();
        bank.holder(path, &self.envelope(&audience, request, now)).await
    }

    /// The signed body of a request to the bank at `audience`.
    pub(crate) fn envelope(
        &self,
        audience: &str,
        request: HolderAction,
        now: BlockTime,
    ) -> Vec<u8> {
        let id = OperationId(rand::random());
        let request = HolderRequest { id, audience: audience.to_owned(), made_at: now, request };
        let body = render(&request).expect("a message within its limits");
        let held = self.held.iter().find(|its| its.vct == "urn:az:pairwise:1");
        let held = held.expect("a pairwise credential");
        let binding = KeyBinding {
            nonce: &body_nonce(&body),
            audience,
            issued_at: now.into(),
            transaction_data: &[],
        };
        let presentation = held.credential.present(&[], &binding, &held.key).expect("bound");
        let body = String::from_utf8(body).expect("JSON");
        let envelope = HolderEnvelope { body: Private(body), presentation: Private(presentation) };
        render(&envelope).expect("a message within its limits")
    }
}

pub(crate) fn key() -> SoftwareKey {
    SoftwareKey::generate(&mut rand::rng())
}
