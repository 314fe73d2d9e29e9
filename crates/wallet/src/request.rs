//! Requests: how they come, how they are checked, and the one screen that shows them.

use etibar_client::clock;
use etibar_credential::{
    catalogue::{self, Language, PurposeCode, RELYING_PARTY_TYPE},
    consent::{self, Artefact, ConsentError, Terms},
    purpose::{CredentialAsk, PurposeError, asks_of},
    trust::TrustRegistry,
};
use etibar_openid::{
    dcql::CredentialQuery,
    http::{JSON, Request},
    vp::{
        RequestReference,
        holder::{CheckedRequest, check_request, fetch},
    },
};
use etibar_primitives::{BlockTime, MemberId};
use serde::Deserialize;
use serde_json::json;

use crate::{
    WalletError,
    envelope::names_member,
    holder::{Holder, PAIRWISE, PID, in_force},
    id::EntryId,
    issue::entropy,
    label,
    record::{CredentialRecord, RequestRecord},
    screen::{ConsentScreen, Obstacle, Part, Requester},
    store::Kind,
    view::{CredentialState, Source},
};

/// Requests that wait for one person; more are refused until some have ended.
const REQUESTS_MAX: usize = 20;

/// What a bank answers to a new session.
#[derive(Deserialize)]
struct Created {
    id: String,
    request_uri: String,
}

/// A request with all that was checked about it.
pub(crate) struct Checked {
    pub(crate) request: CheckedRequest,
    /// The artefacts of the consents that the answer signs, in their order.
    pub(crate) artefacts: Vec<(String, Artefact)>,
}

impl Holder {
    /// Asks a bank to open an account: the bank's request for data, to be shown and approved.
    pub async fn open_account(
        &self,
        bank: MemberId,
        product: &str,
        language: Language,
    ) -> Result<EntryId, WalletError> {
        let members = &self.wallet.inner.members;
        let url = format!("{}/v1/onboarding/sessions", members.url(bank)?);
        let body = json!({ "product": product, "language": language.tag() });
        let body = serde_json::to_vec(&body).expect("plain data becomes JSON");
        let answer = members.send(bank, Request::post(&url, JSON, body)).await?;
        let answer = crate::members::accepted(bank, answer)?;
        let what = "onboarding session";
        let created: Option<Created> = answer.read();
        let created = created.ok_or(WalletError::Answer { member: bank.0, what })?;
        let reference = RequestReference::parse(&created.request_uri);
        let reference = reference.ok_or(WalletError::Answer { member: bank.0, what })?;
        self.receive(reference, Some((created.id, product.to_owned()))).await
    }

    /// Takes a request by its link (`openid4vp://…`).
    ///
    /// # Errors
    /// [`WalletError::RequesterUntrusted`], [`WalletError::ExceedsPurpose`],
    /// [`WalletError::PurposeUnknown`]: such a request is not even shown as approvable.
    pub async fn open_request(&self, link: &str) -> Result<EntryId, WalletError> {
        let reference = RequestReference::parse(link);
        self.receive(reference.ok_or(WalletError::RequestMalformed("link"))?, None).await
    }

    async fn receive(
        &self,
        reference: RequestReference,
        session: Option<(String, String)>,
    ) -> Result<EntryId, WalletError> {
        let open: Vec<(EntryId, RequestRecord)> = self.records.all(Kind::Request).await?;
        let now = clock::now();
        for (id, record) in &open {
            if !is_answered(record) && record.expires <= now {
                self.records.remove(Kind::Request, *id).await?;
            }
        }
        let waits = |record: &&(EntryId, RequestRecord)| {
            record.1.outcome.is_none() && record.1.expires > now
        };
        if open.iter().filter(waits).count() >= REQUESTS_MAX {
            return Err(WalletError::TooMuch);
        }
        let (record, _) = self.wallet.fetch_request(reference, session).await?;
        let id = EntryId::random();
        self.records.put(Kind::Request, id, &record, now).await?;
        Ok(id)
    }

    /// The one screen of a request, in `language`.
    pub async fn consent_screen(
        &self,
        request: EntryId,
        language: Language,
    ) -> Result<ConsentScreen, WalletError> {
        let record = self.request(request).await?;
        let checked = self.wallet.check(&record).await?;
        self.screen(request, &record, &checked, language).await
    }

    /// Whether a request was approved: then [`Holder::outcome`] says what came of it.
    pub async fn is_answered(&self, request: EntryId) -> Result<bool, WalletError> {
        Ok(is_answered(&self.request(request).await?))
    }

