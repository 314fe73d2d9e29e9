//! Presenting: one gesture fetches what is missing, presents, consents, and waits for the result.

use std::time::{Duration, Instant};

use etibar_client::clock;
use etibar_credential::{catalogue::Language, sd_jwt::ClaimPath};
use etibar_openid::{
    Private,
    dcql::Candidate,
    http::{JSON, Request},
    vp::RequestReference,
};
use etibar_primitives::{Digest, MemberId, OperationId};
use serde::Deserialize;

use crate::{
    WalletError,
    envelope::{missing, pick},
    gesture::{Action, Gesture},
    holder::{Holder, PID},
    id::EntryId,
    issue::{Issuance, REDIRECT_URI},
    members::accepted,
    record::{ConsentRecord, CredentialRecord, RequestRecord},
    request::{Checked, fetchable, is_answered, obtainable, serves},
    screen::ConsentScreen,
    store::Kind,
    view::{AccountView, Notice, NoticeKind, Outcome, Proof},
};

/// How long the wallet waits for a bank to finish an opening.
const OPENING_WAIT: Duration = Duration::from_secs(30);
/// The state of an application that people at the bank examine: nobody waits for that.
const EXAMINING: &str = "examining";
/// How long one question about it may be held at the bank, in milliseconds.
const SESSION_WAIT_MS: u64 = 5_000;
/// Unused instances of the identity below which more are fetched.
const INSTANCES_MIN: usize = 1;
/// The state of a session that ended as it should.
const DONE: &str = "done";
/// Redirects that an agency's authorization may take.
const REDIRECTS_MAX: usize = 4;

/// A bank's session as it answers.
#[derive(Deserialize)]
struct SessionAnswer {
    state: String,
    is_final: bool,
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default)]
    iban: Option<Private<String>>,
    #[serde(default)]
    kyc_offer: Option<String>,
    #[serde(default)]
    consents: Vec<Given>,
}

/// A consent as the bank gives it back.
#[derive(Deserialize)]
struct Given {
    rel: Digest,
    granted_by: OperationId,
}

/// A credential to be presented, with the claims to disclose.
pub(crate) struct Chosen {
    pub(crate) query: String,
    pub(crate) entry: EntryId,
    pub(crate) at: usize,
    pub(crate) disclose: Vec<ClaimPath>,
}

impl Holder {
    /// Presents what the request's screen shows and consents to it, waits for the result, and
    /// keeps the consents with their evidence.
    ///
    /// # Errors
    /// [`WalletError::GestureOther`] when another screen was approved;
    /// [`WalletError::ScreenChanged`] when the identity had to be renewed and the screen now shows
    /// something else. After [`WalletError::Unreachable`] the consent may stand: it is kept and
    /// can be withdrawn.
    pub async fn approve(
        &self,
        request: EntryId,
        gesture: &Gesture,
    ) -> Result<Outcome, WalletError> {
        let began = Instant::now();
        let turn = self.wallet.inner.answering.begin(request);
        let turn = turn.ok_or(WalletError::RequestEnded)?;
        let mut record = self.request(request).await?;
        let checked = self.wallet.check(&record).await?;
        let mut screen = self.approved(request, &record, &checked, gesture).await?;
        if screen.obstacle.is_none() && self.bring_up_to_date(&checked).await? {
            // What is presented is what was seen: a new address is shown before it is given.
            let again = self.approved(request, &record, &checked, gesture).await;
            screen = again.map_err(|error| match error {
                WalletError::GestureOther => WalletError::ScreenChanged,
                error => error,
            })?;
        }
        if screen.obstacle.is_some() {
            return Err(WalletError::RequestEnded);
        }
        let chosen = self.choose(&checked).await?;
        self.keep_consents((request, &mut record), &checked, &screen, gesture).await?;
        let sent = self.send(&checked, &chosen).await;
        self.note_sent(request, &mut record, sent).await?;
        drop(turn);
        self.finish(request, record, Some(began)).await
    }

