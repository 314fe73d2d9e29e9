//! Receiving credentials: enrolment at the registrar, offers, and issuance from agencies.

use etibar_client::clock;
use etibar_credential::{
    UnixSeconds, catalogue,
    jose::{Signer as _, SoftwareKey},
    level::Methods,
    sd_jwt::SdJwt,
    sd_jwt_vc::{CREDENTIAL_TYPE, Envelope},
};
use etibar_openid::{
    Entropy, Private,
    http::{JSON, Request},
    member::{self, Enrolment, EnrolmentAnswer, ProofingEvidence},
    vci::{
        CredentialIssuerMetadata, CredentialOffer, NotificationEvent, OfferSource,
        holder::{self, Delivery, HolderError, Session},
    },
};
use etibar_primitives::{BlockTime, MemberId, OperationId};
use serde_json::Value;

use crate::{
    Language, Wallet, WalletError,
    envelope::holder_key,
    gesture::{Action, Gesture},
    holder::{Holder, PAIRWISE, PID},
    id::EntryId,
    label,
    record::{CredentialRecord, Instance},
    store::Kind,
    view::{CredentialState, Notice, NoticeKind},
};

mod steps;

/// How the wallet names itself to issuers (OAuth `client_id`).
pub const CLIENT_ID: &str = "etibar-wallet";
/// Where issuers send the person back to; the wallet reads the address, nothing opens it.
pub const REDIRECT_URI: &str = "https://wallet.etibar.invalid/callback";
/// Instances of a credential that are fetched at once: each is shown to one relying party.
const INSTANCES: usize = 8;
/// How far an issuer's clock may run ahead, in seconds.
const SKEW_S: u64 = 60;
/// Claims that differ between the instances of one credential.
const ENVELOPE: [&str; 9] =
    ["iss", "iat", "nbf", "exp", "cnf", "status", "vct", "vct#integrity", "_sd_alg"];

/// A person who wants a wallet. Personal: never printed.
pub struct NewPerson {
    /// The personal number.
    pub fin: String,
    /// The identity document's series and number.
    pub document: String,
    /// How the person is seen and proves who they are; the passkey is one of it.
    pub methods: Methods,
    /// Of a minor, the personal number of the guardian, who is the one that is seen.
    pub guardian: Option<String>,
    /// The language of the pages.
    pub language: Language,
}

/// An issuance under way.
pub(crate) struct Issuance<'a> {
    pub(crate) wallet: &'a Wallet,
    pub(crate) issuer: MemberId,
    pub(crate) session: Session,
    pub(crate) dpop: SoftwareKey,
}

/// A credential as it came, verified, with its key.
struct Received {
    vct: String,
    issued: BlockTime,
    expires: BlockTime,
    claims: Value,
    instance: Instance,
}

/// The identifier of the credential type with this short name, such as `pid`.
pub fn type_named(name: &str) -> Option<&'static str> {
    catalogue::credential_type_by_name(name).map(|known| known.vct.as_str())
}

impl Wallet {
    /// Enrols a person at the registrar and gives them a wallet with their identity.
    ///
    /// # Errors
    /// The registrar's refusal, with nothing kept here.
    pub async fn enrol(&self, person: &NewPerson) -> Result<Holder, WalletError> {
        let registrar = self.inner.members.registrar();
        let enrolment = Enrolment {
            id: OperationId(rand::random::<u128>().max(1)),
            fin: Private(person.fin.clone()),
            document_number: Private(person.document.clone()),
            proofing: proofing(person),
            language: person.language,
            guardians: Vec::new(),
        };
        let url = format!("{}/v1/enrolments", self.inner.members.url(registrar)?);
        let request = Request::post(&url, JSON, member::render(&enrolment)?);
        let answer: EnrolmentAnswer = self.inner.members.message(registrar, request).await?;
        let holder =
            self.begin_with(registrar, &answer.offers, answer.tx_code.as_ref(), person.language);
        let holder = holder.await?;
        self.inner.store.claim(holder.person(), &person.fin).await?;
        Ok(holder)
    }