    /// Requests that were answered and whose end the wallet does not know yet: it was closed
    /// half-way, or the bank had not ended when it last heard. [`Holder::outcome`] asks.
    pub async fn unfinished(&self) -> Result<Vec<EntryId>, WalletError> {
        let all: Vec<(EntryId, RequestRecord)> = self.records.all(Kind::Request).await?;
        let ended = |its: &RequestRecord| its.outcome.as_ref().is_some_and(|end| !end.under_way);
        let open = |record: &RequestRecord| is_answered(record) && !ended(record);
        Ok(all.into_iter().filter(|(_, its)| open(its)).map(|(id, _)| id).collect())
    }

    pub(crate) async fn request(&self, id: EntryId) -> Result<RequestRecord, WalletError> {
        let record = self.records.get(Kind::Request, id).await?;
        record.ok_or(WalletError::EntryUnknown)
    }

    pub(crate) async fn screen(
        &self,
        id: EntryId,
        record: &RequestRecord,
        checked: &Checked,
        language: Language,
    ) -> Result<ConsentScreen, WalletError> {
        let held: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let verifier = checked.request.verifier();
        let serving: Vec<&CredentialRecord> = held
            .iter()
            .map(|(_, record)| record)
            .filter(|record| serves(record, verifier, clock::now()))
            .collect();
        // An identity that the register ended is renewed with the gesture that approves.
        let renews = held.iter().any(|(_, its)| {
            its.vct == PID && in_force(its, clock::now()) == CredentialState::Revoked
        });
        let asks = asks_shown(checked, &serving, renews)?;
        let obstacle = obstacle(record, checked, &serving, renews, language);
        Ok(ConsentScreen {
            request: id,
            language,
            who: Requester { member: verifier, name: self.wallet.inner.members.name(verifier) },
            parts: parts(checked, record, language)?,
            sources: asks.iter().map(|ask| source(ask, &serving, language)).collect(),
            obstacle,
        })
    }
}

impl crate::Wallet {
    /// Fetches a request object and checks it.
    pub(crate) async fn fetch_request(
        &self,
        reference: RequestReference,
        session: Option<(String, String)>,
    ) -> Result<(RequestRecord, Checked), WalletError> {
        let members = &self.inner.members;
        let from = members.at(&reference.request_uri).map(|member| member.id);
        let from = from.ok_or(WalletError::RequesterUntrusted("requester_unknown"))?;
        let wallet_nonce = entropy().text("wallet/nonce");
        let answer = members.send(from, fetch(&reference, &wallet_nonce)).await?;
        let answer = crate::members::accepted(from, answer)?;
        let jws = String::from_utf8(answer.body)
            .map_err(|_| WalletError::RequestMalformed("request_object"))?;
        let (session, product) = session.unzip();
        let mut record = RequestRecord {
            requester: from,
            request: jws,
            reference,
            wallet_nonce,
            session,
            product,
            expires: BlockTime(0),
            came: clock::now(),
            outcome: None,
            given: Vec::new(),
        };
        let checked = self.check(&record).await?;
        record.requester = checked.request.verifier();
        record.expires = BlockTime(checked.request.claims().exp.saturating_mul(1_000));
        Ok((record, checked))
    }

    /// Checks a request as of the moment it came: sender, form, consents, purpose.
    pub(crate) async fn check(&self, record: &RequestRecord) -> Result<Checked, WalletError> {
        let registry = self.registry().await?;
        let request = check_request(
            record.request.trim(),
            &record.reference,
            &record.wallet_nonce,
            &registry,
            record.came,
        );
        let request = request.map_err(|error| WalletError::RequesterUntrusted(error.code()))?;
        let mut artefacts = Vec::new();
        for entry in request.consents() {
            let artefact = artefact(&entry.consent, &request, &registry, record.came)?;
            artefacts.push((entry.consent.clone(), artefact));
        }
        let codes: Vec<PurposeCode> =
            artefacts.iter().map(|(_, artefact)| artefact.terms().purpose).collect();
        let codes = if codes.is_empty() { vec![PurposeCode::AGENCY_SIGN_IN] } else { codes };
        self.check_purposes(&codes, &artefacts).await?;
        // What is presented must fit the first purpose, also where a consent names less.
        request.check_purpose(codes[0]).map_err(|error| purpose_error(&error))?;
        Ok(Checked { request, artefacts })
    }

