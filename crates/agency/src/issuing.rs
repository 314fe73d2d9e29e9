//! Credentials from the register's records, and the status lists that revoke them.

use std::collections::BTreeMap;

use etibar_credential::{
    UnixSeconds,
    catalogue::{self, BANKS, CredentialType, Language},
    jose::{PublicKey, Token},
    oprf::Uid,
    sd_jwt::{ClaimPath, SdJwtError},
    sd_jwt_vc::{self, Template, VcError},
    status_list::{Bits, Status, StatusList, StatusReference, StatusToken, sign_status_list},
};
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, StatusListAnchor},
};
use etibar_openid::vci::{CredentialConfiguration, Display, issuer::CredentialOrder};
use etibar_primitives::{BlockTime, Digest, DurationMs, MemberId, OperationId};
use serde_json::{Map, Value, json};

use crate::{
    agencies::{Agency as Kind, kind},
    agency::Agency,
    date::Date,
    error::AgencyError,
    identifiers::Fin,
    register::Record,
    store::{EnrolmentRow, LIST_ENTRIES, NewEntry, Publication, Renewal, StatusEntry},
    subject::Subject,
};

/// Decoy digests in each credential: how many claims there are is not told.
const DECOYS: usize = 3;
/// What configurations of pairwise credentials begin with; the bank's member id follows.
pub const PAIRWISE_PREFIX: &str = "pairwise-";

/// One credential before it is signed, for each key again.
struct Draft {
    record: Digest,
    claims: Map<String, Value>,
    expires: BlockTime,
}

/// What an agency issues, by configuration id: the type's short name; for pairwise credentials one
/// for each bank, so that the registrar does not learn which is used.
pub fn configurations(agency: Kind) -> BTreeMap<String, CredentialConfiguration> {
    let mut found = BTreeMap::new();
    for vct in agency.kinds() {
        let known = catalogue::credential_type(vct).expect("the catalogue has every kind");
        found.insert(known.name.to_owned(), configuration(known, known.name));
    }
    if agency.is_registrar() {
        let known = catalogue::credential_type(kind::PAIRWISE).expect("the catalogue has it");
        for bank in BANKS {
            let id = format!("{PAIRWISE_PREFIX}{bank}");
            found.insert(id.clone(), configuration(known, &id));
        }
    }
    found
}

fn configuration(known: &CredentialType, scope: &str) -> CredentialConfiguration {
    let names = Language::ALL.map(
        |language| json!({ "name": known.title.in_language(language), "locale": language.tag() }),
    );
    let claims = known.claims.iter().map(|claim| {
        let labels = Language::ALL.map(|language| {
            json!({ "name": claim.labels.in_language(language), "locale": language.tag() })
        });
        json!({ "path": claim.path.to_json(), "mandatory": claim.mandatory, "display": labels })
    });
    let claims: Vec<Value> = claims.collect();
    let mut configuration = CredentialConfiguration::sd_jwt_vc(&known.vct, scope);
    configuration.credential_metadata = Some(json!({ "display": names, "claims": claims }));
    configuration
}

/// The agency's name as the catalogue has it.
pub(crate) fn display(agency: Kind) -> Vec<Display> {
    let known = agency.kinds().first().and_then(|vct| catalogue::credential_type(vct));
    let known = known.expect("each agency attests something");
    let name = |language: Language| Display {
        name: known.issuer_name.in_language(language).to_owned(),
        locale: Some(language.tag().to_owned()),
    };
    Language::ALL.map(name).to_vec()
}

