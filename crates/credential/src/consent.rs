//! The consent artefact: what a person agreed to, signed by who asked, agreed to by the person's
//! key-binding signature, recorded on the ledger as a commitment that says nothing.
//!
//! The artefact is a JWS by the consumer. Everything the person is shown follows from its terms by
//! [`Artefact::draw_up`]: who reads an artefact draws it up again and accepts nothing else, so a
//! text, a scope or a hash that does not belong to the terms is refused.
//!
//! Its hash stands in the OpenID4VP request's `transaction_data`; so the person's KB-JWT over that
//! is the signature under the consent, and one gesture presents and consents.
//!
//! Deliberately absent: who the person is. The artefact names a random `rel` for each provider; the
//! credential presented with it says the rest, to those who may see it.

mod evidence;
mod secret;
mod text;

use etibar_primitives::{Digest, MemberId, OperationId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use evidence::{
    CheckedConsent, LedgerGrant, TransactionEntry, check_consent, check_person, transaction_entry,
};
pub use secret::ConsentSecret;
pub use text::ConsentText;

use crate::catalogue::{self, Language, Purpose, PurposeCode, Scope};
use crate::jose::{self, JoseError, PublicKey, SignError, Signer, Token};
use crate::purpose::{self, CredentialAsk, PurposeError};
use crate::sd_jwt::{ClaimPath, SdJwtError};
use crate::{UnixSeconds, json};

/// The `typ` of an artefact.
pub const ARTEFACT_TYP: &str = "consent+jwt";
/// The largest artefact, in bytes.
pub const ARTEFACT_BYTES_MAX: usize = 48 * 1024;
/// The most providers of one consent.
pub const PROVIDERS_MAX: usize = 16;
/// The longest name of a party, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// The longest that data may be kept under a consent, in days.
pub const DATA_LIFE_DAYS_MAX: u32 = 3_653;

/// Why a consent is not drawn up, not accepted, or does not allow what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// Not an artefact, or a field is outside its limits.
    #[error("not a consent artefact")]
    Malformed,
    /// The artefact's signature or form.
    #[error("the consumer's signature: {0}")]
    Artefact(JoseError),
    /// It asks for more than its purpose allows.
    #[error(transparent)]
    Purpose(#[from] PurposeError),
    /// It runs longer than its purpose allows, or ends before it starts.
    #[error("the consent runs longer than its purpose allows")]
    Duration,
    /// A provider in it issues none of what is asked.
    #[error("member {} provides nothing that is asked for", .0.0)]
    ProviderWithoutData(MemberId),
    /// The texts, the scope or the hash do not follow from the terms.
    #[error("the artefact says something else than its terms")]
    Altered,
    /// This provider is not named in it.
    #[error("the consent names another provider")]
    OtherProvider,
    /// r is not the preimage of the provider's `rel`.
    #[error("the secret does not belong to the consent")]
    WrongSecret,
    /// The ledger's record is of another consent: commitment, member, purpose, scope or expiry.
    #[error("the ledger records another consent")]
    LedgerMismatch,
    /// Revoked on the ledger.
    #[error("the consent is revoked")]
    Revoked,
    /// Not yet begun.
    #[error("the consent has not begun")]
    NotStarted,
    /// Run out.
    #[error("the consent has expired")]
    Expired,
    /// The person's key binding does not hold.
    #[error("the person's signature: {0}")]
    Person(SdJwtError),
    /// The person signed another transaction.
    #[error("the person did not sign this consent")]
    NotSigned,
    /// A claim that the consent does not cover.
    #[error("the consent does not cover {claim} of {vct}")]
    NotCovered {
        /// The credential type.
        vct: String,
        /// The claim's name.
        claim: String,
    },
}

impl ConsentError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "consent_malformed",
            Self::Artefact(_) => "consent_signature",
            Self::Purpose(error) => error.code(),
            Self::Duration => "consent_too_long",
            Self::ProviderWithoutData(_) => "provider_without_data",
            Self::Altered => "consent_altered",
            Self::OtherProvider => "consent_for_another_provider",
            Self::WrongSecret => "consent_secret_wrong",
            Self::LedgerMismatch => "consent_not_on_ledger",
            Self::Revoked => "consent_revoked",
            Self::NotStarted => "consent_not_started",
            Self::Expired => "consent_expired",
            Self::Person(_) => "consent_person_signature",
            Self::NotSigned => "consent_not_signed",
            Self::NotCovered { .. } => "consent_does_not_cover",
        }
    }
}