    /// Compares each purpose with the ledger's registry: registered, in force, the same document,
    /// and no wider than registered.
    async fn check_purposes(
        &self,
        codes: &[PurposeCode],
        artefacts: &[(String, Artefact)],
    ) -> Result<(), WalletError> {
        let registered = self.inner.client.purposes().await?;
        for (at, code) in codes.iter().enumerate() {
            let known = registered.iter().find(|its| its.code.0 == code.0);
            let known = known.filter(|its| its.retired.is_none());
            let known = known.ok_or(WalletError::PurposeUnknown)?;
            let document = catalogue::purpose(*code).map(catalogue::Purpose::digest);
            if document != Some(known.document) {
                return Err(WalletError::PurposeUnknown);
            }
            let Some((_, artefact)) = artefacts.get(at) else { continue };
            let allowed = catalogue::Scope(known.scope.0);
            if !artefact.scope().is_within(allowed) {
                return Err(WalletError::ExceedsPurpose(String::new()));
            }
        }
        Ok(())
    }
}

/// Reads a consent that its consumer, the one who asks, signed.
fn artefact(
    jws: &str,
    request: &CheckedRequest,
    registry: &TrustRegistry,
    at: BlockTime,
) -> Result<Artefact, WalletError> {
    let refused = |error: &ConsentError| match error {
        ConsentError::Purpose(error) => purpose_error(error),
        error => WalletError::RequestMalformed(error.code()),
    };
    let (claimed, chain) = consent::chain(jws).map_err(|error| refused(&error))?;
    let verified = registry.verify_chain(&chain, RELYING_PARTY_TYPE, at.into());
    let (chain, entry) = verified.map_err(|error| WalletError::RequesterUntrusted(error.code()))?;
    if entry.member != request.verifier() || claimed != request.verifier() {
        return Err(WalletError::RequesterUntrusted("consent_of_another_member"));
    }
    Artefact::verify(jws, &chain.leaf_key).map_err(|error| refused(&error))
}

fn purpose_error(error: &PurposeError) -> WalletError {
    match error {
        PurposeError::Exceeds { vct, claim } => {
            WalletError::ExceedsPurpose(format!("{vct} {claim}"))
        }
        PurposeError::UnknownPurpose(_) => WalletError::PurposeUnknown,
        error => WalletError::RequestMalformed(error.code()),
    }
}

/// Whether a credential can be shown to `verifier` now.
pub(crate) fn serves(record: &CredentialRecord, verifier: MemberId, now: BlockTime) -> bool {
    let for_it = record.vct != PAIRWISE || names_member(&record.claims, verifier);
    // A bank's own credential cannot be fetched anew: without an unused instance it serves nobody.
    let known = catalogue::credential_type(&record.vct);
    let of_bank = known.is_some_and(|known| matches!(known.issuer, catalogue::IssuerKind::Bank));
    let unused =
        |its: &crate::record::Instance| its.shown_to.is_none_or(|member| member == verifier);
    let lasts = !of_bank || record.instances.iter().any(unused);
    for_it && lasts && in_force(record, now) == CredentialState::Valid
}

/// Whether the wallet can get what a credential query asks for: it has it, or an agency issues it,
/// or it is the identity and that is renewed first.
pub(crate) fn obtainable(
    query: &CredentialQuery,
    serving: &[&CredentialRecord],
    renews: bool,
) -> bool {
    query.meta.vct_values.iter().any(|vct| {
        let held = serving.iter().any(|record| record.vct == *vct);
        held || fetchable(vct) || (renews && vct == PID)
    })
}

/// Whether an agency issues the type on the person's request.
pub(crate) fn fetchable(vct: &str) -> bool {
    let known = catalogue::credential_type(vct);
    vct != PID
        && vct != PAIRWISE
        && known.is_some_and(|known| matches!(known.issuer, catalogue::IssuerKind::Agency(_)))
}