impl Agency {
    /// The credentials of an order, one for each key. Of several records in force they are dealt
    /// out in turn: whoever wants each of them asks with as many keys.
    pub async fn credentials(&self, order: &CredentialOrder) -> Result<Vec<String>, AgencyError> {
        // No change of the register comes between reading a record and the entry that attests it.
        let turn = self.inner.turn.read().await;
        let subject = Subject::parse(&order.subject)?;
        let fin = subject.fin;
        self.check_subject(&subject, &order.configuration).await?;
        let (vct, drafts) = if let Some(bank) = order.configuration.strip_prefix(PAIRWISE_PREFIX) {
            (kind::PAIRWISE, vec![self.pairwise(&fin, bank).await?])
        } else {
            let known = catalogue::credential_type_by_name(&order.configuration);
            let known = known.ok_or(AgencyError::Credential("type"))?;
            (known.vct.as_str(), self.drafts(&fin, known).await?)
        };
        let now = self.now();
        let holder = self.inner.store.key().holder(&fin);
        let mut credentials = Vec::with_capacity(order.keys.len());
        let renewal = if subject.renews { Renewal::SameKey } else { Renewal::None };
        let keys = self.holder_keys(vct, &order.keys, &holder, renewal).await?;
        for (index, (key, tag)) in order.keys.iter().zip(keys).enumerate() {
            let draft = &drafts[index % drafts.len()];
            let new = NewEntry {
                kind: vct,
                record: draft.record,
                holder,
                key: tag,
                issued: now,
                expires: draft.expires,
            };
            let entry = self.inner.store.allocate(&new, renewal).await?;
            credentials.push(self.sign(vct, draft, key, entry)?);
        }
        drop(turn);
        self.publish().await?;
        Ok(credentials)
    }