/// A member, by the name shown to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The member.
    pub member: MemberId,
    /// Its name.
    pub name: String,
}

/// A member that will provide data under the consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The member.
    pub member: MemberId,
    /// Its name.
    pub name: String,
    /// The consent's random name on the ledger for this provider: [`ConsentSecret::rel`].
    pub rel: Digest,
}

/// How often the consumer may fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fetch {
    /// Once.
    Once,
    /// Whenever the provider gives notice of a change.
    OnChange,
    /// Regularly.
    Periodic {
        /// Days between two fetches at least.
        every_days: u16,
    },
}

/// What the consumer proposes: from these the artefact follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// A random id.
    pub id: OperationId,
    /// Who asks.
    pub consumer: Party,
    /// Who provides; 1 to [`PROVIDERS_MAX`], none twice.
    pub providers: Vec<Provider>,
    /// What for.
    pub purpose: PurposeCode,
    /// What is asked, in DCQL.
    pub dcql_query: Value,
    /// How often.
    pub fetch: Fetch,
    /// How long each fetched value may be kept under the consent, in days.
    pub data_life_days: u32,
    /// From when.
    pub starts: UnixSeconds,
    /// Until when, exclusive.
    pub expires: UnixSeconds,
    /// The language the person reads.
    pub language: Language,
}

/// A consent drawn up: the terms and all that follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    terms: Terms,
    asks: Vec<CredentialAsk>,
    scope: Scope,
    text: ConsentText,
}

impl Artefact {
    /// Draws up the artefact of `terms`.
    ///
    /// # Errors
    /// [`ConsentError::Malformed`], [`ConsentError::Purpose`] when the query exceeds the purpose,
    /// [`ConsentError::Duration`], [`ConsentError::ProviderWithoutData`].
    pub fn draw_up(terms: Terms) -> Result<Self, ConsentError> {
        let asks = purpose::asks_of(&terms.dcql_query)?;
        let scope = purpose::check(&asks, terms.purpose)?;
        let purpose =
            catalogue::purpose(terms.purpose).ok_or(PurposeError::UnknownPurpose(terms.purpose))?;
        check_terms(&terms, purpose)?;
        for provider in &terms.providers {
            if !asks.iter().any(|ask| issues(provider.member, &ask.vct)) {
                return Err(ConsentError::ProviderWithoutData(provider.member));
            }
        }
        let text = ConsentText::render(&terms, &asks, purpose);
        Ok(Self { terms, asks, scope, text })
    }

    /// The terms.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Everything asked, of every provider.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// What is asked, credential by credential.
    pub fn asks(&self) -> &[CredentialAsk] {
        &self.asks
    }

    /// The text shown to the person, in the artefact's language.
    pub const fn text(&self) -> &ConsentText {
        &self.text
    }

    /// What `provider` will see on the ledger: the scope of what it issues itself.
    ///
    /// # Errors
    /// [`ConsentError::OtherProvider`].
    pub fn scope_of(&self, provider: MemberId) -> Result<Scope, ConsentError> {
        self.provider(provider)?;
        let its: Vec<_> =
            self.asks.iter().filter(|ask| issues(provider, &ask.vct)).cloned().collect();
        Ok(purpose::check(&its, self.terms.purpose)?)
    }

    /// The entry of `provider`.
    ///
    /// # Errors
    /// [`ConsentError::OtherProvider`].
    pub fn provider(&self, provider: MemberId) -> Result<&Provider, ConsentError> {
        let mut providers = self.terms.providers.iter();
        providers.find(|known| known.member == provider).ok_or(ConsentError::OtherProvider)
    }

