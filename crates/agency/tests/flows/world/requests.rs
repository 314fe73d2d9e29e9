//! What wallets, banks and clerks ask, made ready.

use etibar_agency::proofing::SampleProofing;
use etibar_credential::{
    catalogue::{Language, PurposeCode},
    consent::{
        Artefact, ConsentSecret, Fetch, LedgerGrant, Party, Provider, Terms, transaction_entry,
    },
    level::{Method, Methods},
};
use etibar_ledger::{
    Operation,
    operation::{Action, ConsentGrant},
};
use etibar_openid::{
    Private, Secret,
    member::{ConsentRegistration, DataRequest, Enrolment, ProofingEvidence, RegisterChange},
};
use etibar_primitives::Digest;
use serde_json::json;

use super::{BANK, Device, REGISTRAR, World, operation};

pub(crate) fn evidence(seen: &str, methods: &[Method]) -> ProofingEvidence {
    ProofingEvidence {
        methods: Methods::of(methods),
        provider: SampleProofing::NAME.to_owned(),
        evidence: Private(SampleProofing::evidence(seen)),
    }
}

pub(crate) fn enrolment(world: &World, person: usize) -> Enrolment {
    let person = &world.population.people()[person];
    Enrolment {
        id: operation(),
        fin: Private(person.fin.expose().to_owned()),
        document_number: Private(person.document_number.clone()),
        proofing: evidence(person.fin.expose(), &[Method::Video]),
        language: Language::Az,
        guardians: Vec::new(),
    }
}

/// A consent of the person for the bank, granted on the ledger and ready to be registered.
pub(crate) fn consent(world: &World, device: &Device) -> (ConsentRegistration, ConsentSecret) {
    let secret = ConsentSecret::generate(&mut rand::rng());
    let now = world.now();
    let terms = Terms {
        id: operation(),
        consumer: Party { member: BANK, name: "Bank (sample)".to_owned() },
        providers: vec![Provider {
            member: REGISTRAR,
            name: "Registrar (sample)".to_owned(),
            rel: secret.rel(),
        }],
        purpose: PurposeCode(4),
        dcql_query: json!({ "credentials": [{
            "id": "pid", "format": "dc+sd-jwt", "meta": { "vct_values": ["urn:az:pid:1"] },
            "claims": [{ "path": ["address"] }, { "path": ["document_number"] }] }] }),
        fetch: Fetch::OnChange,
        data_life_days: 90,
        starts: now.into(),
        expires: etibar_credential::UnixSeconds::from(now).saturating_add(30 * 86_400),
        language: Language::Az,
    };
    let artefact = Artefact::draw_up(terms).unwrap();
    let jws = artefact.sign(&*world.bank.signer).unwrap();
    let grant = LedgerGrant::of(&artefact, &jws, REGISTRAR, &secret).unwrap();
    let action = Action::GrantConsent(ConsentGrant {
        rel: grant.rel,
        commitment: grant.commitment,
        provider: grant.provider,
        expires: grant.expires,
        purpose: etibar_ledger::operation::PurposeCode(grant.purpose.0),
        scope: etibar_ledger::operation::Scope(grant.scope.0),
    });
    let granted_by = operation();
    world.ledger.submit(BANK, Operation { id: granted_by, linked: false, action });
    let entry = vec![transaction_entry(&jws, &["pid"])];
    let presentation = device.present("pid", "nonce", "x509_hash:bank", &entry, now);
    let (r, salt) = secret.expose();
    let registration = ConsentRegistration {
        artefact: Private(jws),
        r: Secret(*r),
        salt: Secret(*salt),
        presentation: Private(presentation),
        transaction_data: entry,
        audience: "x509_hash:bank".to_owned(),
        nonce: "nonce".to_owned(),
        granted_by,
    };
    (registration, secret)
}

pub(crate) fn fetch(rel: Digest) -> DataRequest {
    DataRequest {
        id: operation(),
        rel,
        vct: "urn:az:pid:1".to_owned(),
        claims: vec!["address.city".to_owned()],
        purpose: 4,
        notice: None,
    }
}

pub(crate) fn change(world: &World, person: usize, city: &str) -> RegisterChange {
    let fin = world.population.people()[person].fin;
    RegisterChange {
        id: operation(),
        subject: Private(fin.expose().to_owned()),
        vct: "urn:az:pid:1".to_owned(),
        changes: Private([("address.city".to_owned(), json!(city))].into()),
        reason: "moved".to_owned(),
    }
}