    /// Waits for what comes of an approved request, and keeps it. Who comes back later is not told
    /// how long it took.
    async fn finish(
        &self,
        request: EntryId,
        mut record: RequestRecord,
        began: Option<Instant>,
    ) -> Result<Outcome, WalletError> {
        let mut outcome = Outcome {
            who: self.wallet.inner.members.name(record.requester),
            product: record.product.clone(),
            account: None,
            pending: None,
            under_way: false,
            proofs: Vec::new(),
            elapsed_ms: 0,
            kyc: false,
        };
        if let Some(session) = &record.session {
            self.conclude(request, &record, session, &mut outcome).await?;
        }
        let took = began.map_or(0, |began| began.elapsed().as_millis());
        outcome.elapsed_ms = u64::try_from(took).unwrap_or(u64::MAX);
        record.outcome = Some(outcome.clone());
        self.records.put(Kind::Request, request, &record, clock::now()).await?;
        Ok(outcome)
    }

    /// Says no: the requester hears it, and the request is forgotten.
    pub async fn decline(&self, request: EntryId) -> Result<(), WalletError> {
        let record = self.request(request).await?;
        if is_answered(&record) && record.outcome.is_none() {
            return Err(WalletError::RequestEnded);
        }
        if record.outcome.is_none()
            && let Ok(checked) = self.wallet.check(&record).await
        {
            let verifier = checked.request.verifier();
            let sent = self.wallet.inner.members.send(verifier, checked.request.decline()).await;
            // The requester's session ends by itself when it does not hear.
            if let Err(error) = sent {
                tracing::info!(code = error.code(), "a requester did not hear the refusal");
            }
        }
        Ok(self.records.remove(Kind::Request, request).await?)
    }

    /// What came of a request, and the consent that it gave. A wallet that was closed half-way
    /// sends here what it had not sent, and asks the bank how it ended, as does one whose
    /// application the bank examines.
    ///
    /// # Errors
    /// [`WalletError::ScreenChanged`] when what was approved would by now say something else.
    pub async fn outcome(
        &self,
        request: EntryId,
    ) -> Result<(Outcome, Option<EntryId>), WalletError> {
        let mut record = self.request(request).await?;
        let consent = record.given.first().copied();
        if let Some(outcome) = record.outcome.as_ref().filter(|its| !its.under_way) {
            return Ok((outcome.clone(), consent));
        }
        if !is_answered(&record) {
            return Err(WalletError::EntryUnknown);
        }
        self.resume_answer(request, &mut record).await?;
        Ok((self.finish(request, record, None).await?, consent))
    }

    /// The screen that the gesture is over, in whichever language it was shown.
    async fn approved(
        &self,
        request: EntryId,
        record: &RequestRecord,
        checked: &Checked,
        gesture: &Gesture,
    ) -> Result<ConsentScreen, WalletError> {
        let own = self.language().await?.unwrap_or(Language::Az);
        for language in [own].into_iter().chain(Language::ALL) {
            let screen = self.screen(request, record, checked, language).await?;
            let action = Action::Approve { request, screen: screen.digest() };
            if gesture.check(self.person(), &action).is_ok() {
                return Ok(screen);
            }
        }
        Err(WalletError::GestureOther)
    }

    /// Chooses a fresh instance for everything asked; what the wallet lacks is fetched first.
    pub(crate) async fn choose(&self, checked: &Checked) -> Result<Vec<Chosen>, WalletError> {
        let verifier = checked.request.verifier();
        let query = &checked.request.claims().dcql_query;
        self.top_up().await;
        let held = self.serving(verifier).await?;
        let records: Vec<&CredentialRecord> = held.iter().map(|(_, record)| record).collect();
        let answered = query
            .choose(|id| query.credential(id).is_some_and(|its| obtainable(its, &records, false)))
            .ok_or_else(|| missing(PID))?;
        for id in &answered {
            let Some(its) = query.credential(id) else { continue };
            let usable = |vct: &String| {
                records.iter().any(|held| held.vct == *vct && pick(held, verifier).is_some())
            };
            if !its.meta.vct_values.iter().any(usable) {
                let vct = its.meta.vct_values.iter().find(|vct| fetchable(vct) || *vct == PID);
                self.fetch(vct.ok_or_else(|| missing(id))?).await?;
            }
        }
        let held = self.serving(verifier).await?;
        let mut chosen = Vec::new();
        for id in answered {
            let Some(its) = query.credential(&id) else { continue };
            let best = held.iter().find_map(|(entry, record)| {
                let candidate = Candidate { vct: &record.vct, claims: &record.claims };
                let disclose = its.answer(candidate).ok()?;
                let at = pick(record, verifier)?;
                Some(Chosen { query: id.clone(), entry: *entry, at, disclose })
            });
            let vct = its.meta.vct_values.first().map_or("", String::as_str);
            chosen.push(best.ok_or_else(|| missing(vct))?);
        }
        Ok(chosen)
    }

