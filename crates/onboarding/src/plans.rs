//! The consents that a product needs, drawn up before anybody is asked.

use etibar_credential::{
    UnixSeconds,
    catalogue::{self, FIRST_AGENCY, IssuerKind, Language, PurposeCode},
    consent::{Artefact, ConsentSecret, Fetch, Party, Provider, Terms},
};
use etibar_openid::Secret;
use etibar_primitives::{BlockTime, MemberId};
use serde_json::Value;

use crate::{
    Onboarding, OnboardingError,
    policy::{PID, PURPOSE_REFRESH, Product},
    service::operation_id,
    session::{Grant, Plan},
};

/// How long data may be kept under a consent, in days.
const DATA_LIFE_DAYS: u32 = 365;
/// How long changes are followed, in days: the ledger lets no consent run longer than 90 days (CBA
/// resolution 49/3 of 2024), and the members' clocks differ from the ledger's.
const FOLLOW_DAYS: u64 = 89;
/// Seconds of a day.
const DAY_S: u64 = 86_400;

impl Onboarding {
    /// The consents that a product needs, drawn up and signed: one for its purpose, and one to
    /// follow changes if it does.
    pub(crate) fn plans(
        &self,
        product: &Product,
        language: Language,
        now: BlockTime,
    ) -> Result<Vec<Plan>, OnboardingError> {
        let whole = serde_json::to_value(product.agreed_query()).expect("plain data is JSON");
        let types: Vec<&str> = product.credentials.iter().map(|its| its.vct.as_str()).collect();
        let days = u64::from(product.consent_days);
        let main = Wish { purpose: product.purpose, fetch: Fetch::Once, days, query: whole };
        let mut plans = vec![self.plan(main, &types, language, now)?];
        if product.follows_changes {
            let query = serde_json::to_value(product.followed_query()).expect("plain data is JSON");
            let purpose = PURPOSE_REFRESH;
            let follow = Wish { purpose, fetch: Fetch::OnChange, days: FOLLOW_DAYS, query };
            plans.push(self.plan(follow, &[PID], language, now)?);
        }
        Ok(plans)
    }

    fn plan(
        &self,
        wish: Wish,
        types: &[&str],
        language: Language,
        now: BlockTime,
    ) -> Result<Plan, OnboardingError> {
        let identity = &self.inner.parts.identity;
        let mut grants: Vec<Grant> = Vec::new();
        let mut providers: Vec<Provider> = Vec::new();
        let mut sources: Vec<(MemberId, String)> =
            types.iter().filter_map(|vct| source(vct, language)).collect();
        sources.sort_unstable();
        sources.dedup_by_key(|(member, _)| *member);
        for (member, name) in sources {
            let secret = ConsentSecret::generate(&mut rand::rng());
            let (r, salt) = secret.expose();
            grants.push(Grant {
                vault: operation_id(),
                provider: member,
                r: Secret(*r),
                salt: Secret(*salt),
                rel: secret.rel(),
                grant: operation_id(),
                revoke: operation_id(),
                fetch: operation_id(),
            });
            providers.push(Provider { member, name, rel: secret.rel() });
        }
        let starts = UnixSeconds(now.0 / 1_000);
        // The ledger shows the end to everybody: counted from midnight it is that of all consents
        // of the day, and leads from nobody's row in the vault to a row there.
        let midnight = UnixSeconds(starts.0 - starts.0 % DAY_S);
        let expires = midnight.saturating_add(wish.days * DAY_S);
        let id = operation_id();
        let artefact = Artefact::draw_up(Terms {
            id,
            consumer: Party { member: identity.member, name: identity.name.clone() },
            providers,
            purpose: PurposeCode(wish.purpose),
            dcql_query: wish.query,
            fetch: wish.fetch,
            data_life_days: DATA_LIFE_DAYS,
            starts,
            expires,
            language,
        })?;
        Ok(Plan {
            artefact: artefact.sign(&*identity.signer)?,
            id,
            purpose: wish.purpose,
            scope: artefact.scope().0,
            expires: BlockTime(expires.0 * 1_000),
            grants,
        })
    }
}

/// What a consent is to be about.
struct Wish {
    purpose: u16,
    fetch: Fetch,
    days: u64,
    query: Value,
}

/// Who provides a type: an agency; a bank's due diligence is presented only.
fn source(vct: &str, language: Language) -> Option<(MemberId, String)> {
    let known = catalogue::credential_type(vct)?;
    match known.issuer {
        IssuerKind::Agency(row) => {
            let name = known.issuer_name.in_language(language).to_owned();
            Some((MemberId(FIRST_AGENCY + row - 1), name))
        }
        IssuerKind::Bank => None,
    }
}