    /// Whether `provider` may give these claims of `vct` at `now`.
    ///
    /// # Errors
    /// [`ConsentError::OtherProvider`], [`ConsentError::NotStarted`], [`ConsentError::Expired`], or
    /// [`ConsentError::NotCovered`] with the first claim that was not asked for in the consent.
    pub fn check_fetch(
        &self,
        provider: MemberId,
        vct: &str,
        claims: &[ClaimPath],
        now: UnixSeconds,
    ) -> Result<(), ConsentError> {
        self.provider(provider)?;
        self.check_time(now)?;
        let asked: Vec<_> = self.asks.iter().filter(|ask| ask.vct == vct).collect();
        let not_covered = |claim: String| ConsentError::NotCovered { vct: vct.to_owned(), claim };
        if asked.is_empty() || !issues(provider, vct) {
            return Err(not_covered("*".to_owned()));
        }
        for claim in claims {
            let covered = asked
                .iter()
                .flat_map(|ask| &ask.paths)
                .any(|path| claim.steps().starts_with(path.steps()));
            if !covered {
                return Err(not_covered(claim.to_string()));
            }
        }
        Ok(())
    }

    /// Whether the consent runs at `now`.
    ///
    /// # Errors
    /// [`ConsentError::NotStarted`], [`ConsentError::Expired`].
    pub const fn check_time(&self, now: UnixSeconds) -> Result<(), ConsentError> {
        if now.0 < self.terms.starts.0 {
            Err(ConsentError::NotStarted)
        } else if now.0 >= self.terms.expires.0 {
            Err(ConsentError::Expired)
        } else {
            Ok(())
        }
    }

    /// Signs the artefact for the consumer.
    ///
    /// # Errors
    /// The signer's.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        jose::sign(signer, ARTEFACT_TYP, Map::new(), &self.payload())
    }

    /// Reads an artefact once its signature verified with the consumer's key, which the caller took
    /// from the chain in [`chain`] after the trust registry vouched for it.
    ///
    /// # Errors
    /// [`ConsentError::Artefact`]; those of [`Artefact::draw_up`]; [`ConsentError::Altered`] when
    /// the payload is not exactly what its terms give.
    pub fn verify(jws: &str, consumer: &PublicKey) -> Result<Self, ConsentError> {
        let token =
            Token::parse(jws, ARTEFACT_TYP, ARTEFACT_BYTES_MAX).map_err(ConsentError::Artefact)?;
        let payload = token.verify(consumer).map_err(ConsentError::Artefact)?.0;
        let artefact = Self::draw_up(read_terms(&payload)?)?;
        if artefact.payload() == payload { Ok(artefact) } else { Err(ConsentError::Altered) }
    }

    /// The JWS payload.
    fn payload(&self) -> Map<String, Value> {
        let terms = &self.terms;
        let purpose = catalogue::purpose(terms.purpose)
            .expect("`draw_up` found the purpose, and purposes are compiled in");
        let language = terms.language;
        let payload = json!({
            "jti": terms.id,
            "consumer": terms.consumer,
            "providers": terms.providers,
            "purpose": {
                "code": purpose.code,
                "name": purpose.name,
                "text": purpose.text.in_language(language),
                "document": purpose.digest(),
            },
            "dcql_query": terms.dcql_query,
            "scope": self.scope,
            "fetch": terms.fetch,
            "data_life_days": terms.data_life_days,
            "nbf": terms.starts,
            "exp": terms.expires,
            "onward": false,
            "lawful_basis": purpose.lawful_basis.in_language(language),
            "retention": purpose.retention.text.in_language(language),
            "language": language,
            "parts": self.text.parts(),
            "text_hash": jose::encode(&self.text.hash()),
        });
        match payload {
            Value::Object(map) => map,
            _ => unreachable!("an object was written just above"),
        }
    }
}

