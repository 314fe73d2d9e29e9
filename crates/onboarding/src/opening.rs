//! The account: the customer's party, the books, the alias.

use etibar_openid::Private;
use etibar_primitives::{BlockTime, DurationMs};
use etibar_vault::{
    Access, Basis, ItemKind, LegalBasis, LinkKind, NewItem, PartyId, PartyKind, Personal, Reader,
    Select, TagKind,
};
use serde_json::{Map, Value};

use crate::{
    Onboarding, OnboardingError,
    decide::{Facts, fin_of_person, owners},
    flow::{FLOW, HOLD_LAW, HOLD_MS, Next},
    policy::{COMPANY, GUARDIANSHIP, PID, Product, Role},
    session::{Session, State},
};

impl Onboarding {
    /// Owes for reuse, then opens the account and registers the alias; each once.
    pub(crate) async fn open_account(
        &self,
        session: &mut Session,
        party: PartyId,
    ) -> Result<Next, OnboardingError> {
        let product = self.product(session)?.clone();
        self.owe(session, &product).await?;
        if product.opens_account {
            let facts = self.facts(session, party, FLOW).await?;
            let customer = self.customer(&product, party, &facts).await?;
            let holder = Private(holder_name(&product, &facts));
            let accounts = &self.inner.parts.accounts;
            let iban = accounts.open(session.account, &holder).await?;
            let now = self.now();
            let mut change = self.vault().begin().await?;
            let item = NewItem {
                kind: ItemKind::Account,
                name: &product.name,
                category: 0,
                consent: None,
                keep_until: None,
                value: Personal::json(&iban.0),
            };
            change.put(party, &item, now).await?;
            change.tag(customer, TagKind::Account, iban.0.as_bytes()).await?;
            change.commit().await?;
            if let Some(phone) = self.phone(party).await? {
                accounts.register_phone(&phone, &iban).await?;
            }
        }
        let answered = session.answered.unwrap_or(self.now());
        session.opened_ms = Some(self.now().since(answered).0);
        session.reasons.clear();
        Ok(Next::To(State::Opened))
    }

    /// Whose account it is: the presenter's, the child's or the company's.
    async fn customer(
        &self,
        product: &Product,
        party: PartyId,
        facts: &Facts,
    ) -> Result<PartyId, OnboardingError> {
        let now = self.now();
        match product.role {
            Role::Customer => Ok(party),
            Role::Guardian => {
                let child = facts.of(GUARDIANSHIP).and_then(|its| its.get("child"));
                let child = child.and_then(Value::as_object).cloned().unwrap_or_default();
                let mut change = self.vault().begin().await?;
                let minor = related(&mut change, &child, now).await?;
                change.link(minor, party, LinkKind::Guardian, now).await?;
                change.commit().await?;
                Ok(minor)
            }
            Role::Director => self.company(product, party, facts).await,
        }
    }

    /// The company, its representatives and its owners above the threshold.
    async fn company(
        &self,
        product: &Product,
        director: PartyId,
        facts: &Facts,
    ) -> Result<PartyId, OnboardingError> {
        let now = self.now();
        let claims = facts.of(COMPANY).and_then(Value::as_object).cloned().unwrap_or_default();
        let voen = claims.get("voen").and_then(Value::as_str).unwrap_or_default();
        let mut change = self.vault().begin().await?;
        let known = change.find(TagKind::Voen, voen.as_bytes()).await?;
        let company = if let Some(known) = known {
            known
        } else {
            let new = change.new_party(PartyKind::Legal, now).await?;
            change.tag(new, TagKind::Voen, voen.as_bytes()).await?;
            new
        };
        crate::answer::store_claims(&mut change, company, COMPANY, &claims, None, now).await?;
        change.hold(company, HOLD_LAW, now.saturating_add(DurationMs(HOLD_MS))).await?;
        change.link(company, director, LinkKind::Representative, now).await?;
        let acting = claims.get("representatives").and_then(Value::as_array);
        for entry in acting.into_iter().flatten() {
            if let Some(person) = person_of(entry) {
                let other = related(&mut change, &person, now).await?;
                change.link(company, other, LinkKind::Representative, now).await?;
            }
        }
        for entry in owners(product, facts).unwrap_or_default() {
            if let Some(person) = person_of(entry) {
                let other = related(&mut change, &person, now).await?;
                change.link(company, other, LinkKind::BeneficialOwner, now).await?;
            }
        }
        change.commit().await?;
        Ok(company)
    }

    async fn phone(&self, party: PartyId) -> Result<Option<Private<String>>, OnboardingError> {
        let wanted = Access {
            party,
            purpose: 5,
            basis: Basis::Law(LegalBasis::DueDiligence),
            reader: Reader("alias"),
            select: Select::attributes(&["phone"]),
            now: self.now(),
        };
        let reading = self.vault().read(&wanted);
        Ok(reading.await?.get("phone").map(Personal::parse).transpose()?.map(Private))
    }
}

/// A person whom another's data names: found by its number, or made.
async fn related(
    change: &mut etibar_vault::Change,
    person: &Map<String, Value>,
    now: BlockTime,
) -> Result<PartyId, OnboardingError> {
    let fin = person.get("personal_administrative_number").and_then(Value::as_str);
    let fin = fin.ok_or(OnboardingError::ProviderAnswer)?;
    if let Some(known) = change.find(TagKind::Related, fin.as_bytes()).await? {
        return Ok(known);
    }
    let party = change.new_party(PartyKind::Natural, now).await?;
    change.tag(party, TagKind::Related, fin.as_bytes()).await?;
    crate::answer::store_claims(change, party, PID, person, None, now).await?;
    change.hold(party, HOLD_LAW, now.saturating_add(DurationMs(HOLD_MS))).await?;
    Ok(party)
}

/// The person that an entry of a company names, as claims.
fn person_of(entry: &Value) -> Option<Map<String, Value>> {
    if let Value::Object(person) = entry.get("person")? {
        return Some(person.clone());
    }
    let fin = Value::from(fin_of_person(entry)?);
    Some(Map::from_iter([("personal_administrative_number".to_owned(), fin)]))
}

/// Who the books say the account is of.
fn holder_name(product: &Product, facts: &Facts) -> String {
    let text = |claims: Option<&Value>, name: &str| {
        claims.and_then(|its| its.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let person = match product.role {
        Role::Director => return text(facts.of(COMPANY), "name"),
        Role::Guardian => facts.of(GUARDIANSHIP).and_then(|its| its.get("child")),
        Role::Customer => facts.of(PID),
    };
    format!("{} {}", text(person, "given_name"), text(person, "family_name"))
}
