//! One person in the wallet: everything a person can do.

use etibar_client::clock;
use etibar_credential::catalogue::{self, Language};
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
        IdentityCard, Notice, NoticeKind,
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
        let profile: Option<ProfileRecord> =
            self.records.get(Kind::Profile, EntryId([0; 16])).await?;
        Ok(profile.map(|profile| profile.language))
    }

    /// Remembers the language.
    pub async fn set_language(&self, language: Language) -> Result<(), WalletError> {
        let profile = ProfileRecord { language };
        let id = EntryId([0; 16]);
        Ok(self.records.put(Kind::Profile, id, &profile, clock::now()).await?)
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
    pub async fn access_log(&self) -> Result<AccessLog, WalletError> {
        let record: Option<AccessesRecord> =
            self.records.get(Kind::Accesses, EntryId([0; 16])).await?;
        Ok(record.map_or_else(AccessLog::default, |record| AccessLog {
            checked: Some(record.checked),
            lines: record.lines,
            silent: record.silent,
        }))
    }

    async fn inbox(&self, now: BlockTime) -> Result<Vec<Notice>, WalletError> {
        let mut notices: Vec<Notice> = Vec::new();
        let requests: Vec<(EntryId, RequestRecord)> = self.records.all(Kind::Request).await?;
        for (request, record) in requests {
            if !crate::request::is_answered(&record) && record.expires > now {
                let who = self.wallet.inner.members.name(record.requester);
                let kind = NoticeKind::Request { request, who };
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
        ConsentView {
            id,
            who: self.wallet.inner.members.name(record.consumer),
            member: record.consumer,
            purpose: title.unwrap_or_default(),
            purpose_text: text.unwrap_or_default(),
            sources: record.screen.sources.clone(),
            granted: record.granted,
            expires: record.expires,
            state: state(record, now),
            law: part.map(|part| part.law.clone()).unwrap_or_default(),
            revoked: record.revoked,
            holds: record.holds.clone(),
            erased: record.erasure.is_some(),
            proofs: record.proofs.clone(),
        }
    }
}

/// The inbox's order: action, then account, then news.
const fn rank(kind: &NoticeKind) -> u8 {
    match kind {
        NoticeKind::Request { .. } | NoticeKind::Tampered { .. } => 0,
        NoticeKind::AccountOpened { .. } | NoticeKind::UnderWay { .. } => 1,
        NoticeKind::Reissued { .. } | NoticeKind::Issued { .. } => 2,
    }
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
