//! One person in the wallet: everything a person can do.

use std::collections::BTreeMap;

use etibar_client::clock;
use etibar_credential::{
    catalogue::{self, Category, Language},
    consent::{self, Artefact, Terms},
    purpose::CredentialAsk,
    sd_jwt::ClaimPath,
};
use etibar_primitives::BlockTime;
use serde_json::Value;

use crate::{
    Wallet, WalletError,
    gesture::{Action, Gesture},
    id::{EntryId, PersonId},
    label,
    record::{
        AccessesRecord, ConsentRecord, CredentialRecord, DeferredRecord, ProfileRecord,
        RequestRecord,
    },
    store::{Kind, PasskeyRow, Records},
    view::{
        AccessLog, AccountView, ConsentState, ConsentView, CredentialState, CredentialView, Home,
        IdentityCard, Notice, NoticeKind, Source,
    },
};

/// The type of the person's identity.
pub(crate) const PID: &str = "urn:az:pid:1";
/// The type of the number by which one bank knows the person.
pub(crate) const PAIRWISE: &str = "urn:az:pairwise:1";
/// Notices on the first page.
const NOTICES_MAX: usize = 8;

/// One person's side of the wallet. Cheap to clone.
#[derive(Clone)]
pub struct Holder {
    pub(crate) wallet: Wallet,
    pub(crate) records: Records,
}

impl Holder {
    pub(crate) const fn new(wallet: Wallet, records: Records) -> Self {
        Self { wallet, records }
    }

    /// Whose wallet.
    pub fn person(&self) -> PersonId {
        self.records.person()
    }

    /// What `navigator.credentials.get` takes so that the person agrees to `action`, as JSON.
    pub async fn ask(&self, action: Action) -> Result<String, WalletError> {
        let passkeys = self.passkeys().await?;
        let challenge = self.wallet.challenge(Some(self.person()), action);
        Ok(self.wallet.passkeys()?.request(&challenge, &passkeys)?)
    }

    /// Proof that the person agreed to what [`Holder::ask`] asked, by the browser's answer.
    pub async fn gesture(&self, answer: &str) -> Result<Gesture, WalletError> {
        let (person, gesture) = self.wallet.verify(answer).await?;
        if person != self.person() {
            return Err(WalletError::GestureOther);
        }
        Ok(gesture)
    }

    /// The person's passkeys.
    pub async fn passkeys(&self) -> Result<Vec<PasskeyRow>, WalletError> {
        Ok(self.wallet.inner.store.passkeys(self.person()).await?)
    }

    /// Deletes the wallet: the person's key, and with it everything.
    pub async fn delete(&self, gesture: &Gesture) -> Result<(), WalletError> {
        gesture.check(self.person(), &Action::Delete)?;
        Ok(self.wallet.inner.store.delete_person(self.person()).await?)
    }

    /// The language in which the person last read.
    pub async fn language(&self) -> Result<Option<Language>, WalletError> {
        Ok(self.profile().await?.map(|profile| profile.language))
    }

    /// Remembers the language.
    pub async fn set_language(&self, language: Language) -> Result<(), WalletError> {
        let known = self.profile().await?;
        if known.as_ref().is_some_and(|known| known.language == language) {
            return Ok(());
        }
        let (guardians, devices) =
            known.map(|known| (known.guardians, known.devices)).unwrap_or_default();
        self.keep_profile(&ProfileRecord { language, guardians, devices }).await
    }

    pub(crate) async fn profile(&self) -> Result<Option<ProfileRecord>, WalletError> {
        Ok(self.records.get(Kind::Profile, EntryId([0; 16])).await?)
    }

    /// The profile as it is kept next: with `change` made to it.
    pub(crate) async fn change_profile(
        &self,
        change: impl FnOnce(&mut ProfileRecord) + Send,
    ) -> Result<(), WalletError> {
        let new =
            || ProfileRecord { language: Language::Az, guardians: None, devices: BTreeMap::new() };
        let mut profile = self.profile().await?.unwrap_or_else(new);
        change(&mut profile);
        self.keep_profile(&profile).await
    }

