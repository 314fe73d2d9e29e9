//! A loan is assessed by income, employment and debts.

use super::{HOME, Story};
use crate::{
    failure::Failure,
    tour::{chapter::Chapter, stage::Stage},
};

pub(super) async fn assessed(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let opened = story.country.apply(stage, &story.citizen, HOME, "loan", None).await?;
    chapter.fact("the screen named", opened.sources.join("; "));
    chapter.fact("decided after ms", opened.took_ms);
    chapter.fact("outcome", opened.session.state.clone());
    chapter.fact("reasons", opened.session.reasons.join(", "));
    let named = |what: &str| opened.sources.iter().any(|source| source.contains(what));
    chapter.check("one screen names the income and the debts", {
        opened.sources.len() >= 3 && named("from")
    });
    chapter.check("the bank has what it needs", opened.session.state == "done");
    let providers = opened.session.consents.iter().map(|its| its.provider.0);
    let providers: Vec<_> = providers.collect();
    chapter.check(
        "with a consent for each source, the credit bureau among them",
        providers.contains(&16) && providers.contains(&25),
    );
    Ok(())
}
