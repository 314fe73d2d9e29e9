//! A second bank relies on the first one's due diligence.

use etibar_ledger::{
    Operation,
    operation::{Action, Excluded, ObligationsSettlement},
};

use super::{HOME, SECOND, Story, unread};
use crate::{
    failure::Failure,
    tour::{chapter::Chapter, country::failed, message::fresh_uetr, stage::Stage},
};

pub(super) async fn at_second(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let owed = owed(stage).await?;
    let opened =
        story.country.apply(stage, &story.citizen, SECOND, "current_account", None).await?;
    chapter.fact("bank", SECOND.name);
    chapter.fact("the screen named", opened.sources.join("; "));
    chapter.fact("open after ms", opened.took_ms);
    chapter.check("an account is open", opened.session.iban.is_some());
    let from = opened.session.reused_from == Some(HOME.member_id());
    chapter.check(format!("by what {} verified", HOME.name), from);
    let now_owed = self::owed(stage).await?;
    chapter.fact("owed, qəpik", now_owed.saturating_sub(owed));
    chapter.check("the second bank owes the first a fee on the ledger", now_owed > owed);
    let money = || async {
        let accounts = stage.accounts().await?;
        let of = |id: u32| {
            let number = etibar_primitives::AccountId(1_000 + u64::from(id));
            accounts.iter().find(|its| its.id == number).map_or(0, |its| its.balance)
        };
        Ok::<_, Failure>((of(HOME.id), of(SECOND.id)))
    };
    let before = money().await?;
    let settlement = ObligationsSettlement { excluded: Excluded::NONE };
    let action = Action::SettleObligations(settlement);
    let operation = Operation { id: fresh_uetr(), linked: false, action };
    let settled = stage.operator.execute(operation).await;
    let settled = settled.map_err(|error| failed("settle what is owed", error.to_string()))?;
    chapter.fact("settlement", settled.sentence());
    chapter.check("the operator nets and settles it", settled.outcome().is_accepted());
    let after = money().await?;
    let moved = i64::try_from(now_owed).unwrap_or(i64::MAX);
    chapter.check(
        "in central-bank money, to the qəpik",
        after.0 - before.0 == moved && before.1 - after.1 == moved,
    );
    chapter.check("nothing is owed any more", self::owed(stage).await? == 0);
    Ok(())
}

/// What the second bank owes the first, in qəpik.
async fn owed(stage: &Stage) -> Result<u64, Failure> {
    let open = stage.operator.obligations().await.map_err(unread)?.open;
    let ours = open
        .iter()
        .filter(|its| its.debtor == SECOND.member_id() && its.creditor == HOME.member_id());
    Ok(ours.map(|its| its.amount.minor_units()).sum())
}
