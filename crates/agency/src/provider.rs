//! Data under consent: what a consumer may fetch here, and the receipt that each fetch leaves.

use etibar_client::wire::ConsentView;
use etibar_credential::{
    catalogue::{self, PurposeCode, RELYING_PARTY_TYPE, Scope},
    consent::{
        self, Artefact, ConsentError, ConsentSecret, Fetch, LedgerGrant, TransactionEntry,
        check_consent,
    },
    document::{self, Binding},
    evidence::{self, Receipt, receipt_digest},
    jose::sha256,
    sd_jwt::{ClaimPath, KeyBindingPolicy},
};
use etibar_ledger::{Outcome, operation::Action};
use etibar_openid::{
    Private, Secret,
    member::{
        ConsentRegistered, ConsentRegistration, DataAnswer, DataRequest, ReceiptAcknowledged,
        ReceiptAcknowledgement, RevocationNotice, render,
    },
};
use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::{
    agency::Agency,
    date::Date,
    error::AgencyError,
    identifiers::Fin,
    issuing::attested,
    person::CLOCK_SKEW_S,
    store::{ConsentRow, ConsentState, NewReceipt, ReceiptRow},
};

/// Steps of a claim's path at most.
const PATH_STEPS_MAX: usize = 8;
/// The media type of what is sealed.
const MEDIA_TYPE: &str = "application/json";

/// A consent's sealed part: everything that has a meaning.
#[derive(Serialize, Deserialize)]
struct Kept {
    artefact: Private<String>,
    consumer_key: Value,
    r: Secret,
    salt: Secret,
    fin: Fin,
    /// The evidence that the person agreed.
    presentation: Private<String>,
    transaction_data: Vec<String>,
}

/// A receipt's sealed part.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptReceipt {
    pub(crate) jws: String,
    envelope: String,
    /// What was asked: a repeat must ask the same.
    request: Digest,
}

/// A consent, opened.
pub(crate) struct OpenedConsent {
    pub(crate) artefact: Artefact,
    fin: Fin,
}

impl Agency {
    /// `POST /v1/consents`.
    pub async fn register_consent(
        &self,
        caller: MemberId,
        request: &ConsentRegistration,
    ) -> Result<ConsentRegistered, AgencyError> {
        let now = self.now();
        let jws = &request.artefact.0;
        let (consumer, chain) = consent::chain(jws)?;
        if consumer != caller {
            return Err(AgencyError::ConsentUnknown);
        }
        let registry = self.registry().await?;
        let (chain, entry) = registry.verify_chain(&chain, RELYING_PARTY_TYPE, now.into())?;
        if entry.member != caller {
            return Err(AgencyError::ConsentUnknown);
        }
        let artefact = Artefact::verify(jws, &chain.leaf_key)?;
        let secret = ConsentSecret::new(request.r.0, request.salt.0);
        let grant = self.grant_of(caller, request, &secret).await?;
        let member = self.inner.setup.member;
        let checked = check_consent(artefact, jws, member, &secret, &grant, now.into())?;
        let fin = self.check_agreement(jws, request, now).await?;
        let kept = Kept {
            artefact: request.artefact.clone(),
            consumer_key: chain.leaf_key.to_jwk(),
            r: request.r.clone(),
            salt: request.salt.clone(),
            fin,
            presentation: request.presentation.clone(),
            transaction_data: request.transaction_data.clone(),
        };
        let rel = checked.rel();
        let key = self.inner.store.key();
        let row = ConsentRow {
            rel,
            consumer: caller,
            holder: key.holder(&fin),
            purpose: grant.purpose.0,
            registered: now,
            expires: grant.expires,
            ended: None,
            sealed: Some(key.seal("consent", &rel.0, &kept)),
        };
        if self.inner.store.register_consent(&row).await? {
            return Ok(ConsentRegistered { rel, registered_at: now });
        }
        let found = self.inner.store.consent(&rel).await?.ok_or(ConsentError::Revoked)?;
        let same = self.kept(&found).is_ok_and(|kept| kept.artefact.0 == *jws);
        if same && found.consumer == caller {
            Ok(ConsentRegistered { rel, registered_at: found.registered })
        } else {
            Err(AgencyError::ConsentExists)
        }
    }