    async fn keep_profile(&self, profile: &ProfileRecord) -> Result<(), WalletError> {
        let id = EntryId([0; 16]);
        Ok(self.records.put(Kind::Profile, id, profile, clock::now()).await?)
    }

    /// What stands on the first page.
    pub async fn home(&self, language: Language) -> Result<Home, WalletError> {
        let now = clock::now();
        let credentials: Vec<(EntryId, CredentialRecord)> =
            self.records.all(Kind::Credential).await?;
        let pid = credentials.iter().find(|(_, record)| record.vct == PID);
        let consents: Vec<(EntryId, ConsentRecord)> = self.records.all(Kind::Consent).await?;
        let active =
            |record: &&(EntryId, ConsentRecord)| state(&record.1, now) == ConsentState::Active;
        Ok(Home {
            card: pid.map(|(id, record)| card(*id, record, language, now)),
            inbox: self.inbox(now).await?,
            accounts: self.accounts().await?,
            consents_active: consents.iter().filter(active).count(),
            credentials: credentials.iter().filter(|(_, its)| its.vct != PAIRWISE).count(),
        })
    }

    /// Accounts that banks opened, the newest first.
    pub async fn accounts(&self) -> Result<Vec<AccountView>, WalletError> {
        let all: Vec<(EntryId, AccountView)> = self.records.all(Kind::Account).await?;
        Ok(all.into_iter().map(|(_, account)| account).collect())
    }

    /// The person's credentials; the banks' numbers are not shown, they mean nothing to people.
    pub async fn credentials(
        &self,
        language: Language,
    ) -> Result<Vec<CredentialView>, WalletError> {
        let now = clock::now();
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let mut views: Vec<_> = all
            .iter()
            .filter(|(_, record)| record.vct != PAIRWISE)
            .map(|(id, record)| self.credential_view(*id, record, language, now))
            .collect();
        let place = |vct: &str| catalogue::credential_types().iter().position(|its| its.vct == vct);
        views.sort_by_key(|view| place(&view.vct));
        Ok(views)
    }

    /// Types that an agency may have for the person and the wallet has not: the type's short
    /// name, its title and who issues it.
    pub async fn obtainable(
        &self,
        language: Language,
    ) -> Result<Vec<(&'static str, String, String)>, WalletError> {
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let ordered: Vec<(EntryId, DeferredRecord)> = self.records.all(Kind::Deferred).await?;
        let held = |vct: &str| {
            let waits = |its: &DeferredRecord| its.vct == vct && its.refused.is_none();
            all.iter().any(|(_, record)| record.vct == vct)
                || ordered.iter().any(|(_, record)| waits(record))
        };
        let from_agency = |known: &&catalogue::CredentialType| {
            matches!(known.issuer, catalogue::IssuerKind::Agency(row) if row > 1)
                && !held(&known.vct)
        };
        let named = |known: &catalogue::CredentialType| {
            let title = known.title.in_language(language).to_owned();
            (known.name, title, known.issuer_name.in_language(language).to_owned())
        };
        Ok(catalogue::credential_types().iter().filter(from_agency).map(named).collect())
    }

    /// The person's consents, the newest first.
    pub async fn consents(&self, language: Language) -> Result<Vec<ConsentView>, WalletError> {
        let now = clock::now();
        let mut all: Vec<(EntryId, ConsentRecord)> = self.records.all(Kind::Consent).await?;
        all.sort_by_key(|(_, record)| std::cmp::Reverse(record.granted));
        Ok(all.iter().map(|(id, record)| self.consent_view(*id, record, language, now)).collect())
    }