/// The certificates in an artefact's header, leaf first, for the trust registry to judge, and the
/// member it claims to come from. Nothing is proven yet.
///
/// # Errors
/// [`ConsentError::Artefact`], [`ConsentError::Malformed`].
pub fn chain(jws: &str) -> Result<(MemberId, Vec<Vec<u8>>), ConsentError> {
    let token =
        Token::parse(jws, ARTEFACT_TYP, ARTEFACT_BYTES_MAX).map_err(ConsentError::Artefact)?;
    let payload = token.read_payload().map_err(ConsentError::Artefact)?;
    let consumer = read_terms(&payload.0)?.consumer.member;
    Ok((consumer, token.header().x5c.clone()))
}

/// The terms of an artefact that was verified before: nothing is proven here.
///
/// # Errors
/// [`ConsentError::Artefact`], [`ConsentError::Malformed`].
pub fn terms(jws: &str) -> Result<Terms, ConsentError> {
    let token =
        Token::parse(jws, ARTEFACT_TYP, ARTEFACT_BYTES_MAX).map_err(ConsentError::Artefact)?;
    read_terms(&token.read_payload().map_err(ConsentError::Artefact)?.0)
}

/// The hash by which `transaction_data` and the commitment name an artefact: SHA-256 of the JWS.
pub fn artefact_hash(jws: &str) -> [u8; 32] {
    jose::sha256(jws.as_bytes())
}

fn issues(member: MemberId, vct: &str) -> bool {
    catalogue::credential_type(vct).is_some_and(|known| known.issuer.allows(member))
}

fn check_terms(terms: &Terms, purpose: &Purpose) -> Result<(), ConsentError> {
    let named = |name: &str| !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX;
    let provider_names = terms.providers.iter().map(|provider| provider.name.as_str());
    let mut members: Vec<_> = terms.providers.iter().map(|provider| provider.member).collect();
    let mut rels: Vec<_> = terms.providers.iter().map(|provider| provider.rel).collect();
    members.sort_unstable();
    rels.sort_unstable();
    let rising =
        members.is_sorted_by(|one, next| one < next) && rels.is_sorted_by(|one, next| one < next);
    let in_limits = (1..=PROVIDERS_MAX).contains(&terms.providers.len())
        && rising
        && named(&terms.consumer.name)
        && provider_names.into_iter().all(named)
        && (1..=DATA_LIFE_DAYS_MAX).contains(&terms.data_life_days)
        && !matches!(terms.fetch, Fetch::Periodic { every_days: 0 })
        && json::is_exact(&terms.dcql_query);
    if !in_limits {
        return Err(ConsentError::Malformed);
    }
    let seconds_max = u64::from(purpose.duration_days_max) * 86_400;
    let length = terms.expires.since(terms.starts);
    if length == 0 || length > seconds_max { Err(ConsentError::Duration) } else { Ok(()) }
}

/// The terms in a payload; what else is there is compared after drawing up again.
#[derive(Deserialize)]
struct Wire {
    jti: OperationId,
    consumer: Party,
    providers: Vec<Provider>,
    purpose: WirePurpose,
    dcql_query: Value,
    fetch: Fetch,
    data_life_days: u32,
    nbf: UnixSeconds,
    exp: UnixSeconds,
    language: Language,
}

#[derive(Deserialize)]
struct WirePurpose {
    code: PurposeCode,
}

fn read_terms(payload: &Map<String, Value>) -> Result<Terms, ConsentError> {
    let wire: Wire = serde_json::from_value(Value::Object(payload.clone()))
        .map_err(|_| ConsentError::Malformed)?;
    Ok(Terms {
        id: wire.jti,
        consumer: wire.consumer,
        providers: wire.providers,
        purpose: wire.purpose.code,
        dcql_query: wire.dcql_query,
        fetch: wire.fetch,
        data_life_days: wire.data_life_days,
        starts: wire.nbf,
        expires: wire.exp,
        language: wire.language,
    })
}

#[cfg(test)]
mod tests;