    /// The grant on the ledger, proven, with what has become of it since.
    async fn grant_of(
        &self,
        consumer: MemberId,
        request: &ConsentRegistration,
        secret: &ConsentSecret,
    ) -> Result<LedgerGrant, AgencyError> {
        let proven = self.inner.ledger.receipt(consumer, request.granted_by).await?;
        let proven = proven.filter(|proven| proven.outcome == Outcome::Accepted);
        let operation = proven.and_then(|proven| proven.operation);
        let Some(Action::GrantConsent(grant)) = operation.map(|operation| operation.action) else {
            return Err(AgencyError::GrantUnknown);
        };
        let view = self.inner.ledger.consent(secret.rel()).await?;
        Ok(LedgerGrant {
            rel: grant.rel,
            commitment: grant.commitment,
            consumer,
            provider: grant.provider,
            purpose: PurposeCode(grant.purpose.0),
            scope: Scope(grant.scope.0),
            expires: grant.expires,
            revoked: view.is_none_or(|view| view.revoked.is_some()),
        })
    }

    /// That the person agreed, and who that is.
    async fn check_agreement(
        &self,
        jws: &str,
        request: &ConsentRegistration,
        now: BlockTime,
    ) -> Result<Fin, AgencyError> {
        let key_binding = KeyBindingPolicy {
            nonce: &request.nonce,
            audience: &request.audience,
            now: now.into(),
            age_seconds_max: self.inner.setup.limits.consent_age_max_s,
            skew_seconds_max: CLOCK_SKEW_S,
            transaction_data: &request.transaction_data,
        };
        let (_, fin) = self.verify_pid(&request.presentation.0, key_binding).await?;
        let entries = request.transaction_data.iter();
        let signed = entries.filter_map(|entry| TransactionEntry::parse(entry));
        if signed.into_iter().any(|entry| entry.consent == jws) {
            Ok(fin)
        } else {
            Err(ConsentError::NotSigned.into())
        }
    }

    /// `POST /v1/data`.
    pub async fn data(
        &self,
        caller: MemberId,
        request: &DataRequest,
    ) -> Result<DataAnswer, AgencyError> {
        let now = self.now();
        let row = self.live_consent(caller, &request.rel, now).await?;
        let opened = self.open_consent(&row)?;
        if request.purpose != row.purpose {
            return Err(AgencyError::OtherPurpose);
        }
        let paths = paths_of(&request.claims)?;
        let member = self.inner.setup.member;
        opened.artefact.check_fetch(member, &request.vct, &paths, now.into())?;
        let asked = Digest(sha256(&render(request)?));
        if let Some(receipt) = self.inner.store.receipt(&row.rel, request.id).await? {
            return self.answer_again(&receipt, &asked);
        }
        self.check_frequency(&opened.artefact, &row, now).await?;
        let content = self.content(&opened.fin, &request.vct, &paths, now).await?;
        let seal_key = self.inner.setup.seal_keys.get(&caller);
        let binding =
            Binding { consent: opened.artefact.terms().id, provider: member, consumer: caller };
        let seal_key = seal_key.ok_or(AgencyError::SealKeyUnknown)?;
        let envelope = document::seal(&binding, MEDIA_TYPE, &content, seal_key, &mut rand::rng())?;
        let receipt = Receipt {
            rel: row.rel,
            consent: binding.consent,
            sequence: 1,
            previous: Digest::ZERO,
            author: member,
            action: evidence::Action::Fetch,
            vct: request.vct.clone(),
            claims: request.claims.clone(),
            purpose: PurposeCode(row.purpose),
            requester: caller,
            provider: member,
            request_hash: asked,
            response_hash: envelope.hash(),
            time: now,
            reader: None,
            duty: None,
        };
        let place = (&row.rel, request.id, &row.holder);
        let stored = self.log(place, receipt, envelope.to_text()).await?;
        self.inner.store.notices_fetched(&row.rel, now).await?;
        self.inner.work.notify_one();
        self.answer_again(&stored, &asked)
    }

