//! A vault killed at any moment comes back as after its last commit.
//!
//! The program runs itself as a writer, kills it without warning, and looks at what is there.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use etibar_primitives::BlockTime;
use etibar_vault::{
    Access, Basis, ItemKind, LegalBasis, NewItem, PartyKind, Personal, Reader, Select, TagKind,
    Vault, key::FileKey, sqlite::Durability,
};

const ROUNDS: u32 = 8;
const VALUES: usize = 5;
const NOW: BlockTime = BlockTime(1_800_000_000_000);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if arguments.next().as_deref() == Some("--write") {
        let folder = arguments.next().expect("a folder");
        runtime.block_on(write(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut known = 0;
    for round in 0..ROUNDS {
        let acknowledged = run_and_kill(folder.path(), 3 + 2 * u64::from(round));
        known = runtime.block_on(look(folder.path(), acknowledged.max(known)));
    }
    let text = "a vault killed at any moment comes back as after its last commit";
    assert!(known >= u64::from(ROUNDS), "{text}: nothing was written");
}

async fn open(folder: &Path) -> Vault {
    let key = FileKey::open_or_create(&folder.join("master.key")).expect("a key");
    Vault::open(folder, Arc::new(key), Durability::Full).await.expect("a vault opens")
}

/// Writes parties for ever; erases every third; says which number is on disk.
#[expect(clippy::print_stdout, reason = "the writer tells its parent how far it is")]
async fn write(folder: &Path) -> ! {
    let vault = open(folder).await;
    let mut number = 0_u64;
    while vault.find(TagKind::Ppid, &number.to_be_bytes()).await.expect("no fault").is_some()
        || number % 3 == 2
    {
        number += 1;
    }
    loop {
        let mut change = vault.begin().await.expect("a change");
        let party = change.new_party(PartyKind::Natural, NOW).await.expect("a party");
        change.tag(party, TagKind::Ppid, &number.to_be_bytes()).await.expect("a tag");
        for value in 0..VALUES {
            let name = format!("value_{value}");
            let item = NewItem {
                kind: ItemKind::Attribute,
                name: &name,
                category: 0,
                consent: None,
                keep_until: None,
                value: Personal::json(&number),
            };
            change.put(party, &item, NOW).await.expect("a value");
        }
        if number % 3 == 2 {
            change.request_erasure(party, NOW, NOW).await.expect("a request");
        }
        change.commit().await.expect("a commit");
        if number % 3 == 2 {
            vault.erase(party, NOW, |facts| Ok(facts.id.to_vec())).await.expect("an erasure");
        }
        println!("{number}");
        number += 1;
    }
}

/// Lets the writer say `lines` numbers, kills it, and gives the last number that it said.
fn run_and_kill(folder: &Path, lines: u64) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program)
        .arg("--write")
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the writer starts");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut last = 0;
    for (line, _) in output.lines().zip(0..lines) {
        last = line.expect("a line").parse().expect("a number");
    }
    // SIGKILL: the writer is in the middle of the next party.
    child.kill().expect("the writer runs");
    child.wait().expect("the writer ends");
    last
}

/// Every party is whole, or erased with its receipt, or not there; none that was told is missing.
async fn look(folder: &Path, acknowledged: u64) -> u64 {
    let vault = open(folder).await;
    let mut whole = 0;
    for number in 0..acknowledged + 3 {
        let found = vault.find(TagKind::Ppid, &number.to_be_bytes()).await.expect("no fault");
        let Some(party) = found else {
            assert!(number > acknowledged || number % 3 == 2, "{number} is lost");
            continue;
        };
        let select = Select::kind(ItemKind::Attribute);
        let basis = Basis::Law(LegalBasis::SubjectRequest);
        let access = Access { party, purpose: 1, basis, reader: Reader("test"), select, now: NOW };
        let reading = vault.read(&access).await.expect("whole");
        assert_eq!(reading.items.len(), VALUES, "{number} is half there");
        whole += 1;
    }
    // An erasure that was cut off is still asked for, and is finished now.
    for open in vault.open_erasures().await.expect("a list") {
        vault.erase(open.party, NOW, |facts| Ok(facts.id.to_vec())).await.expect("an erasure");
    }
    assert!(vault.open_erasures().await.expect("a list").is_empty());
    vault.close().await;
    assert!(whole > 0);
    acknowledged
}
