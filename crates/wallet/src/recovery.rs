//! A lost device: prove again or be confirmed by guardians, and get new credentials.

use etibar_client::clock;
use etibar_openid::{
    Private,
    http::{JSON, Request},
    member::{
        self, APPROVALS_NEEDED, HolderAction, Recovery, RecoveryApproval, RecoveryMeans,
        RecoveryProgress, RecoveryState,
    },
};
use serde_json::Value;

use crate::{
    Wallet, WalletError,
    gesture::{Action, Gesture},
    holder::Holder,
    id::{EntryId, RecoveryNumber},
    issue::{NewPerson, proofing},
    record::RecoveryRecord,
    store::Kind,
    view::{GuardiansView, RecoveryView},
};

/// The one recovery of a wallet.
const RECOVERY: EntryId = EntryId([0; 16]);
/// The registrar's code for a number that names no recovery.
const UNKNOWN: &str = "recovery_unknown";

impl Wallet {
    /// Begins the recovery of a person's identity in a new wallet: by a new proofing, which gives
    /// new credentials at once, or by guardians, for whom it waits ([`Holder::recovery`]).
    pub async fn recover(
        &self,
        person: &NewPerson,
        by_guardians: bool,
    ) -> Result<Holder, WalletError> {
        let by = if by_guardians {
            RecoveryMeans::Guardians {}
        } else {
            RecoveryMeans::Proofing { proofing: proofing(person) }
        };
        let number = RecoveryNumber::random();
        let sent = Recovery {
            id: number.id(),
            fin: Private(person.fin.clone()),
            document_number: Private(person.document.clone()),
            by,
            language: person.language,
        };
        let needed = u8::try_from(APPROVALS_NEEDED).expect("a handful of guardians");
        let view = RecoveryView {
            number: number.to_string(),
            missing: if by_guardians { needed } else { 0 },
            done: false,
            cooldown_until: None,
        };
        let records = self.inner.store.create_person(clock::now()).await?;
        let holder = Holder::new(self.clone(), records);
        let record = RecoveryRecord { sent, view };
        holder.records.put(Kind::Recovery, RECOVERY, &record, clock::now()).await?;
        holder.set_language(person.language).await?;
        if let Err(error) = holder.recovery().await {
            self.inner.store.delete_person(holder.person()).await?;
            return Err(error);
        }
        Ok(holder)
    }
}

impl Holder {
    /// How this wallet's recovery stands; `None` when there is none. Once the guardians have
    /// approved, the new credentials are fetched here.
    pub async fn recovery(&self) -> Result<Option<RecoveryView>, WalletError> {
        let record: Option<RecoveryRecord> = self.records.get(Kind::Recovery, RECOVERY).await?;
        let Some(mut record) = record else { return Ok(None) };
        if record.view.done {
            return Ok(Some(record.view));
        }
        let members = &self.wallet.inner.members;
        let registrar = members.registrar();
        let url = format!("{}/v1/recoveries", members.url(registrar)?);
        let request = Request::post(&url, JSON, member::render(&record.sent)?);
        let progress: RecoveryProgress = members.message(registrar, request).await?;
        record.view.missing = progress.approvals_missing;
        record.view.cooldown_until = progress.cooldown_until;
        if progress.state == RecoveryState::Done {
            for offer in &progress.offers {
                self.redeem(registrar, offer, None).await?;
            }
            self.take_over(&record.sent.fin.0).await?;
            record.view.done = true;
        }
        self.records.put(Kind::Recovery, RECOVERY, &record, clock::now()).await?;
        Ok(Some(record.view))
    }

    /// Takes over what the lost wallet of the same person held: consents, accounts, who looked, the
    /// documents that the registrar did not issue anew. The lost wallet ends, with its passkeys
    /// and everybody who is signed in to it.
    async fn take_over(&self, fin: &str) -> Result<(), WalletError> {
        let store = &self.wallet.inner.store;
        let registrar = self.wallet.inner.members.registrar();
        let now = clock::now();
        let lasting = |credential: &Value| {
            credential.get("issuer").and_then(Value::as_u64) != Some(u64::from(registrar.0))
        };
        for lost in store.of_fin(fin).await? {
            let Some(old) = store.records(lost).await?.filter(|_| lost != self.person()) else {
                continue;
            };
            let kinds =
                [Kind::Consent, Kind::Account, Kind::Accesses, Kind::Request, Kind::Deferred];
            for kind in kinds {
                self.records.take_from(&old, kind, |_| true, now).await?;
            }
            self.records.take_from(&old, Kind::Credential, lasting, now).await?;
            let known = Self::new(self.wallet.clone(), old).profile().await?;
            let guardians = known.and_then(|known| known.guardians);
            self.change_profile(|profile| profile.guardians = guardians).await?;
            store.delete_person(lost).await?;
        }
        Ok(store.claim(self.person(), fin).await?)
    }

    /// Confirms as a guardian that the person of the recovery with this number was recognised.
    pub async fn approve_recovery(
        &self,
        number: &str,
        gesture: &Gesture,
    ) -> Result<(), WalletError> {
        let action = Action::ApproveRecovery { recovery: number.to_owned() };
        gesture.check(self.person(), &action)?;
        let members = &self.wallet.inner.members;
        let registrar = members.registrar();
        let unknown = WalletError::Refused { member: registrar.0, code: UNKNOWN.to_owned() };
        let recovery = number.parse::<RecoveryNumber>().map_err(|_| unknown)?.id();
        let base = members.url(registrar)?.to_owned();
        let url = format!("{base}/v1/recoveries/{recovery}/approvals");
        let approval = RecoveryApproval { recovery, audience: base.clone(), made_at: clock::now() };
        self.send_envelope(registrar, &url, &base, &approval).await?;
        Ok(())
    }

    /// Names the guardians at the registrar, by their personal numbers; earlier ones are replaced.
    pub async fn name_guardians(
        &self,
        guardians: [String; 3],
        gesture: &Gesture,
    ) -> Result<(), WalletError> {
        gesture.check(self.person(), &Action::NameGuardians)?;
        let registrar = self.wallet.inner.members.registrar();
        let fin_ends = guardians.clone().map(|fin| {
            let end = fin.char_indices().rev().nth(2).map_or(0, |(at, _)| at);
            fin[end..].to_owned()
        });
        let guardians = guardians.into_iter().map(Private).collect();
        let action = HolderAction::Guardians { guardians };
        self.ask_member(registrar, "guardians", action).await?;
        let named = GuardiansView { fin_ends, named: clock::now() };
        self.change_profile(|profile| profile.guardians = Some(named)).await
    }

    /// The guardians whom the person named last.
    pub async fn guardians(&self) -> Result<Option<GuardiansView>, WalletError> {
        Ok(self.profile().await?.and_then(|profile| profile.guardians))
    }
}