    /// The consent, if it stands here and on the ledger.
    async fn live_consent(
        &self,
        caller: MemberId,
        rel: &Digest,
        now: BlockTime,
    ) -> Result<ConsentRow, AgencyError> {
        let row = self.inner.store.consent(rel).await?;
        let row = row.filter(|row| row.consumer == caller).ok_or(AgencyError::ConsentUnknown)?;
        match row.state(now) {
            ConsentState::Live => {}
            ConsentState::Revoked => return Err(ConsentError::Revoked.into()),
            ConsentState::Expired => return Err(ConsentError::Expired.into()),
        }
        // Events tell of a revocation, too; this asks for the very last block.
        let view: Option<ConsentView> = self.inner.ledger.consent(*rel).await?;
        match view.map(|view| view.revoked) {
            Some(None) => Ok(row),
            Some(Some(at)) => {
                self.inner.store.end_consent(rel, at).await?;
                Err(ConsentError::Revoked.into())
            }
            None => Err(AgencyError::GrantUnknown),
        }
    }

    fn kept(&self, row: &ConsentRow) -> Result<Kept, AgencyError> {
        let sealed = row.sealed.as_deref().ok_or(ConsentError::Revoked)?;
        Ok(self.inner.store.key().open("consent", &row.rel.0, sealed)?)
    }

    pub(crate) fn open_consent(&self, row: &ConsentRow) -> Result<OpenedConsent, AgencyError> {
        let kept = self.kept(row)?;
        let key = etibar_credential::jose::PublicKey::from_jwk(&kept.consumer_key)
            .map_err(|_| AgencyError::Credential("consumer key"))?;
        Ok(OpenedConsent { artefact: Artefact::verify(&kept.artefact.0, &key)?, fin: kept.fin })
    }

    /// Whether another fetch is due: once, after a notice, or after some days.
    async fn check_frequency(
        &self,
        artefact: &Artefact,
        row: &ConsentRow,
        now: BlockTime,
    ) -> Result<(), AgencyError> {
        let Some(last) = self.inner.store.last_receipt(&row.rel).await? else { return Ok(()) };
        let due = match artefact.terms().fetch {
            Fetch::Once => false,
            Fetch::OnChange => self.inner.store.has_open_notice(&row.rel).await?,
            Fetch::Periodic { every_days } => {
                now.since(last).0 >= u64::from(every_days) * 86_400_000
            }
        };
        if due { Ok(()) } else { Err(AgencyError::FetchNotDue) }
    }

    /// What the register tells of the person, cut down to the claims that were asked for.
    async fn content(
        &self,
        fin: &Fin,
        vct: &str,
        paths: &[ClaimPath],
        now: BlockTime,
    ) -> Result<Zeroizing<Vec<u8>>, AgencyError> {
        let known = catalogue::credential_type(vct).ok_or(AgencyError::RecordUnknown)?;
        let records = self.inner.register.held_by(vct, fin).await?;
        let today = Date::of(now);
        let in_force = records.iter().filter(|record| record.is_in_force(today));
        let cut: Vec<Value> = in_force
            .map(|record| {
                let claims = Value::Object(attested(known, record));
                Value::Object(select(&claims, paths))
            })
            .collect();
        if cut.is_empty() {
            return Err(AgencyError::RecordUnknown);
        }
        let content = json!({ "vct": vct, "as_of": now, "records": cut });
        Ok(Zeroizing::new(serde_json::to_vec(&content).expect("plain data becomes JSON")))
    }

    /// Writes the receipt with the next number of its relationship, and the answer with it.
    /// `place`: the relationship, the request, and the person's tag.
    pub(crate) async fn log(
        &self,
        place: (&Digest, OperationId, &Digest),
        draft: Receipt,
        envelope: String,
    ) -> Result<ReceiptRow, AgencyError> {
        let key = self.inner.store.key();
        let signer = &*self.inner.setup.signer;
        let asked = draft.request_hash;
        let sealed_row = receipt_row(place.0, place.1);
        self.inner
            .store
            .append_receipt(place, draft.time, |sequence, before| {
                let previous = before.unwrap_or(Digest::ZERO);
                let jws = Receipt { sequence, previous, ..draft }.sign(signer)?;
                let leaf = receipt_digest(&jws);
                let kept = KeptReceipt { jws, envelope, request: asked };
                let sealed = key.seal("receipt", &sealed_row, &kept);
                Ok::<_, AgencyError>(NewReceipt { leaf, sealed })
            })
            .await
    }

