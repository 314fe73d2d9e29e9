//! A machine dies in the middle of the day.

use std::time::Instant;

use etibar_client::wire::StatusView;

use super::{DEBTOR, order};
use crate::{
    failure::Failure,
    tour::{
        chapter::Chapter,
        stage::{Stage, millis, wait_for},
    },
    up::validator_name,
};

/// Which validator is killed, from 0.
const VICTIM: usize = 1;
/// Payments while it is down.
const PAYMENTS: usize = 8;

pub(super) async fn validator(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let victim = validator_name(VICTIM);
    let payer = stage.gateway(DEBTOR)?;
    // Killed while a payment is on its way.
    let first = order(11);
    let (answer, ()) = tokio::join!(payer.pay(&first), stage.network.take_down(&victim));
    chapter.fact("killed", victim.clone());
    chapter.check("the payment on its way at the kill settles", answer?.status == "ACSC");
    let mut slowest_ms = 0;
    let mut settled = 0;
    for _ in 0..PAYMENTS {
        let answer = payer.pay(&order(11)).await?;
        settled += usize::from(answer.status == "ACSC");
        slowest_ms = slowest_ms.max(answer.took_ms);
    }
    chapter.fact("slowest payment meanwhile, ms", slowest_ms);
    chapter.check(
        format!("{PAYMENTS} payments settle with three of four validators"),
        settled == PAYMENTS,
    );
    let others = height(stage, VICTIM + 1).await?.unwrap_or_default();
    let began = Instant::now();
    stage.network.bring_up(&victim).await;
    stage.network.wait_for(&victim).await?;
    let caught_up = async || {
        let height = height(stage, VICTIM).await?;
        Ok(height.filter(|height| *height >= others))
    };
    let reached = wait_for(caught_up).await?;
    chapter.fact("blocks made meanwhile", others);
    chapter.fact("caught up after ms", millis(began));
    chapter.check("the validator comes back and catches up by itself", reached.is_some());
    Ok(())
}

/// The height that a validator has executed; `None` while it does not answer.
async fn height(stage: &Stage, index: usize) -> Result<Option<u64>, Failure> {
    let url = format!("{}/v1/status", stage.network.sample().validator_url(index));
    let Ok(answer) = reqwest::get(url).await else { return Ok(None) };
    let status: Result<StatusView, _> = answer.json().await;
    Ok(status.ok().map(|status| status.executed_height))
}