    /// A new wallet with what `offers` give; none if they do not hold what they should.
    pub(crate) async fn begin_with(
        &self,
        issuer: MemberId,
        offers: &[String],
        tx_code: Option<&Private<String>>,
        language: Language,
    ) -> Result<Holder, WalletError> {
        let records = self.inner.store.create_person(clock::now()).await?;
        let holder = Holder::new(self.clone(), records);
        let filled = async {
            for offer in offers {
                holder.redeem(issuer, offer, tx_code).await?;
            }
            holder.set_language(language).await?;
            match holder.find(PID).await? {
                Some(_) => Ok(()),
                None => Err(WalletError::CredentialMissing(PID.to_owned())),
            }
        };
        if let Err(error) = filled.await {
            self.inner.store.delete_person(holder.person()).await?;
            return Err(error);
        }
        Ok(holder)
    }

    /// Reads an issuer's metadata and begins an issuance.
    pub(crate) async fn issuance(&self, issuer: MemberId) -> Result<Issuance<'_>, WalletError> {
        let base = self.inner.members.url(issuer)?.to_owned();
        let wrong = |error| issuing(issuer, error);
        let send = async |request| self.inner.members.send(issuer, request).await;
        let answer = send(holder::metadata_request(&base).map_err(wrong)?).await?;
        let metadata = holder::read_metadata(&base, &answer).map_err(wrong)?;
        let answer = send(holder::server_metadata_request(&metadata).map_err(wrong)?).await?;
        let server = holder::read_server_metadata(&metadata, &answer).map_err(wrong)?;
        let wallet = holder::Wallet {
            client_id: CLIENT_ID.to_owned(),
            redirect_uri: REDIRECT_URI.to_owned(),
        };
        let session = Session::new(wallet, metadata, server);
        let dpop = SoftwareKey::generate(&mut rand::rng());
        Ok(Issuance { wallet: self, issuer, session, dpop })
    }
}

impl Holder {
    /// Fetches a credential from the agency that issues it. The person's identity is presented to
    /// the agency on the way.
    pub async fn add_credential(
        &self,
        vct: &str,
        gesture: &Gesture,
    ) -> Result<EntryId, WalletError> {
        gesture.check(self.person(), &Action::AddCredential { vct: vct.to_owned() })?;
        self.fetch(vct).await
    }

    /// The credential of a type that is in force, if the wallet has one.
    pub(crate) async fn find(
        &self,
        vct: &str,
    ) -> Result<Option<(EntryId, CredentialRecord)>, WalletError> {
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let now = clock::now();
        let serves = |record: &CredentialRecord| {
            record.vct == vct && crate::holder::in_force(record, now) == CredentialState::Valid
        };
        Ok(all.into_iter().find(|(_, record)| serves(record)))
    }

    /// Fetches a credential, or fresh instances of it, by an authorization at its issuer.
    pub(crate) async fn fetch(&self, vct: &str) -> Result<EntryId, WalletError> {
        let missing = || WalletError::CredentialMissing(vct.to_owned());
        let known = catalogue::credential_type(vct).ok_or_else(missing)?;
        let catalogue::IssuerKind::Agency(row) = known.issuer else { return Err(missing()) };
        let issuer = MemberId(catalogue::FIRST_AGENCY + row - 1);
        let mut issuance = self.wallet.issuance(issuer).await?;
        let configuration = configuration(issuance.session.issuer(), vct).ok_or_else(missing)?;
        issuance.authorize(self, &configuration).await?;
        let kept = self.take(&mut issuance, &configuration, vct, Vec::new()).await?;
        kept.first().copied().ok_or_else(missing)
    }