    /// Who accessed the person's data, as last verified.
    pub async fn access_log(&self, language: Language) -> Result<AccessLog, WalletError> {
        let record: Option<AccessesRecord> =
            self.records.get(Kind::Accesses, EntryId([0; 16])).await?;
        let Some(mut record) = record else { return Ok(AccessLog::default()) };
        for line in &mut record.lines {
            self.read_in(line, language);
        }
        Ok(AccessLog { checked: Some(record.checked), lines: record.lines, silent: record.silent })
    }

    async fn inbox(&self, now: BlockTime) -> Result<Vec<Notice>, WalletError> {
        let mut notices: Vec<Notice> = Vec::new();
        let requests: Vec<(EntryId, RequestRecord)> = self.records.all(Kind::Request).await?;
        for (request, record) in requests {
            let who = self.wallet.inner.members.name(record.requester);
            let kind = if crate::request::is_answered(&record) {
                NoticeKind::Unfinished { request, who }
            } else {
                NoticeKind::Request { request, who }
            };
            let waits = matches!(kind, NoticeKind::Unfinished { .. }) || record.expires > now;
            if record.outcome.is_none() && waits {
                notices.push(Notice { kind, at: record.came });
            } else if let Some(outcome) = record.outcome.filter(|its| its.under_way) {
                let kind = NoticeKind::UnderWay { request, who: outcome.who };
                notices.push(Notice { kind, at: record.came });
            }
        }
        let kept: Vec<(EntryId, Notice)> = self.records.all(Kind::Message).await?;
        notices.extend(kept.into_iter().map(|(_, notice)| notice));
        notices.sort_by_key(|notice| (rank(&notice.kind), std::cmp::Reverse(notice.at)));
        notices.truncate(NOTICES_MAX);
        Ok(notices)
    }

    fn credential_view(
        &self,
        id: EntryId,
        record: &CredentialRecord,
        language: Language,
        now: BlockTime,
    ) -> CredentialView {
        let fallback = || self.wallet.inner.members.name(record.issuer);
        let from_bank = catalogue::BANKS.contains(&record.issuer.0);
        let issuer = label::issuer(&record.vct, language).filter(|_| !from_bank);
        let unused = record.instances.iter().filter(|its| its.shown_to.is_none());
        CredentialView {
            id,
            vct: record.vct.clone(),
            title: label::title(&record.vct, language),
            issuer: issuer.unwrap_or_else(fallback),
            issued: record.issued,
            expires: record.expires,
            instances_left: unused.count(),
            state: in_force(record, now),
            claims: label::claims(&record.vct, &record.claims, language),
        }
    }

    fn consent_view(
        &self,
        id: EntryId,
        record: &ConsentRecord,
        language: Language,
        now: BlockTime,
    ) -> ConsentView {
        let part = record.screen.parts.get(record.part);
        let code = part.map_or(0, |part| part.purpose);
        let purpose = catalogue::purpose(catalogue::PurposeCode(code));
        let title = purpose.map(|its| its.title.in_language(language).to_owned());
        let text = purpose.map(|its| its.text.in_language(language).to_owned());
        let (sources, law) = said_in(record, language).unwrap_or_else(|| {
            let law = part.map(|part| part.law.clone()).unwrap_or_default();
            (record.screen.sources.clone(), law)
        });
        let holds = record.holds.iter();
        ConsentView {
            id,
            who: self.wallet.inner.members.name(record.consumer),
            member: record.consumer,
            purpose: title.unwrap_or_default(),
            purpose_text: text.unwrap_or_default(),
            sources,
            granted: record.granted,
            expires: record.expires,
            state: state(record, now),
            law,
            revoked: record.revoked,
            holds: holds.map(|(codes, until)| (categories(codes, language), *until)).collect(),
            erased: record.erasure.is_some(),
            proofs: record.proofs.clone(),
        }
    }
}

