//! The search for people where none may be.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use etibar_primitives::MemberId;
use etibar_vault::{Vault, key::FileKey, sqlite::Durability};

use super::{HOME, SECOND, Story};
use crate::{
    failure::{self, Failure},
    privacy::{Dictionary, files, shared_randomness},
    sample::{MEMBERS, SampleMember, random_bytes},
    tour::{chapter::Chapter, country::failed, stage::Stage},
};

/// How long a feed may be silent before it is taken to be read to its end.
const FEED_WAIT: std::time::Duration = std::time::Duration::from_millis(150);

pub(super) async fn scan(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let dictionary = dictionary(stage, story);
    chapter.fact("values looked for, in clear and hashed", dictionary.len());
    let folder = &stage.sample.folder;
    let mut bytes = 0_usize;
    let mut found = BTreeSet::new();
    for place in ["validators", "logs", "genesis.json", "network.toml"] {
        for path in files(&folder.join(place))? {
            let content = fs::read(&path).map_err(failure::file("read", &path))?;
            bytes += content.len();
            found.extend(dictionary.hits(&content).map(|what| format!("{what} in {place}")));
        }
    }
    chapter.fact("bytes of ledger and logs", bytes);
    chapter.check(told("no byte of the ledger's stores or of a log is about a person", &found), {
        found.is_empty() && bytes > 0
    });
    let mut found = BTreeSet::new();
    let mut pages = 0_usize;
    let ports = &stage.sample.ports;
    for member in ports.edges.iter().chain(&ports.agencies).map(|its| its.member) {
        let url = format!("{}/metrics", stage.sample.edge_url(member));
        let text = story.country.text(url).await?;
        pages += 1;
        let place = format!("metrics of {member}");
        found.extend(dictionary.hits(text.as_bytes()).map(|what| format!("{what} in {place}")));
    }
    chapter.fact("pages of metrics", pages);
    chapter.check(told("no metric is", &found), found.is_empty() && pages > 0);
    let (found, events) = feeds(stage, &dictionary).await?;
    chapter.fact("events", events);
    chapter.check(told("no event is", &found), found.is_empty() && events > 0);
    // The registers hold people: a search that finds nobody there would find nobody anywhere.
    let register = stage.sample.member_folder(MemberId(12)).join("register");
    let mut seen = 0;
    for path in files(&register)? {
        let content = fs::read(&path).map_err(failure::file("read", &path))?;
        seen += dictionary.hits(&content).count();
    }
    chapter.check(format!("the same search finds {seen} in the register itself"), seen > 0);
    vaults(stage, chapter).await
}

/// Two banks hold nothing by which they could find a common customer.
async fn vaults(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let read = |folder: &Path| -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        for path in files(folder)? {
            all.extend(fs::read(&path).map_err(failure::file("read", &path))?);
        }
        Ok(all)
    };
    let of = |bank: &SampleMember| stage.sample.member_folder(bank.member_id()).join("vault");
    let empty = tempfile::tempdir();
    let empty = empty.map_err(failure::system("cannot make a temporary folder"))?;
    let key = Arc::new(FileKey::new(random_bytes()));
    let nobody = Vault::open(empty.path(), key, Durability::Full).await;
    nobody.map_err(|error| failed("make an empty vault", error.to_string()))?;
    let (one, other) = (read(&of(HOME))?, read(&of(SECOND))?);
    chapter.fact("bytes of two vaults", one.len() + other.len());
    let shared = shared_randomness(&one, &other, &read(empty.path())?);
    chapter.fact("values in both", shared);
    chapter.check("two banks' vaults have no key, name or sealed value in common", shared == 0);
    Ok(())
}

/// Every event that the operator and the banks are served.
async fn feeds(
    stage: &Stage,
    dictionary: &Dictionary,
) -> Result<(BTreeSet<String>, usize), Failure> {
    let (mut found, mut events) = (BTreeSet::new(), 0);
    for member in &MEMBERS[1..] {
        let mut feed = stage.client(member)?.events(0);
        loop {
            let page = tokio::time::timeout(FEED_WAIT, feed.next()).await;
            let Ok(page) = page else { break };
            let page = page.map_err(super::unread)?;
            events += page.events.len();
            for event in &page.events {
                let place = format!("events of {}", member.id);
                let hits = dictionary.hits(&event.operation);
                found.extend(hits.map(|what| format!("{what} in {place}")));
            }
        }
    }
    Ok((found, events))
}

/// Everybody of the population, and the numbers of those who took part.
fn dictionary(stage: &Stage, story: &Story) -> Dictionary {
    let network = stage.sample.genesis.network();
    let mut dictionary = Dictionary::new(&network);
    let (enrolled, numbers) = story.country.known();
    for (index, person) in story.country.population().people().iter().enumerate() {
        let fin = person.fin.expose();
        // Seven digits may be any number; of those who took part they are searched all the same.
        if enrolled.contains(&index) || fin.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            dictionary.add("FIN", fin);
        }
        dictionary.add("name", &format!("{} {}", person.given_name, person.family_name));
        dictionary.add("document", &person.document_number);
        if enrolled.contains(&index) {
            dictionary.add("birth date", &person.born.to_string());
        }
    }
    for number in &numbers {
        dictionary.add("number", number);
        dictionary.add("number", &number.replace('-', ""));
    }
    dictionary
}

fn told(sentence: &str, found: &BTreeSet<String>) -> String {
    let found: Vec<_> = found.iter().take(5).cloned().collect();
    if found.is_empty() { sentence.to_owned() } else { format!("{sentence}: {}", found.join("; ")) }
}
