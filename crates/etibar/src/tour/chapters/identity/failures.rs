//! What fails in the middle of an opening.

use std::time::Duration;

use tokio::time::timeout;

use super::{Story, code};
use crate::{
    failure::Failure,
    sample::{AGENCIES, MEMBERS, SampleMember},
    tour::{
        chapter::Chapter,
        country::{Citizen, broken},
        stage::Stage,
    },
    up::{RunningNetwork, agency_name, edge_name},
};

/// The bank that dies.
const VICTIM: &SampleMember = &MEMBERS[7];
/// The credit bureau's place among the agencies.
const BUREAU: usize = 13;
/// How long after the person agreed the bank is killed: an opening takes some longer.
const KILLED_AFTER: Duration = Duration::from_millis(60);
/// How long the person looks at a screen on which nothing happens.
const PERSON_WAITS: Duration = Duration::from_secs(3);

pub(super) async fn in_the_middle(
    stage: &Stage,
    processes: &RunningNetwork,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let citizen = story.country.enrol().await?;
    agency_down(stage, processes, story, &citizen, chapter).await?;
    bank_killed(stage, processes, story, &citizen, chapter).await?;
    wallet_closed(stage, story, &citizen, chapter).await
}

/// The source of the data comes back only after the person has answered.
async fn agency_down(
    stage: &Stage,
    processes: &RunningNetwork,
    story: &Story,
    citizen: &Citizen,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let bureau = agency_name(AGENCIES[BUREAU].member_id());
    let (id, link) = story.country.session(stage, VICTIM, "loan", None).await?;
    processes.take_down(&bureau).await;
    // The bank has the answer and waits for the bureau; the person closes the wallet.
    let approved = timeout(PERSON_WAITS, story.country.approve(citizen, &link)).await;
    if let Ok(approved) = approved {
        approved.map_err(broken("present to a bank"))?;
    }
    processes.bring_up(&bureau).await;
    processes.wait_for(&bureau).await?;
    for request in citizen.holder.unfinished().await.map_err(broken("look at a wallet"))? {
        citizen.holder.outcome(request).await.map_err(broken("ask how it ended"))?;
    }
    let session = story.country.ended(stage, VICTIM, &id).await?;
    chapter.fact("with the credit bureau down", session.state.clone());
    chapter.check("the loan goes on when the credit bureau is back", session.state == "done");
    Ok(())
}

/// The bank is killed while it opens the account.
async fn bank_killed(
    stage: &Stage,
    processes: &RunningNetwork,
    story: &Story,
    citizen: &Citizen,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let edge = edge_name(VICTIM.member_id());
    let before = stage.gateway(VICTIM)?.book().await?.len();
    let (id, link) = story.country.session(stage, VICTIM, "current_account", None).await?;
    let request = citizen.holder.open_request(&link).await.map_err(broken("ask a bank"))?;
    let gesture = story.country.wallet().scripted().map_err(broken("act by script"))?;
    // The answer is on its way or taken; consents, decision, account and credential are to come.
    drop(timeout(KILLED_AFTER, citizen.holder.approve(request, &gesture)).await);
    processes.take_down(&edge).await;
    processes.bring_up(&edge).await;
    processes.wait_for(&edge).await?;
    let answered = citizen.holder.is_answered(request).await;
    let went_on = if answered.map_err(broken("look at a request"))? {
        citizen.holder.outcome(request).await.map(drop)
    } else {
        citizen.holder.approve(request, &gesture).await.map(drop)
    };
    went_on.map_err(broken("go on with a bank"))?;
    let session = story.country.ended(stage, VICTIM, &id).await?;
    chapter.fact("killed after the answer", session.state.clone());
    chapter.check("the bank that was killed ends the session", session.is_final);
    let after = stage.gateway(VICTIM)?.book().await?.len();
    let whole = match (&session.iban, session.state.as_str()) {
        (Some(_), "done") => after == before + 1 && !session.consents.is_empty(),
        (None, how) => after == before && how != "done",
        _ => false,
    };
    chapter.check("with an account and its consents, or with neither: nothing half-open", whole);
    chapter.check("the account is open", session.iban.is_some());
    Ok(())
}

/// The person closes the wallet before agreeing.
async fn wallet_closed(
    stage: &Stage,
    story: &Story,
    citizen: &Citizen,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let other = &MEMBERS[8];
    let before = stage.gateway(other)?.book().await?.len();
    let (id, link) = story.country.session(stage, other, "current_account", None).await?;
    let request = citizen.holder.open_request(&link).await;
    let request = request.map_err(broken("take a bank's request"))?;
    citizen.holder.decline(request).await.map_err(broken("decline"))?;
    let session = story.country.ended(stage, other, &id).await?;
    let after = stage.gateway(other)?.book().await?.len();
    chapter.check(
        format!("who does not agree has no account and gave no consent ({})", session.state),
        session.iban.is_none() && session.consents.is_empty() && before == after,
    );
    let late = code(story.country.approve(citizen, &link).await);
    chapter.check(format!("and a late answer is refused ({late})"), !late.is_empty());
    Ok(())
}