    /// The type of a configuration, if the register has an entry of the person's that may be
    /// attested now.
    pub(crate) async fn attestable(
        &self,
        fin: &Fin,
        configuration: &str,
    ) -> Result<&'static str, AgencyError> {
        let known = catalogue::credential_type_by_name(configuration);
        let known = known.ok_or(AgencyError::Credential("type"))?;
        self.drafts(fin, known).await?;
        Ok(known.vct.as_str())
    }

    /// Whether the person may still be given this: a superseded PID serves for its successor only,
    /// and what was authorized before a recovery serves for nothing at the registrar.
    async fn check_subject(
        &self,
        subject: &Subject,
        configuration: &str,
    ) -> Result<(), AgencyError> {
        if subject.renews && configuration != pid_configuration() {
            return Err(AgencyError::RenewsOnly);
        }
        if self.inner.setup.kind.is_registrar() {
            let (_, living) = self.enrolled(&subject.fin).await?;
            if living.recovered.is_some_and(|recovered| subject.since < recovered) {
                return Err(AgencyError::NotEnrolled);
            }
        }
        Ok(())
    }

    /// The tags of the keys to be bound; those of a renewal held the superseded credential.
    async fn holder_keys(
        &self,
        vct: &str,
        keys: &[PublicKey],
        holder: &Digest,
        renewal: Renewal,
    ) -> Result<Vec<Digest>, AgencyError> {
        let tag = |key: &PublicKey| {
            self.inner.store.key().tag("holder-key", &[vct.as_bytes(), &key.thumbprint()])
        };
        let tags: Vec<Digest> = keys.iter().map(tag).collect();
        for tag in &tags {
            if renewal == Renewal::SameKey && !self.inner.store.may_renew(holder, tag).await? {
                return Err(AgencyError::HolderKeyOther);
            }
        }
        Ok(tags)
    }

    /// The register's records of this kind for the person, as claims.
    async fn drafts(&self, fin: &Fin, known: &CredentialType) -> Result<Vec<Draft>, AgencyError> {
        let now = self.now();
        let today = Date::of(now);
        let mut drafts = Vec::new();
        for record in self.inner.register.held_by(&known.vct, fin).await? {
            if record.is_in_force(today) {
                let mut claims = attested(known, &record);
                if known.vct == kind::PID {
                    self.add_person(&mut claims, fin, &record, today).await?;
                }
                let tag = self.inner.store.key().record(&record.kind, &record.id);
                let expires = self.expiry(record.valid_until, now);
                drafts.push(Draft { record: tag, claims, expires });
            }
        }
        if drafts.is_empty() { Err(AgencyError::RecordUnknown) } else { Ok(drafts) }
    }

    /// Ages as of today, and what the enrolment says.
    async fn add_person(
        &self,
        claims: &mut Map<String, Value>,
        fin: &Fin,
        record: &Record,
        today: Date,
    ) -> Result<(), AgencyError> {
        let born = record.claims.get("birthdate").and_then(Value::as_str);
        let born: Option<Date> = born.and_then(|text| text.parse().ok());
        let age = born.ok_or(AgencyError::Credential("birthdate"))?.years_until(today);
        for limit in [14, 16, 18, 21] {
            claims.insert(format!("age_over_{limit}"), json!(age >= limit));
        }
        let (_, living) = self.enrolled(fin).await?;
        add_enrolment(claims, living.level, living.cooldown);
        Ok(())
    }

    async fn pairwise(&self, fin: &Fin, bank: &str) -> Result<Draft, AgencyError> {
        let bank: u32 = bank.parse().map_err(|_| AgencyError::Credential("bank"))?;
        let (uid, living) = self.enrolled(fin).await?;
        let keys = self.inner.setup.registrar.as_ref().ok_or(AgencyError::NotRegistrar)?;
        let mut claims = Map::new();
        claims.insert("member".to_owned(), json!(bank));
        claims.insert("ppid".to_owned(), json!(keys.ppid(&uid, MemberId(bank)).expose()));
        // Shown beside the PID only: it binds the two to one person.
        claims.insert("personal_administrative_number".to_owned(), json!(fin.expose()));
        add_enrolment(&mut claims, living.level, living.cooldown);
        let record = self.inner.store.key().record(kind::PAIRWISE, fin.expose());
        Ok(Draft { record, claims, expires: self.expiry(None, self.now()) })
    }

    /// The person's identifier and living enrolment.
    pub(crate) async fn enrolled(&self, fin: &Fin) -> Result<(Uid, EnrolmentRow), AgencyError> {
        let keys = self.inner.setup.registrar.as_ref().ok_or(AgencyError::NotRegistrar)?;
        let uid = keys.uid(fin);
        let living = self.inner.store.living_enrolment(&self.uid_tag(&uid)).await?;
        Ok((uid, living.ok_or(AgencyError::NotEnrolled)?))
    }

    /// Days only, and the same for many: a time is not to tell which credentials belong together.
    fn expiry(&self, valid_until: Option<Date>, now: BlockTime) -> BlockTime {
        let days = i64::from(self.inner.setup.limits.credential_days);
        let last = Date::of(now).plus_days(days);
        valid_until.map_or(last, |until| until.min(last)).end()
    }

    fn sign(
        &self,
        vct: &str,
        draft: &Draft,
        key: &PublicKey,
        entry: StatusEntry,
    ) -> Result<String, AgencyError> {
        let known = catalogue::credential_type(vct).ok_or(AgencyError::Credential("type"))?;
        let shown = |name: &&str| draft.claims.contains_key(*name);
        let disclosable: Vec<ClaimPath> =
            known.disclosable().filter(shown).map(|name| ClaimPath::of(&[name])).collect();
        let status =
            StatusReference { uri: self.status_uri(entry.list), index: u64::from(entry.entry) };
        let integrity = known.integrity();
        let template = Template {
            vct,
            vct_integrity: Some(&integrity),
            issuer: &self.inner.setup.base_url,
            issued_at: start_of_day(self.now()),
            not_before: None,
            expires_at: draft.expires.into(),
            holder: key,
            status: Some(&status),
            claims: draft.claims.clone(),
            disclosable: &disclosable,
            decoys: DECOYS,
        };
        let signer = &*self.inner.setup.signer;
        let issued = sd_jwt_vc::issue(signer, &template, &mut rand::rng());
        issued.map(|credential| credential.to_string()).map_err(|error| {
            tracing::error!(code = error.code(), "a credential cannot be made");
            match error {
                // The key's keeper does not answer: the wallet may ask again.
                VcError::SdJwt(SdJwtError::Sign(error)) => error.into(),
                _ => AgencyError::Credential("claims"),
            }
        })
    }

    fn status_uri(&self, list: u32) -> String {
        format!("{}/status/{list}", self.inner.setup.base_url)
    }

    /// Signs every status list that changed or is due, and serves it from then on. The tasks
    /// anchor it.
    pub async fn publish(&self) -> Result<(), AgencyError> {
        let limits = &self.inner.setup.limits;
        let now = self.now();
        let before = BlockTime(now.0.saturating_sub(limits.status_refresh_ms.0));
        for (number, counter) in self.inner.store.lists_due(before).await? {
            let revoked = self.inner.store.revoked_entries(number).await?;
            let publication = self.make_list(number, counter + 1, &revoked, now)?;
            // When a revocation came between, the list is still due and its task comes back.
            self.inner.store.publish(&publication, revoked.len()).await?;
            self.inner.work.notify_one();
        }
        Ok(())
    }

    /// Publishes each list anew that was signed under other certificates than the signer has now:
    /// after a change of the key a verifier would look for the one that is gone.
    pub(crate) async fn replace_foreign_lists(&self) -> Result<(), AgencyError> {
        let chain = self.inner.setup.signer.chain();
        let ours = |token: &str| {
            let token = Token::parse_untyped(token, usize::MAX);
            token.is_ok_and(|token| token.header().x5c == chain)
        };
        let published = self.inner.store.publications().await?;
        for foreign in published.iter().filter(|publication| !ours(&publication.token)) {
            tracing::info!(list = foreign.list, "the issuer's certificates changed");
            self.inner.store.make_due(foreign.list).await?;
        }
        self.publish().await
    }

    fn make_list(
        &self,
        number: u32,
        counter: u64,
        revoked: &[u32],
        now: BlockTime,
    ) -> Result<Publication, AgencyError> {
        let unmakeable = |_| AgencyError::Credential("status list");
        let entries = usize::try_from(LIST_ENTRIES).expect("a million fits");
        let mut list = StatusList::new(Bits::One, entries).map_err(unmakeable)?;
        for entry in revoked {
            list.set(u64::from(*entry), Status::INVALID).map_err(unmakeable)?;
        }
        let limits = &self.inner.setup.limits;
        let uri = self.status_uri(number);
        let token = StatusToken {
            uri: &uri,
            issued_at: now.into(),
            expires_at: now.saturating_add(limits.status_life_ms).into(),
            ttl_seconds: limits.status_ttl_s,
        };
        let token = sign_status_list(&*self.inner.setup.signer, &token, &list);
        let token = token.map_err(unmakeable)?;
        let digest = Digest(etibar_credential::jose::sha256(token.as_bytes()));
        let operation = random_operation();
        let anchored = None;
        Ok(Publication {
            list: number,
            counter,
            published: now,
            token,
            digest,
            operation,
            anchored,
        })
    }

    /// Anchors every publication that the ledger does not know yet.
    pub async fn anchor_lists(&self) -> Result<(), AgencyError> {
        for publication in self.inner.store.unanchored().await? {
            let Publication { list, counter, digest, operation, .. } = publication;
            let action = Action::AnchorStatusList(StatusListAnchor { list, counter, digest });
            let operation = Operation { id: operation, linked: false, action };
            let done = self.inner.ledger.execute(operation).await?;
            match done.outcome {
                // Not rising: a newer publication was anchored while this one was on its way.
                Outcome::Accepted | Outcome::Exists | Outcome::CounterNotRising => {
                    self.inner.store.anchored(list, counter, done.time).await?;
                }
                refused => return Err(AgencyError::LedgerRefused(refused.name())),
            }
        }
        Ok(())
    }

    /// The status list token at `/status/{list}`.
    pub async fn status_list(&self, list: u32) -> Result<Option<String>, AgencyError> {
        Ok(self.inner.store.publication(list).await?.map(|publication| publication.token))
    }
}