    /// Fetches the successor of a PID that its issuer ended: under the same keys, which the
    /// registrar demands, so each instance stays with the relying party that has seen its key.
    ///
    /// # Errors
    /// The registrar's refusal when it was not superseded but revoked: for loss, death, recovery.
    pub(crate) async fn fetch_successor(
        &self,
        ended: &CredentialRecord,
    ) -> Result<EntryId, WalletError> {
        let missing = || WalletError::CredentialMissing(PID.to_owned());
        let mut issuance = self.wallet.issuance(ended.issuer).await?;
        let configuration = configuration(issuance.session.issuer(), PID).ok_or_else(missing)?;
        issuance.authorize(self, &configuration).await?;
        // Signing in may have marked an instance as shown.
        let ended = self.ended_identity().await?.ok_or_else(missing)?.1;
        let kept = self.take(&mut issuance, &configuration, PID, ended.instances).await?;
        kept.first().copied().ok_or_else(missing)
    }

    /// A PID that its issuer ended.
    pub(crate) async fn ended_identity(
        &self,
    ) -> Result<Option<(EntryId, CredentialRecord)>, WalletError> {
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let ended = |record: &CredentialRecord| {
            record.vct == PID && record.state == CredentialState::Revoked
        };
        Ok(all.into_iter().find(|(_, record)| ended(record)))
    }

