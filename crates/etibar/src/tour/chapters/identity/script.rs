//! A developer's script holds a wallet: the same code as the pages, on the command line.

use std::{fs, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;

use crate::{
    failure::{self, Failure},
    sample::{MEMBERS, SampleMember},
    tour::{chapter::Chapter, country::failed, stage::Stage},
};

/// Where the script's person opens an account.
const BANK: &SampleMember = &MEMBERS[9];

/// Somebody of the folder's list.
#[derive(Deserialize)]
struct Listed {
    fin: String,
    document: String,
}

/// The command line of one wallet.
struct CommandLine {
    program: PathBuf,
    config: PathBuf,
    store: PathBuf,
}

impl CommandLine {
    /// Runs one act: its answer, or what it said when it failed.
    async fn run(&self, act: &[&str]) -> Result<Result<Value, String>, Failure> {
        let mut command = Command::new(&self.program);
        command.arg("holder").arg("--config").arg(&self.config).arg("--store").arg(&self.store);
        let ended = command.args(act).output().await;
        let ended = ended.map_err(failure::system("cannot run a script's command"))?;
        if !ended.status.success() {
            return Ok(Err(String::from_utf8_lossy(&ended.stderr).into_owned()));
        }
        let answer = serde_json::from_slice(&ended.stdout);
        Ok(Ok(answer.map_err(|error| failed("read a command's answer", error.to_string()))?))
    }

    /// Runs one act that must succeed.
    async fn done(&self, act: &[&str]) -> Result<Value, Failure> {
        self.run(act).await?.map_err(|why| failed("run a script's command", why))
    }
}

pub(super) async fn holds(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let folder = tempfile::tempdir();
    let folder = folder.map_err(failure::system("cannot make a temporary folder"))?;
    let program = std::env::current_exe();
    let script = CommandLine {
        program: program.map_err(failure::system("cannot find this program's own file"))?,
        config: stage.sample.wallet_config(),
        store: folder.path().join("holder"),
    };
    let person = enrol(stage, &script).await?;
    let whose = ["--person", &person];
    let bank = BANK.id.to_string();
    let screen = script.done(&[&["ask"], &whose[..], &[&bank]].concat()).await?;
    chapter.check("what the screen shows is there to read", {
        screen["who"]["member"] == BANK.id && screen["parts"][0]["text"].is_string()
    });
    let request = text(&screen["request"]);
    let approve = [&["approve"], &whose[..], &[request]].concat();
    let outcome = script.done(&approve).await?;
    let iban = text(&outcome["account"]["iban"]).to_owned();
    let in_books = stage.gateway(BANK)?.book().await?.iter().any(|its| its.number == iban);
    chapter.check("an approval opens an account that stands in the bank's books", in_books);
    let again = script.done(&approve).await?;
    chapter.check("approved again it is the same account", {
        again["account"]["iban"] == iban.as_str()
    });
    let shown = script.done(&[&["show"], &whose[..]].concat()).await?;
    let active = |its: &&Value| its["state"] == "active" && its["member"] == BANK.id;
    let consents: Vec<&Value> = shown["consents"].as_array().into_iter().flatten().collect();
    let consent = consents.into_iter().find(active).map(|its| text(&its["id"]));
    let consent = consent.ok_or_else(|| failed("find the consent", "there is none".to_owned()))?;
    let revoked = script.done(&[&["revoke"], &whose[..], &[consent]].concat()).await?;
    chapter.check("a consent is withdrawn", revoked["state"] == "revoked");
    let log = script.done(&[&["accesses"], &whose[..]].concat()).await?;
    let lines = log["accesses"].as_array().map_or(0, Vec::len);
    chapter.fact("accesses", lines);
    chapter.check("who saw the data is verified", log["whole"] == true && lines > 0);
    let wrong = script.run(&["show", "--person", &"0".repeat(32)]).await?;
    let code = wrong.err().unwrap_or_default();
    chapter.check("a stranger's number is refused with its code", code.contains("person_unknown"));
    Ok(())
}

/// The first of the list who has no wallet yet.
async fn enrol(stage: &Stage, script: &CommandLine) -> Result<String, Failure> {
    let path = stage.sample.people_file();
    let list = fs::read(&path).map_err(failure::file("read", &path))?;
    let list: Vec<Listed> = serde_json::from_slice(&list)
        .map_err(|error| failed("read the list of people", error.to_string()))?;
    for its in &list {
        let act = ["enrol", "--fin", &its.fin, "--document", &its.document];
        match script.run(&act).await? {
            Ok(answer) => return Ok(text(&answer["person"]).to_owned()),
            Err(why) if why.contains("already_enrolled") => {}
            Err(why) => return Err(failed("enrol by script", why)),
        }
    }
    Err(failed("enrol by script", "everybody of the list has a wallet".to_owned()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
