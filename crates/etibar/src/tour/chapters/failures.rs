//! A machine dies in the middle of the day.

use std::{fs, time::Instant};

use etibar_client::wire::StatusView;

use super::{DEBTOR, order};
use crate::{
    failure::{self, Failure},
    tour::{
        chapter::Chapter,
        gateway::Gateway,
        stage::{Stage, millis, wait_for},
    },
    up::{RunningNetwork, validator_name},
};

/// Which validator is killed, from 0.
const VICTIM: usize = 1;
/// Which validator loses its disk, from 0.
const WIPED: usize = 2;
/// Payments while a validator is away.
const PAYMENTS: usize = 8;

pub(super) async fn validator(
    stage: &Stage,
    processes: &RunningNetwork,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let victim = validator_name(VICTIM);
    let payer = stage.gateway(DEBTOR)?;
    // Killed while a payment is on its way.
    let first = order(11);
    let (answer, ()) = tokio::join!(payer.pay(&first), processes.take_down(&victim));
    chapter.fact("killed", victim.clone());
    chapter.check("the payment on its way at the kill settles", answer?.status == "ACSC");
    let (settled, slowest_ms) = pay_some(&payer).await?;
    chapter.fact("slowest payment meanwhile, ms", slowest_ms);
    chapter.check(
        format!("{PAYMENTS} payments settle with three of four validators"),
        settled == PAYMENTS,
    );
    let others = height(stage, VICTIM + 1).await?.unwrap_or_default();
    let began = Instant::now();
    processes.bring_up(&victim).await;
    let reached = reach(stage, processes, VICTIM, others).await?;
    chapter.fact("blocks made meanwhile", others);
    chapter.fact("caught up after ms", millis(began));
    chapter.check("the validator comes back and catches up by itself", reached);
    Ok(())
}

/// The store is gone; what the others have is enough.
pub(super) async fn disk(
    stage: &Stage,
    processes: &RunningNetwork,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let name = validator_name(WIPED);
    let payer = stage.gateway(DEBTOR)?;
    processes.take_down(&name).await;
    let store = stage.sample.validator_config(WIPED).with_file_name("store");
    fs::remove_dir_all(&store).map_err(failure::file("remove", &store))?;
    chapter.fact("wiped", name.clone());
    let others = height(stage, VICTIM).await?.unwrap_or_default();
    let began = Instant::now();
    let (paid, ()) = tokio::join!(pay_some(&payer), processes.bring_up(&name));
    let (settled, slowest_ms) = paid?;
    chapter.fact("slowest payment meanwhile, ms", slowest_ms);
    chapter.check(format!("{PAYMENTS} payments settle while it joins"), settled == PAYMENTS);
    let reached = reach(stage, processes, WIPED, others).await?;
    chapter.fact("blocks to fetch", others);
    chapter.fact("joined after ms", millis(began));
    chapter.check("the validator gets from the others what its disk lost", reached);
    let first = stage.client_at(WIPED)?.blocks(1, 1).await.map_err(|error| Failure::Network {
        what: "ask the wiped validator for its first block",
        why: error.to_string(),
    })?;
    chapter.check("by the certified state, not by executing every block again", first.is_empty());
    Ok(())
}

/// How many of [`PAYMENTS`] settle, one after the other, and how long the slowest takes.
async fn pay_some(payer: &Gateway) -> Result<(usize, u64), Failure> {
    let (mut settled, mut slowest_ms) = (0, 0);
    for _ in 0..PAYMENTS {
        let answer = payer.pay(&order(11)).await?;
        settled += usize::from(answer.status == "ACSC");
        slowest_ms = slowest_ms.max(answer.took_ms);
    }
    Ok((settled, slowest_ms))
}

/// Whether a validator serves and reaches `target` in time.
async fn reach(
    stage: &Stage,
    processes: &RunningNetwork,
    index: usize,
    target: u64,
) -> Result<bool, Failure> {
    processes.wait_for(&validator_name(index)).await?;
    let reached = async || {
        let height = height(stage, index).await?;
        Ok(height.filter(|height| *height >= target))
    };
    Ok(wait_for(reached).await?.is_some())
}

/// The height that a validator has executed; `None` while it does not answer.
async fn height(stage: &Stage, index: usize) -> Result<Option<u64>, Failure> {
    let url = format!("{}/v1/status", stage.sample.validator_url(index));
    let Ok(answer) = reqwest::get(url).await else { return Ok(None) };
    let status: Result<StatusView, _> = answer.json().await;
    Ok(status.ok().map(|status| status.executed_height))
}
