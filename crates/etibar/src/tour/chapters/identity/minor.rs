//! A child, through the parent whom the register names.

use std::collections::BTreeMap;

use etibar_agency::population::Population;
use etibar_openid::{Private, member::RegisterChange};

use super::{GUARDIANSHIP, HOME, SECOND, Story, code};
use crate::{
    failure::Failure,
    sample::AGENCIES,
    tour::{
        chapter::Chapter,
        chapters::order,
        country::{Citizen, failed},
        message::{Order, Payee, fresh_uetr},
        stage::{Stage, wait_for},
    },
};

/// The justice ministry's place among the agencies.
const JUSTICE: usize = 2;
const PRODUCT: &str = "minor_account";

pub(super) async fn opened(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let country = &story.country;
    let parent = country.enrol_one(|population, index| children(population, index).len() == 1);
    let parent = parent.await?;
    let child = children(country.population(), parent.index)[0];
    not_alone(stage, story, &parent, child, chapter).await?;
    let opened = country.apply(stage, &parent, HOME, PRODUCT, None).await?;
    chapter.fact("the screen named", opened.sources.join("; "));
    chapter.fact("open after ms", opened.took_ms);
    chapter.fact("reasons", opened.session.reasons.join(", "));
    let named = opened.sources.iter().any(|source| source.contains("Justice"));
    chapter.check("one gesture of the parent fetches the certificate and shows it", named);
    let Some(Private(iban)) = &opened.session.iban else {
        chapter.check(format!("an account is open: {}", opened.session.state), false);
        return Ok(());
    };
    let gateway = stage.gateway(HOME)?;
    let in_books = gateway.book().await?.iter().any(|its| its.number == *iban);
    chapter.check("the child's account stands in the bank's books", in_books);
    let payee = Payee::Account(iban.clone());
    let to_child = Order { creditor: HOME, payee, ..order(1_500) };
    let answer = stage.gateway(to_child.debtor)?.pay(&to_child).await?;
    chapter.check(format!("pocket money arrives: {}", answer.short()), answer.status == "ACSC");
    let credited = async || {
        let book = gateway.book().await?;
        let entry = book.into_iter().find(|entry| entry.number == *iban);
        Ok(entry.filter(|entry| entry.balance == to_child.amount.minor_units()))
    };
    chapter.check("and is on the child's account", wait_for(credited).await?.is_some());
    withdrawn(stage, story, &parent, chapter).await
}

/// A child cannot enrol or open alone, nor can a stranger for it.
async fn not_alone(
    stage: &Stage,
    story: &Story,
    parent: &Citizen,
    child: usize,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let country = &story.country;
    let alone = code(country.wallet().enrol(&country.application(child)).await);
    chapter.check(format!("a child does not enrol alone ({alone})"), alone == "guardian_needed");
    let citizen = country.enrol_child(child, parent).await?;
    let refused = country.apply(stage, &citizen, HOME, "current_account", None).await?;
    chapter.check(
        format!("with the parent it does, but opens no account ({:?})", refused.session.reasons),
        refused.session.iban.is_none() && refused.session.reasons == ["under_age"],
    );
    let stranger = country.enrol_one(|population, index| children(population, index).is_empty());
    let stranger = stranger.await?;
    let (_, link) = country.session(stage, HOME, PRODUCT, None).await?;
    let given = code(country.approve(&stranger, &link).await);
    chapter.check(format!("a stranger is given no certificate ({given})"), {
        given == "record_unknown"
    });
    Ok(())
}

/// The court takes the guardianship away: from then on it opens nothing.
async fn withdrawn(
    stage: &Stage,
    story: &Story,
    parent: &Citizen,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let country = &story.country;
    let change = RegisterChange {
        id: fresh_uetr(),
        subject: Private(country.person(parent.index).fin.expose().to_owned()),
        vct: GUARDIANSHIP.to_owned(),
        changes: Private(BTreeMap::from([("record.ended".to_owned(), "withdrawn".into())])),
        reason: "a court order".to_owned(),
    };
    let done = country.change(stage, &AGENCIES[JUSTICE], &change).await?;
    if done.revoked == 0 {
        return Err(failed("withdraw a guardianship", "nothing was revoked".to_owned()));
    }
    let (_, link) = country.session(stage, SECOND, PRODUCT, None).await?;
    let late = code(country.approve(parent, &link).await);
    chapter.check(format!("a guardianship that ended opens nothing more ({late})"), {
        late == "record_unknown"
    });
    Ok(())
}

/// The living minors whose guardian the person is.
fn children(population: &Population, guardian: usize) -> Vec<usize> {
    let people = population.people().iter().enumerate();
    let minor = people.filter(|(_, its)| its.guardian == Some(guardian) && its.died.is_none());
    minor.map(|(index, _)| index).collect()
}