    /// Fetches fresh instances of the identity while there is still one to sign in with.
    async fn top_up(&self) {
        let Ok(Some((_, pid))) = self.find(PID).await else { return };
        let unused = pid.instances.iter().filter(|its| its.shown_to.is_none()).count();
        if unused > INSTANCES_MIN {
            return;
        }
        // What is left may still serve; if not, choosing says so.
        if let Err(error) = self.fetch(PID).await {
            tracing::info!(code = error.code(), "no fresh instances of the identity");
        }
    }

    /// Credentials that can be shown to `verifier`.
    pub(crate) async fn serving(
        &self,
        verifier: MemberId,
    ) -> Result<Vec<(EntryId, CredentialRecord)>, WalletError> {
        let mut held: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        held.retain(|(_, record)| serves(record, verifier, clock::now()));
        Ok(held)
    }

    /// Writes the consents down before they can take effect: none is ever without its evidence.
    async fn keep_consents(
        &self,
        (request, its): (EntryId, &mut RequestRecord),
        checked: &Checked,
        screen: &ConsentScreen,
        gesture: &Gesture,
    ) -> Result<(), WalletError> {
        let mut batch = self.records.batch();
        for (part, (jws, artefact)) in checked.artefacts.iter().enumerate() {
            let terms = artefact.terms();
            let record = ConsentRecord {
                consumer: terms.consumer.member,
                providers: terms.providers.iter().map(|its| its.member).collect(),
                rels: terms.providers.iter().map(|its| its.rel).collect(),
                part,
                artefact: jws.clone(),
                screen: screen.clone(),
                evidence: gesture.evidence.clone(),
                granted: clock::now(),
                expires: screen.parts[part].until,
                revoked: None,
                erasure: None,
                holds: Vec::new(),
                proofs: Vec::new(),
            };
            let id = EntryId::random();
            batch.put(Kind::Consent, id, &record);
            its.given.push(id);
        }
        batch.put(Kind::Request, request, its);
        Ok(batch.commit(clock::now()).await?)
    }

    /// Waits for the bank's result and keeps it: account, its own credential, proofs. Everything
    /// has the request's id: concluded again after a kill or by a second look, it is kept once.
    async fn conclude(
        &self,
        id: EntryId,
        request: &RequestRecord,
        session: &str,
        outcome: &mut Outcome,
    ) -> Result<(), WalletError> {
        let bank = request.requester;
        let answer = self.result(bank, session).await?;
        let now = clock::now();
        outcome.under_way = !answer.is_final;
        for given in &request.given {
            let Ok(mut consent) = self.consent(*given).await else { continue };
            let granted = answer.consents.iter().filter(|its| consent.rels.contains(&its.rel));
            let proof = |its: &Given| Proof { submitter: bank, operation: its.granted_by };
            consent.proofs = granted.map(proof).collect();
            outcome.proofs.extend(consent.proofs.iter().copied());
            if consent.proofs.is_empty() && answer.is_final {
                // The bank ended without a consent on the ledger: there is none.
                self.records.remove(Kind::Consent, *given).await?;
            } else {
                self.records.put(Kind::Consent, *given, &consent, now).await?;
            }
        }
        if let Some(Private(iban)) = answer.iban {
            let account = AccountView {
                id,
                bank: outcome.who.clone(),
                iban,
                product: request.product.clone().unwrap_or_default(),
                opened: now,
                consent: request.given.first().copied(),
            };
            self.records.put(Kind::Account, account.id, &account, now).await?;
            let kind =
                NoticeKind::AccountOpened { bank: account.bank.clone(), account: account.id };
            let notice = Notice { kind, at: now };
            self.records.put(Kind::Message, id, &notice, now).await?;
            outcome.account = Some(account);
        } else {
            let code = answer.reasons.into_iter().next().unwrap_or(answer.state);
            outcome.pending = Some(code).filter(|code| code != DONE);
        }
        if let Some(offer) = answer.kyc_offer {
            match self.redeem(bank, &offer, None).await {
                Ok(_) => outcome.kyc = true,
                // The account is open all the same; the offer stays with the bank.
                Err(error) => tracing::info!(code = error.code(), "an offer was not redeemed"),
            }
        }
        Ok(())
    }