    pub(crate) fn kept_receipt(&self, row: &ReceiptRow) -> Result<KeptReceipt, AgencyError> {
        let place = receipt_row(&row.rel, row.request);
        Ok(self.inner.store.key().open("receipt", &place, &row.sealed)?)
    }

    fn answer_again(&self, row: &ReceiptRow, asked: &Digest) -> Result<DataAnswer, AgencyError> {
        let kept = self.kept_receipt(row)?;
        if kept.request != *asked {
            return Err(AgencyError::IdReused);
        }
        Ok(DataAnswer { id: row.request, envelope: kept.envelope, receipt: kept.jws })
    }

    /// `POST /v1/receipts`: the consumer's signature under a receipt.
    pub async fn acknowledge(
        &self,
        caller: MemberId,
        request: &ReceiptAcknowledgement,
    ) -> Result<ReceiptAcknowledged, AgencyError> {
        let row = self.inner.store.receipt(&request.rel, request.id).await?;
        let row = row.ok_or(AgencyError::ReceiptUnknown)?;
        let kept = self.kept_receipt(&row)?;
        let (receipt, _) = Receipt::peek(&kept.jws)?;
        if receipt.requester != caller {
            return Err(AgencyError::ReceiptUnknown);
        }
        let chain = evidence::counter_signature_chain(&request.counter_signature)?;
        let registry = self.registry().await?;
        let now = self.now().into();
        let (chain, entry) = registry.verify_chain(&chain, RELYING_PARTY_TYPE, now)?;
        if entry.member != caller {
            return Err(AgencyError::ReceiptUnknown);
        }
        evidence::check_counter_signature(
            &request.counter_signature,
            &kept.jws,
            caller,
            &chain.leaf_key,
        )?;
        let place = receipt_row(&row.rel, row.request);
        let text = &request.counter_signature;
        let sealed = self.inner.store.key().seal("counter-signature", &place, text);
        self.inner.store.counter_sign(&row.rel, row.request, &sealed).await?;
        Ok(ReceiptAcknowledged { id: request.id })
    }

    /// `POST /v1/revocations`: the consumer says that a consent has ended. The ledger's word
    /// counts; a repeat changes nothing.
    pub async fn revoked(
        &self,
        caller: MemberId,
        notice: &RevocationNotice,
    ) -> Result<(), AgencyError> {
        let row = self.inner.store.consent(&notice.rel).await?;
        let row = row.filter(|row| row.consumer == caller).ok_or(AgencyError::ConsentUnknown)?;
        if row.ended.is_some() {
            return Ok(());
        }
        let view = self.inner.ledger.consent(row.rel).await?;
        let ended = view.and_then(|view| view.revoked).ok_or(AgencyError::ConsentStands)?;
        Ok(self.inner.store.end_consent(&row.rel, ended).await?)
    }
}

/// The row that a receipt's sealed parts are bound to.
pub(crate) fn receipt_row(rel: &Digest, request: etibar_primitives::OperationId) -> Vec<u8> {
    [rel.0.as_slice(), &request.to_bytes()].concat()
}

fn paths_of(claims: &[String]) -> Result<Vec<ClaimPath>, AgencyError> {
    let path = |claim: &String| {
        let steps: Vec<&str> = claim.split('.').collect();
        let sound = steps.len() <= PATH_STEPS_MAX && steps.iter().all(|step| !step.is_empty());
        sound.then(|| ClaimPath::of(&steps)).ok_or(AgencyError::ClaimUnknown)
    };
    claims.iter().map(path).collect()
}

/// The claims at `paths`, each where it was.
fn select(claims: &Value, paths: &[ClaimPath]) -> Map<String, Value> {
    let mut selected = Map::new();
    for path in paths {
        let names: Vec<&str> = path
            .steps()
            .iter()
            .filter_map(|step| match step {
                etibar_credential::sd_jwt::Step::Name(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let found = names.iter().try_fold(claims, |at, name| at.get(*name));
        let Some((last, objects)) = names.split_last() else { continue };
        let Some(found) = found else { continue };
        let place = objects.iter().try_fold(&mut selected, |at, name| {
            at.entry(*name).or_insert_with(|| json!({})).as_object_mut()
        });
        if let Some(place) = place {
            place.insert((*last).to_owned(), found.clone());
        }
    }
    selected
}
