//! Every access leaves a receipt; what is hidden is missed.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use etibar_wallet::{
    Language,
    view::{AccessLine, AccessLog, Verdict},
};

use super::{HOME, Story};
use crate::{
    failure::{self, Failure},
    tour::{
        chapter::Chapter,
        country::broken,
        stage::{Stage, millis, wait_for},
    },
    up::{RunningNetwork, edge_name},
};

pub(super) async fn complete(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let began = Instant::now();
    let log = settled(story).await?;
    chapter.fact("all anchored after ms", millis(began));
    tell(&log, chapter);
    let verified = |line: &AccessLine| matches!(line.verdict, Verdict::Verified { .. });
    chapter.check("there are accesses", !log.lines.is_empty());
    chapter.check(
        "each is signed, numbered without a gap, anchored on the ledger",
        !log.lines.is_empty() && log.lines.iter().all(verified),
    );
    let given = |line: &&AccessLine| line.action == "fetch" && line.signed.len() == 2;
    let used = |line: &&AccessLine| line.action == "use";
    chapter.check(
        "both sides sign what a register gave, the bank alone what it did with what it had",
        log.lines.iter().any(|line| given(&line))
            && log.lines.iter().filter(used).all(|line| line.signed.len() == 1),
    );
    let fetched = log.lines.iter().any(|line| line.action == "fetch");
    chapter.check("the look at the credit report is among them", fetched);
    // A network that was visited may not run every member that the wallet knows.
    chapter.check(
        "every member that has data answered",
        log.silent.is_empty() || { stage.processes().is_none() },
    );
    Ok(())
}

/// A bank goes back to an older state of its vault.
pub(super) async fn hidden(
    stage: &Stage,
    processes: &RunningNetwork,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let edge = edge_name(HOME.member_id());
    let vault = stage.sample.member_folder(HOME.member_id()).join("vault");
    let (older, newer) = (vault.with_extension("older"), vault.with_extension("newer"));
    processes.take_down(&edge).await;
    copy(&vault, &older)?;
    restart(processes, &edge).await?;
    let opened = story.country.apply(stage, &story.citizen, HOME, "loan", None).await?;
    chapter.check("the bank reads more of the person's data", opened.session.state == "done");
    let honest = settled(story).await?;
    chapter.check("the wallet has seen every receipt", {
        honest.lines.iter().all(|line| !line.verdict.is_bad())
    });
    processes.take_down(&edge).await;
    rename(&vault, &newer)?;
    rename(&older, &vault)?;
    restart(processes, &edge).await?;
    let log = look(story).await?;
    let bad = log.lines.iter().filter(|line| line.verdict.is_bad()).count();
    chapter.fact("flagged", bad);
    chapter.check("the bank loses them: the wallet flags what is missing", bad > 0);
    processes.take_down(&edge).await;
    fs::remove_dir_all(&vault).map_err(failure::file("remove", &vault))?;
    rename(&newer, &vault)?;
    restart(processes, &edge).await?;
    let log = settled(story).await?;
    chapter.check("with the whole log again nothing is flagged", {
        log.lines.iter().all(|line| !line.verdict.is_bad())
    });
    Ok(())
}

async fn restart(processes: &RunningNetwork, name: &str) -> Result<(), Failure> {
    processes.bring_up(name).await;
    processes.wait_for(name).await
}

/// One look at every member's receipts.
async fn look(story: &Story) -> Result<AccessLog, Failure> {
    let gesture = story.country.wallet().scripted().map_err(broken("act by script"))?;
    let log = story.citizen.holder.accesses(&gesture, Language::En).await;
    log.map_err(broken("ask who saw the data"))
}

/// Looks until every receipt is anchored, or as the last look found it.
async fn settled(story: &Story) -> Result<AccessLog, Failure> {
    let anchored = async || {
        let log = look(story).await?;
        let waits = log.lines.iter().any(|line| line.verdict == Verdict::Waiting);
        Ok((!waits && log.silent.is_empty()).then_some(log))
    };
    match wait_for(anchored).await? {
        Some(log) => Ok(log),
        None => look(story).await,
    }
}

/// What the person reads.
fn tell(log: &AccessLog, chapter: &mut Chapter) {
    chapter.fact("accesses", log.lines.len());
    if !log.silent.is_empty() {
        chapter.fact("silent", log.silent.join(", "));
    }
    for (number, line) in log.lines.iter().enumerate() {
        let verdict = match &line.verdict {
            Verdict::Verified { .. } => "verified".to_owned(),
            Verdict::Waiting => "not anchored yet".to_owned(),
            Verdict::Missing => "MISSING".to_owned(),
            Verdict::Altered { code } => format!("ALTERED {code}"),
        };
        let what = line.claims.join(", ");
        let text = format!(
            "{} {} from {}: {} ({}) {verdict}",
            line.who, line.action, line.from, what, line.purpose
        );
        chapter.fact(&format!("{}", number + 1), text);
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::rename(from, to).map_err(failure::file("move", from))
}

/// Copies a folder of files.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(failure::file("make", to))?;
    for entry in fs::read_dir(from).map_err(failure::file("read", from))? {
        let source: PathBuf = entry.map_err(failure::file("read", from))?.path();
        let name = source.file_name().expect("an entry of a folder has a name");
        fs::copy(&source, to.join(name)).map_err(failure::file("copy", &source))?;
    }
    Ok(())
}