    /// A bank's session once it will not move any more, or as it stands after some time.
    async fn result(&self, bank: MemberId, session: &str) -> Result<SessionAnswer, WalletError> {
        let members = &self.wallet.inner.members;
        let base = members.url(bank)?;
        let url = format!("{base}/v1/onboarding/sessions/{session}?wait_ms={SESSION_WAIT_MS}");
        let began = Instant::now();
        loop {
            let answer = members.send(bank, Request::get(&url, JSON)).await?;
            let answer = accepted(bank, answer)?;
            let what = "onboarding session";
            let read: Option<SessionAnswer> = answer.read();
            let read = read.ok_or(WalletError::Answer { member: bank.0, what })?;
            let rests = read.is_final || read.state == EXAMINING;
            if rests || began.elapsed() >= OPENING_WAIT {
                return Ok(read);
            }
        }
    }

    /// Answers an agency's request for the person's identity: the gesture that asked for the
    /// agency's credential, or for what needs it, covers it.
    async fn sign_in(&self, link: &str) -> Result<Option<String>, WalletError> {
        let reference = RequestReference::parse(link);
        let reference = reference.ok_or(WalletError::RequestMalformed("link"))?;
        let (_, checked) = self.wallet.fetch_request(reference, None).await?;
        if !checked.artefacts.is_empty() {
            return Err(WalletError::RequestMalformed("consent_in_sign_in"));
        }
        let query = &checked.request.claims().dcql_query;
        let only_pid = query.credentials.iter().all(|its| its.meta.vct_values == [PID]);
        if !only_pid {
            return Err(WalletError::ExceedsPurpose("agency_sign_in".to_owned()));
        }
        let (held, at) = self.identity_for(checked.request.verifier()).await?;
        let candidate = Candidate { vct: PID, claims: &held.1.claims };
        let mut chosen = Vec::new();
        for its in &query.credentials {
            let disclose = its.answer(candidate).map_err(|_| missing(PID))?;
            chosen.push(Chosen { query: its.id.clone(), entry: held.0, at, disclose });
        }
        Ok(self.send(&checked, &chosen).await?.redirect_uri)
    }
}

impl Holder {
    /// The identity to sign in with, and which of its instances: to its own issuer an ended one,
    /// too, which gets the successor if there is one. The issuer made every instance, so it learns
    /// nothing from any of them.
    async fn identity_for(
        &self,
        verifier: MemberId,
    ) -> Result<((EntryId, CredentialRecord), usize), WalletError> {
        if let Some(held) = self.find(PID).await? {
            let at = pick(&held.1, verifier).ok_or_else(|| missing(PID))?;
            return Ok((held, at));
        }
        let ended = self.ended_identity().await?.filter(|(_, its)| its.issuer == verifier);
        let held = ended.ok_or_else(|| missing(PID))?;
        let at = pick(&held.1, verifier).unwrap_or(0);
        Ok((held, at))
    }
}

impl Issuance<'_> {
    /// Authorizes an issuance by presenting the person's identity to the agency, without a
    /// browser: the agency's redirects are read, not opened.
    pub(crate) async fn authorize(
        &mut self,
        holder: &Holder,
        configuration: &str,
    ) -> Result<(), WalletError> {
        let mut url = self.push(configuration).await?;
        for _ in 0..REDIRECTS_MAX {
            if url.starts_with(REDIRECT_URI) {
                return self.redeem_code(&url).await;
            }
            if url.starts_with("openid4vp://") {
                let what = "redirect after the presentation";
                let next = holder.sign_in(&url).await?;
                url = next.ok_or(WalletError::Answer { member: self.issuer.0, what })?;
                continue;
            }
            let members = &self.wallet.inner.members;
            let answer = members.send(self.issuer, Request::get(&url, JSON)).await?;
            let answer = accepted(self.issuer, answer)?;
            let what = "redirect of an authorization";
            let next = answer.header("location").map(str::to_owned);
            url = next.ok_or(WalletError::Answer { member: self.issuer.0, what })?;
        }
        Err(WalletError::IssuerUntrusted("too_many_redirects"))
    }
}