/// The inbox's order: action, then account, then news.
const fn rank(kind: &NoticeKind) -> u8 {
    match kind {
        NoticeKind::Request { .. }
        | NoticeKind::Tampered { .. }
        | NoticeKind::Unfinished { .. } => 0,
        NoticeKind::AccountOpened { .. } | NoticeKind::UnderWay { .. } => 1,
        NoticeKind::Reissued { .. } | NoticeKind::Issued { .. } => 2,
    }
}

/// What was shown of a consent and the law beside it, in words of `language`: drawn up again from
/// the artefact. `None` where the artefact cannot be read.
fn said_in(record: &ConsentRecord, language: Language) -> Option<(Vec<Source>, String)> {
    let terms = consent::terms(&record.artefact).ok()?;
    let artefact = Artefact::draw_up(Terms { language, ..terms }).ok()?;
    let shown = record.screen.sources.iter();
    let sources = shown.filter_map(|source| translated(source, &artefact, record, language));
    Some((sources.collect(), artefact.text().law.clone()))
}

/// A source as it was shown, in words of `language`: a consent may allow more than was shown, such
/// as one of two ways to answer.
fn translated(
    shown: &Source,
    artefact: &Artefact,
    record: &ConsentRecord,
    language: Language,
) -> Option<Source> {
    let then = record.screen.language;
    let of_source = |ask: &&CredentialAsk| label::title(&ask.vct, then) == shown.title;
    let asks: Vec<&CredentialAsk> = artefact.asks().iter().filter(of_source).collect();
    let vct = &asks.first()?.vct;
    let was_shown = |path: &&ClaimPath| {
        let claim = label::asked(vct, std::slice::from_ref(*path), None, then);
        claim.iter().any(|claim| shown.claims.iter().any(|its| its.label == claim.label))
    };
    let mut paths: Vec<ClaimPath> = Vec::new();
    for path in asks.iter().flat_map(|ask| &ask.paths).filter(was_shown) {
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    Some(Source {
        from: label::issuer(vct, language).unwrap_or_default(),
        title: label::title(vct, language),
        held: shown.held,
        claims: label::asked(vct, &paths, None, language),
    })
}

/// Categories as people read them; what is no category's code stays as it is.
fn categories(codes: &str, language: Language) -> String {
    let label = |code: &str| {
        let known = Category::from_code(code);
        known.map_or_else(|| code.to_owned(), |its| its.label(language).to_owned())
    };
    codes.split(',').map(str::trim).map(label).collect::<Vec<_>>().join(", ")
}

/// Whether a consent is in force.
pub(crate) fn state(record: &ConsentRecord, now: BlockTime) -> ConsentState {
    match record.revoked {
        Some(_) => ConsentState::Revoked,
        None if record.expires <= now => ConsentState::Expired,
        None => ConsentState::Active,
    }
}

/// Whether a credential can be presented.
pub(crate) fn in_force(record: &CredentialRecord, now: BlockTime) -> CredentialState {
    match record.state {
        CredentialState::Valid if record.expires <= now => CredentialState::Expired,
        state => state,
    }
}

fn card(
    id: EntryId,
    record: &CredentialRecord,
    language: Language,
    now: BlockTime,
) -> IdentityCard {
    let text =
        |name: &str| record.claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = [text("given_name"), text("patronymic"), text("family_name")];
    let fin = text("personal_administrative_number");
    let end = fin.char_indices().rev().nth(2).map_or(0, |(at, _)| at);
    let cooldown = record.claims.get("cooldown_until").and_then(Value::as_u64);
    IdentityCard {
        id,
        name: name.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" "),
        fin_end: fin[end..].to_owned(),
        birthdate: text("birthdate"),
        level: text("assurance_level"),
        document_expiry: text("document_expiry"),
        issuer: label::issuer(PID, language).unwrap_or_default(),
        cooldown_until: cooldown.map(|seconds| BlockTime(seconds.saturating_mul(1_000))),
        state: in_force(record, now),
    }
}