fn add_enrolment(claims: &mut Map<String, Value>, level: u8, cooldown: Option<BlockTime>) {
    let level = etibar_credential::level::AssuranceLevel::from_number(level)
        .expect("the store holds levels only");
    claims.insert("assurance_level".to_owned(), json!(level.code()));
    if let Some(until) = cooldown {
        claims.insert("cooldown_until".to_owned(), json!(UnixSeconds::from(until).0));
    }
}

/// The record's claims that the credential type has; the register may know more.
pub(crate) fn attested(known: &CredentialType, record: &Record) -> Map<String, Value> {
    let has = |name: &str| known.claims.iter().any(|claim| claim.path == ClaimPath::of(&[name]));
    let kept = record.claims.iter().filter(|(name, _)| has(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The id of the PID's configuration.
pub(crate) fn pid_configuration() -> &'static str {
    catalogue::credential_type(kind::PID).expect("the catalogue has the PID").name
}

fn start_of_day(now: BlockTime) -> UnixSeconds {
    let now = UnixSeconds::from(now);
    UnixSeconds(now.0 - now.0 % 86_400)
}

pub(crate) fn random_operation() -> OperationId {
    // Zero is no operation; the version bits of a UUID keep it away.
    OperationId((rand::random::<u128>() & !(0xF << 76)) | (4 << 76))
}

/// A pause that doubles from `first` to `longest` with each attempt.
pub(crate) fn pause(first: DurationMs, longest: DurationMs, attempts: u64) -> DurationMs {
    let doublings = u32::try_from(attempts.min(30)).expect("at most 30");
    DurationMs(first.0.saturating_mul(1 << doublings).min(longest.0))
}
