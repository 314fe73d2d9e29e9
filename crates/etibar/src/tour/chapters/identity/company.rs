//! A legal person, through who represents it.

use etibar_openid::Private;

use super::{COMPANY, SECOND, Story};
use crate::{
    failure::Failure,
    tour::{chapter::Chapter, country::broken, stage::Stage},
};

pub(super) async fn opened(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let directs = |index: usize| {
        move |population: &etibar_agency::population::Population| {
            population.companies().iter().any(|its| its.director == index)
        }
    };
    let director = story.country.enrol_one(|population, index| directs(index)(population)).await?;
    let gesture = story.country.wallet().scripted().map_err(broken("act by script"))?;
    let added = director.holder.add_credential(COMPANY, &gesture).await;
    added.map_err(broken("fetch the company's credential"))?;
    chapter.check("the tax service attests the company to its director", true);
    let opened = story.country.apply(stage, &director, SECOND, "company_account", None).await?;
    chapter.fact("the screen named", opened.sources.join("; "));
    chapter.fact("open after ms", opened.took_ms);
    chapter.fact("reasons", opened.session.reasons.join(", "));
    let Some(Private(iban)) = &opened.session.iban else {
        chapter.check(format!("an account is open: {}", opened.session.state), false);
        return Ok(());
    };
    let in_books = stage.gateway(SECOND)?.book().await?.iter().any(|its| its.number == *iban);
    chapter.check("an account of the company stands in the bank's books", in_books);
    Ok(())
}