    /// Redeems an offer of `issuer`.
    pub(crate) async fn redeem(
        &self,
        issuer: MemberId,
        offer: &str,
        tx_code: Option<&Private<String>>,
    ) -> Result<Vec<EntryId>, WalletError> {
        let offer = self.offered(offer).await?;
        let mut issuance = self.wallet.issuance(issuer).await?;
        let tx_code = tx_code.filter(|_| wants_code(&offer));
        issuance.redeem(&offer, tx_code).await?;
        let mut kept = Vec::new();
        for configuration in &offer.credential_configuration_ids {
            let supported = &issuance.session.issuer().credential_configurations_supported;
            let vct = supported.get(configuration).map(|known| known.vct.clone());
            let vct = vct.ok_or(WalletError::IssuerUntrusted("offer_of_unknown_type"))?;
            match self.take(&mut issuance, configuration, &vct, Vec::new()).await {
                Ok(taken) => kept.extend(taken),
                // It comes later; the others are here now.
                Err(WalletError::Deferred(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(kept)
    }

    /// The offer of a link, by value or fetched from its issuer.
    async fn offered(&self, uri: &str) -> Result<CredentialOffer, WalletError> {
        let wrong = WalletError::IssuerUntrusted("offer_malformed");
        match OfferSource::parse(uri) {
            Ok(OfferSource::Value(offer)) => Ok(offer),
            Ok(OfferSource::Reference(url)) => {
                let members = &self.wallet.inner.members;
                let member = members.at(&url).map(|member| member.id);
                let member = member.ok_or(WalletError::IssuerUntrusted("issuer_unknown"))?;
                let answer = members.send(member, Request::get(&url, JSON)).await?;
                let answer = crate::members::accepted(member, answer)?;
                CredentialOffer::parse(&answer.body).map_err(|_| wrong)
            }
            Err(_) => Err(wrong),
        }
    }

    /// Asks for a batch of one configuration, verifies it and keeps it. The batch is bound to the
    /// keys of `same`, or to new ones when there are none.
    async fn take(
        &self,
        issuance: &mut Issuance<'_>,
        configuration: &str,
        vct: &str,
        mut same: Vec<Instance>,
    ) -> Result<Vec<EntryId>, WalletError> {
        let batch = issuance.session.issuer().batch_credential_issuance;
        let batch = batch.map_or(1, |batch| batch.batch_size).max(1);
        if same.is_empty() {
            // One bank sees its own number always, so one instance of it is enough.
            let wanted = if vct == PAIRWISE { 1 } else { INSTANCES };
            same = (0..wanted.min(batch)).map(|_| Instance::unused()).collect();
        }
        same.truncate(batch);
        let keys = same.iter().map(holder_key).collect::<Result<Vec<_>, _>>()?;
        match issuance.credentials(configuration, &keys).await? {
            Delivery::Ready { credentials, notification_id } => {
                self.receive_batch(issuance, vct, same, (credentials, notification_id)).await
            }
            Delivery::Deferred { transaction_id, interval_s } => {
                self.postpone(issuance, vct, same, (transaction_id, interval_s)).await?;
                Err(WalletError::Deferred(issuance.issuer.0))
            }
        }
    }

    /// Verifies what came for `instances`, keeps it and tells the issuer.
    pub(crate) async fn receive_batch(
        &self,
        issuance: &mut Issuance<'_>,
        vct: &str,
        instances: Vec<Instance>,
        (texts, notification): (Vec<Private<String>>, Option<String>),
    ) -> Result<Vec<EntryId>, WalletError> {
        let mut received = Vec::new();
        for (text, instance) in texts.into_iter().zip(instances) {
            match self.verified(issuance, vct, Instance { sd_jwt: text.0, ..instance }).await {
                Ok(one) => received.push(one),
                Err(error) => {
                    issuance.notify(notification, NotificationEvent::CredentialFailure).await;
                    return Err(error);
                }
            }
        }
        let kept = self.keep(issuance.issuer, received).await?;
        issuance.notify(notification, NotificationEvent::CredentialAccepted).await;
        Ok(kept)
    }

    /// Checks what an issuer sent: chain, registration, signature, type, time and key.
    async fn verified(
        &self,
        issuance: &Issuance<'_>,
        vct: &str,
        instance: Instance,
    ) -> Result<Received, WalletError> {
        let registry = self.wallet.registry().await?;
        let now = UnixSeconds::from(clock::now());
        let wrong = WalletError::IssuerUntrusted;
        let sd_jwt = SdJwt::parse(&instance.sd_jwt).map_err(|error| wrong(error.code()))?;
        let header = sd_jwt.header().map_err(|error| wrong(error.code()))?;
        let chain = registry.verify_chain(&header.x5c, vct, now);
        let (chain, entry) = chain.map_err(|error| wrong(error.code()))?;
        if entry.member != issuance.issuer {
            return Err(wrong("foreign_issuer"));
        }
        let processed = sd_jwt.verify(&chain.leaf_key, CREDENTIAL_TYPE);
        let processed = processed.map_err(|error| wrong(error.code()))?;
        let envelope = Envelope::read(&processed).map_err(|error| wrong(error.code()))?;
        envelope.check_time(now, SKEW_S).map_err(|error| wrong(error.code()))?;
        if envelope.vct != vct || envelope.issuer != issuance.session.issuer().credential_issuer {
            return Err(wrong("unexpected_type_or_issuer"));
        }
        let bound = processed.holder().map_err(|error| wrong(error.code()))?;
        if bound != holder_key(&instance)?.public_key() {
            return Err(wrong("bound_to_another_key"));
        }
        Ok(Received {
            vct: envelope.vct,
            issued: moment(envelope.issued_at),
            expires: moment(envelope.expires_at),
            claims: Value::Object(processed.claims.0),
            instance,
        })
    }

    /// Keeps what was received: instances that say the same are one credential, and a newer
    /// credential of the same type takes the place of the older.
    async fn keep(
        &self,
        issuer: MemberId,
        received: Vec<Received>,
    ) -> Result<Vec<EntryId>, WalletError> {
        let mut groups: Vec<CredentialRecord> = Vec::new();
        for one in received {
            let said = content(&one.claims);
            let same =
                |its: &&mut CredentialRecord| its.vct == one.vct && content(&its.claims) == said;
            match groups.iter_mut().find(same) {
                Some(record) => record.instances.push(one.instance),
                None => groups.push(CredentialRecord {
                    vct: one.vct,
                    issuer,
                    issued: one.issued,
                    expires: one.expires,
                    claims: one.claims,
                    instances: vec![one.instance],
                    state: CredentialState::Valid,
                }),
            }
        }
        self.replace(groups).await
    }

    /// Puts what an issuer attests now in the place of what it attested before: several records of
    /// one type, such as two children's, stand beside each other.
    async fn replace(&self, new: Vec<CredentialRecord>) -> Result<Vec<EntryId>, WalletError> {
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let replaces = |old: &CredentialRecord, record: &CredentialRecord| {
            old.vct == record.vct
                && old.issuer == record.issuer
                && old.claims.get("member") == record.claims.get("member")
        };
        let said: Vec<Value> = new.iter().map(|record| content(&record.claims)).collect();
        let ends = |old: &CredentialRecord| new.iter().any(|record| replaces(old, record));
        let (mut same, mut other): (Vec<_>, Vec<_>) = all
            .into_iter()
            .filter(|(_, old)| ends(old))
            .partition(|(_, old)| said.contains(&content(&old.claims)));
        let mut kept = Vec::new();
        for (record, said) in new.into_iter().zip(&said) {
            let at = same.iter().position(|(_, old)| content(&old.claims) == *said);
            let old = at.map(|at| same.remove(at).0);
            let changed = old.is_none() && !other.is_empty();
            let old = old.or_else(|| changed.then(|| other.remove(0).0));
            kept.push(self.put_credential(record, old, changed).await?);
        }
        for (id, _) in same.into_iter().chain(other) {
            self.records.remove(Kind::Credential, id).await?;
        }
        Ok(kept)
    }

    async fn put_credential(
        &self,
        record: CredentialRecord,
        old: Option<EntryId>,
        changed: bool,
    ) -> Result<EntryId, WalletError> {
        let now = clock::now();
        let id = old.unwrap_or_else(EntryId::random);
        self.records.put(Kind::Credential, id, &record, now).await?;
        if changed && record.vct != PAIRWISE {
            let language = self.language().await?.unwrap_or(Language::Az);
            let kind = NoticeKind::Reissued { title: label::title(&record.vct, language) };
            let notice = Notice { kind, at: now };
            self.records.put(Kind::Message, EntryId::random(), &notice, now).await?;
        }
        Ok(id)
    }
}

/// The configuration under which an issuer offers a type.
fn configuration(issuer: &CredentialIssuerMetadata, vct: &str) -> Option<String> {
    let mut all = issuer.credential_configurations_supported.iter();
    all.find(|(_, known)| known.vct == vct).map(|(id, _)| id.clone())
}

fn wants_code(offer: &CredentialOffer) -> bool {
    let grant = offer.grants.as_ref().and_then(|grants| grants.pre_authorized_code.as_ref());
    grant.is_some_and(|grant| grant.tx_code.is_some())
}

/// What a credential says, without what differs between its instances.
fn content(claims: &Value) -> Value {
    let mut claims = claims.clone();
    if let Value::Object(members) = &mut claims {
        members.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
    }
    claims
}

/// Fresh randomness for one step of a protocol.
pub(crate) fn entropy() -> Entropy {
    Entropy::new(rand::random())
}

const fn moment(seconds: UnixSeconds) -> BlockTime {
    BlockTime(seconds.0.saturating_mul(1_000))
}

/// The sample proofing of the sample country: it says that the person was seen, and is believed
/// by a registrar that was configured to believe the sample provider only.
pub(crate) fn proofing(person: &NewPerson) -> ProofingEvidence {
    let seen = person.guardian.as_ref().unwrap_or(&person.fin);
    let evidence = serde_json::json!({ "sample": true, "seen": seen, "live": true });
    ProofingEvidence {
        methods: person.methods,
        provider: "sample".to_owned(),
        evidence: Private(evidence.to_string()),
    }
}

pub(crate) fn issuing(issuer: MemberId, error: HolderError) -> WalletError {
    match error {
        HolderError::Refused { error, detail, .. } => {
            WalletError::Refused { member: issuer.0, code: detail.unwrap_or(error) }
        }
        error => WalletError::IssuerUntrusted(error.code()),
    }
}