/// What the person is shown: all that is presented, and all that the consents let be fetched.
fn asks_shown(
    checked: &Checked,
    serving: &[&CredentialRecord],
    renews: bool,
) -> Result<Vec<CredentialAsk>, WalletError> {
    let query = &checked.request.claims().dcql_query;
    let answered = query
        .choose(|id| query.credential(id).is_some_and(|its| obtainable(its, serving, renews)))
        .unwrap_or_default();
    let mut only = query.clone();
    only.credentials.retain(|its| answered.is_empty() || answered.contains(&its.id));
    only.credential_sets = None;
    let presented = serde_json::to_value(&only).expect("a query is plain data");
    let mut asks = asks_of(&presented).map_err(|error| purpose_error(&error))?;
    for (_, artefact) in &checked.artefacts {
        for ask in artefact.asks() {
            let shown = serving.iter().any(|record| record.vct == ask.vct) || fetchable(&ask.vct);
            match asks.iter_mut().find(|known| known.vct == ask.vct) {
                Some(known) => {
                    let new = ask.paths.iter().filter(|path| !known.paths.contains(path));
                    let new: Vec<_> = new.cloned().collect();
                    known.paths.extend(new);
                }
                None if shown => asks.push(ask.clone()),
                None => {}
            }
        }
    }
    // The number by which a bank knows the person means nothing to people.
    asks.retain(|ask| ask.vct != PAIRWISE);
    Ok(asks)
}

fn source(ask: &CredentialAsk, serving: &[&CredentialRecord], language: Language) -> Source {
    let held = serving.iter().find(|record| record.vct == ask.vct);
    Source {
        from: label::issuer(&ask.vct, language).unwrap_or_default(),
        title: label::title(&ask.vct, language),
        held: held.is_some(),
        claims: label::asked(&ask.vct, &ask.paths, held.map(|its| &its.claims), language),
    }
}

/// The consents, or the presentation alone, in `language`.
fn parts(
    checked: &Checked,
    record: &RequestRecord,
    language: Language,
) -> Result<Vec<Part>, WalletError> {
    let malformed = |_| WalletError::RequestMalformed("consent_malformed");
    let mut parts = Vec::new();
    for (_, signed) in &checked.artefacts {
        let terms = Terms { language, ..signed.terms().clone() };
        let translated = Artefact::draw_up(terms).map_err(malformed)?;
        let purpose =
            catalogue::purpose(signed.terms().purpose).ok_or(WalletError::PurposeUnknown)?;
        let text = translated.text();
        parts.push(Part {
            purpose: purpose.code.0,
            title: purpose.title.in_language(language).to_owned(),
            text: purpose.text.in_language(language).to_owned(),
            until: BlockTime(signed.terms().expires.0.saturating_mul(1_000)),
            term: text.term.clone(),
            disposal: text.disposal.clone(),
            law: text.law.clone(),
            signed_text: signed.text().canonical().lines().map(str::to_owned).collect(),
        });
    }
    if parts.is_empty() {
        let sign_in = catalogue::purpose(PurposeCode::AGENCY_SIGN_IN);
        let purpose = sign_in.ok_or(WalletError::PurposeUnknown)?;
        let basis = purpose.lawful_basis.in_language(language);
        let kept = purpose.retention.text.in_language(language);
        parts.push(Part {
            purpose: purpose.code.0,
            title: purpose.title.in_language(language).to_owned(),
            text: purpose.text.in_language(language).to_owned(),
            until: record.expires,
            term: String::new(),
            disposal: String::new(),
            law: format!("{basis} {kept}"),
            signed_text: Vec::new(),
        });
    }
    Ok(parts)
}

/// Whether the person's answer went out, even if nobody knows yet what came of it.
pub(crate) fn is_answered(record: &RequestRecord) -> bool {
    record.outcome.is_some() || !record.given.is_empty()
}

fn obstacle(
    record: &RequestRecord,
    checked: &Checked,
    serving: &[&CredentialRecord],
    renews: bool,
    language: Language,
) -> Option<Obstacle> {
    let now = clock::now();
    if is_answered(record) || record.expires <= now {
        return Some(Obstacle::Ended);
    }
    let pid = serving.iter().find(|its| its.vct == PID);
    let cooldown = pid.and_then(|pid| pid.claims.get("cooldown_until")?.as_u64());
    let until = BlockTime(cooldown.unwrap_or(0).saturating_mul(1_000));
    if until > now && !checked.artefacts.is_empty() {
        return Some(Obstacle::CoolingDown { until });
    }
    let query = &checked.request.claims().dcql_query;
    let lacks: Vec<String> = query
        .credentials
        .iter()
        .filter(|its| !obtainable(its, serving, renews))
        .filter_map(|its| Some(label::title(its.meta.vct_values.first()?, language)))
        .collect();
    let answerable =
        |id: &str| query.credential(id).is_some_and(|its| obtainable(its, serving, renews));
    match query.choose(answerable) {
        Some(_) => None,
        None => Some(Obstacle::Missing { credentials: lacks }),
    }
}
