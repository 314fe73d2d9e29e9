//! What the vault promises.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use etibar_primitives::{BlockTime, Digest, MemberId, merkle};
use etibar_vault::{
    Access, Basis, ItemKind, LegalBasis, LinkKind, NewItem, PartyId, PartyKind, Personal, Reader,
    Select, TagKind, Vault, VaultError,
    consent::{ConsentId, ConsentState, NewConsent},
    grants::{Added, KeptGrant, Key},
    key::FileKey,
    random_id,
    sqlite::Durability,
    work::Work,
};
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

const NOW: BlockTime = BlockTime(1_800_000_000_000);
const YEAR_MS: u64 = 31_536_000_000;
const IDENTITY: u8 = 0;
const INCOME: u8 = 6;
/// Values of an invented person.
const VALUES: [(&str, u8, &str); 4] = [
    ("family_name", IDENTITY, "Nümunəyev-Sınaq"),
    ("personal_administrative_number", IDENTITY, "9ZZ9ZZ9"),
    ("birthdate", 1, "1991-02-03-sample"),
    ("monthly_salary_qepik", INCOME, "123456789012"),
];

async fn open(folder: &Path, master: u8) -> Vault {
    let key = Arc::new(FileKey::new([master; 32]));
    Vault::open(folder, key, Durability::Process).await.expect("a vault opens")
}

/// Puts the invented person in, with two consents; one is granted.
async fn enrol(vault: &Vault, pseudonym: &str, now: BlockTime) -> (PartyId, [ConsentId; 2]) {
    let mut change = vault.begin().await.expect("a change begins");
    let party = change.new_party(PartyKind::Natural, now).await.expect("a party");
    change.tag(party, TagKind::Ppid, pseudonym.as_bytes()).await.expect("a tag");
    let consents = [ConsentId(random_id()), ConsentId(random_id())];
    for (id, scope) in consents.into_iter().zip([0b11, 0b100_0000]) {
        let rel: [u8; 32] = rand::random();
        let consent = NewConsent {
            id,
            party,
            rel,
            provider: MemberId(12),
            purpose: 1,
            scope,
            expires: BlockTime(now.0 + YEAR_MS),
            secret: Personal::json(&("artefact", rel.to_vec())),
        };
        change.draft_consent(&consent, now).await.expect("a consent");
    }
    change.set_consent(consents[0], ConsentState::Granted, now).await.expect("granted");
    for (name, category, value) in VALUES {
        let item = NewItem {
            kind: ItemKind::Attribute,
            name,
            category,
            consent: Some(consents[0]),
            keep_until: None,
            value: Personal::json(&value),
        };
        change.put(party, &item, now).await.expect("a value");
    }
    change.commit().await.expect("a commit");
    (party, consents)
}

fn access(party: PartyId, basis: Basis, select: Select<'_>) -> Access<'_> {
    Access { party, purpose: 1, basis, reader: Reader("test"), select, now: NOW }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, VaultError>) -> &'static str {
    result.expect_err("a refusal").code()
}

#[tokio::test]
async fn a_value_comes_back_under_its_consent_and_the_reading_is_on_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path(), 1).await;
    let (party, [consent, _]) = enrol(&vault, "ppid-1", NOW).await;
    let names = ["family_name", "birthdate"];
    let wanted = access(party, Basis::Consent(consent), Select::attributes(&names));
    let reading = vault.read(&wanted).await.expect("a reading");
    let name: String = reading.get("family_name").expect("it was put in").parse().expect("JSON");
    assert_eq!(name, VALUES[0].2);
    let records = vault.accesses(party, 0).await.expect("records");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].sequence, reading.record);
    assert_eq!(records[0].names, ["birthdate", "family_name"]);
    assert_eq!((records[0].consent, records[0].purpose), (Some(consent), 1));
}

#[tokio::test]
async fn the_gate_refuses_what_the_basis_does_not_reach_and_reads_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path(), 1).await;
    let (party, [granted, drafted]) = enrol(&vault, "ppid-1", NOW).await;
    let (other, _) = enrol(&vault, "ppid-2", NOW).await;
    let name = ["family_name"];
    let one = Select::attributes(&name);
    let at = |basis, select| access(party, basis, select);
    let consent = Basis::Consent(granted);
    let salary = ["monthly_salary_qepik"];
    let income = Select::attributes(&salary);
    let law = |law| Basis::Law(law);
    for (wanted, code) in [
        (at(Basis::Consent(drafted), income), "consent_not_in_force"),
        (at(consent, income), "outside_consent"),
        (Access { purpose: 2, ..at(consent, one) }, "consent_other_purpose"),
        (Access { party: other, ..at(consent, one) }, "consent_unknown"),
        (at(Basis::Consent(ConsentId([0; 16])), one), "consent_unknown"),
        (Access { now: BlockTime(NOW.0 + YEAR_MS), ..at(consent, one) }, "consent_not_in_force"),
        (at(law(LegalBasis::DueDiligence), income), "basis_too_narrow"),
        (at(law(LegalBasis::Contract), one), "basis_too_narrow"),
        (at(law(LegalBasis::Authority), one), "basis_too_narrow"),
        (Access { party: PartyId([9; 16]), ..at(consent, one) }, "party_unknown"),
    ] {
        assert_eq!(refusal(vault.read(&wanted).await), code);
    }
    assert!(vault.accesses(party, 0).await.expect("records").is_empty());
    let mut change = vault.begin().await.expect("a change");
    change.set_consent(granted, ConsentState::Revoked, NOW).await.expect("revoked");
    change.set_consent(granted, ConsentState::Granted, NOW).await.expect("too late: no effect");
    change.commit().await.expect("a commit");
    assert_eq!(refusal(vault.read(&at(consent, one)).await), "consent_not_in_force");
}

/// Every cell of every table, as bytes, and the whole files.
async fn dump(folder: &Path) -> (Vec<Vec<u8>>, Vec<u8>) {
    let url = format!("sqlite://{}", folder.join("vault.sqlite").display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the file opens");
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .fetch_all(&pool)
            .await
            .expect("tables");
    let mut cells = Vec::new();
    for table in tables.iter().filter(|table| !table.starts_with("_sqlx")) {
        let sql = sqlx::AssertSqlSafe(format!("SELECT * FROM \"{table}\""));
        for row in sqlx::query(sql).fetch_all(&pool).await.expect("rows") {
            for column in row.columns() {
                let value = row.try_get_raw(column.ordinal()).expect("a value");
                if value.is_null() {
                    continue;
                }
                cells.push(match value.type_info().name() {
                    "INTEGER" => {
                        let number: i64 = row.get(column.ordinal());
                        number.to_string().into_bytes()
                    }
                    "TEXT" => row.get::<String, _>(column.ordinal()).into_bytes(),
                    _ => row.get::<Vec<u8>, _>(column.ordinal()),
                });
            }
        }
    }
    pool.close().await;
    let mut bytes = std::fs::read(folder.join("vault.sqlite")).expect("the file");
    bytes.extend(std::fs::read(folder.join("vault.sqlite-wal")).unwrap_or_default());
    (cells, bytes)
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn two_banks_files_share_no_value_and_show_none_in_clear() {
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let mut dumps = Vec::new();
    for (bank, folder) in (1_u8..).zip(&folders) {
        let vault = open(folder.path(), bank).await;
        // The same identifiers at both banks: harder than what the registrar's ppid gives.
        let now = BlockTime(NOW.0 + u64::from(bank));
        let (party, [consent, _]) = enrol(&vault, "same-pseudonym", now).await;
        let mut change = vault.begin().await.expect("a change");
        change.tag(party, TagKind::Voen, b"1406242111").await.expect("a tag");
        let receipt = Personal::json(&"a receipt with the same words");
        let rel: [u8; 32] = rand::random();
        let leaf = Digest(rand::random());
        change.put_receipt(party, &rel, 1, leaf, &receipt, now).await.expect("a receipt");
        change.make_anchor().await.expect("an anchor");
        let work = Work::new(random_id(), "presented", &"same payload", now, Some(now));
        change.put_work("session", &work).await.expect("work");
        change.commit().await.expect("a commit");
        let select = Select::attributes(&["birthdate"]);
        let wanted = Access { now, ..access(party, Basis::Consent(consent), select) };
        vault.read(&wanted).await.expect("a reading");
        let mut change = vault.begin().await.expect("a change");
        let later = BlockTime(now.0 + YEAR_MS);
        change.hold(party, "law_781_viq", later).await.expect("a hold");
        change.request_erasure(party, now, later).await.expect("a request");
        change.commit().await.expect("a commit");
        let facts = |facts: &etibar_vault::erasure::ErasureFacts| Ok(facts.id.to_vec());
        vault.erase(party, now, facts).await.expect("an erasure");
        enrol(&vault, "another", now).await;
        dumps.push(dump(folder.path()).await);
        vault.close().await;
    }
    // Words of the catalogue and the code: the same at every bank, whoever its customers are.
    let constants: BTreeSet<&[u8]> = VALUES
        .iter()
        .map(|(name, ..)| name.as_bytes())
        .chain([b"due_diligence_record".as_slice(), b"due_diligence", b"law_781_viq", b"presented"])
        .collect();
    let values = |cells: &[Vec<u8>]| -> BTreeSet<Vec<u8>> {
        cells.iter().filter(|cell| cell.len() >= 8).cloned().collect()
    };
    let (first, second) = (values(&dumps[0].0), values(&dumps[1].0));
    assert!(first.len() > 20, "the dump reads the tables");
    let shared: Vec<_> = first.intersection(&second).collect();
    for value in shared {
        assert!(constants.contains(value.as_slice()), "shared: {}", value.escape_ascii());
    }
    for (_, bytes) in &dumps {
        assert!(holds(bytes, b"family_name"), "the scan finds what is there");
        for clear in VALUES.iter().map(|(_, _, value)| value.as_bytes()).chain([
            b"same-pseudonym".as_slice(),
            b"1406242111",
            b"artefact",
            b"same payload",
            b"a receipt with",
        ]) {
            assert!(!holds(bytes, clear), "clear text: {}", clear.escape_ascii());
        }
    }
}

#[tokio::test]
async fn an_erasure_leaves_no_key_a_receipt_and_only_what_the_law_keeps() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path(), 1).await;
    let (party, [consent, _]) = enrol(&vault, "ppid-1", NOW).await;
    let (_, bytes) = dump(folder.path()).await;
    let wrapped = wrapped_key(folder.path(), party).await;
    assert!(holds(&bytes, &wrapped), "the key is in the file before");
    let due = BlockTime(NOW.0 + 1_000);
    let mut change = vault.begin().await.expect("a change");
    let ends = BlockTime(NOW.0 + 5 * YEAR_MS);
    change.hold(party, "law_781_viq", ends).await.expect("a hold");
    change.request_erasure(party, NOW, due).await.expect("a request");
    change.commit().await.expect("a commit");
    assert_eq!(vault.overdue_erasures(due).await.expect("a list").len(), 0);
    assert_eq!(vault.overdue_erasures(BlockTime(due.0 + 1)).await.expect("a list").len(), 1);
    let receipt = vault.erase(party, NOW, |facts| Ok(format!("{facts:?}").into_bytes())).await;
    let receipt = receipt.expect("erased");
    let again = vault.erase(party, NOW, |_| Ok(b"another".to_vec())).await.expect("the same");
    assert_eq!(receipt, again);
    assert!(vault.overdue_erasures(BlockTime(due.0 + 1)).await.expect("a list").is_empty());
    let (_, bytes) = dump(folder.path()).await;
    assert!(!holds(&bytes, &wrapped), "the key is in neither the file nor its log");
    let law = Basis::Law(LegalBasis::SubjectRequest);
    let all = access(party, law, Select::kind(ItemKind::Attribute));
    assert_eq!(refusal(vault.read(&all).await), "party_erased");
    assert_eq!(vault.find(TagKind::Ppid, b"ppid-1").await.expect("no fault"), None);
    assert_eq!(vault.consent(consent).await.expect("known").state, ConsentState::Revoked);
    let held = vault.held().await.expect("held");
    assert_eq!((held.len(), held[0].ends), (1, ends));
    let record = vault.read_held(held[0].id, Reader("supervisor"), NOW).await.expect("a record");
    let names: Vec<_> = record.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"family_name"));
    assert!(!names.contains(&"monthly_salary_qepik"), "loan data is not due diligence");
    assert_eq!(vault.purge(ends).await.expect("purged"), 1);
    assert_eq!(refusal(vault.read_held(held[0].id, Reader("x"), ends).await), "hold_unknown");
}

async fn wrapped_key(folder: &Path, party: PartyId) -> Vec<u8> {
    let url = format!("sqlite://{}", folder.join("vault.sqlite").display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the file opens");
    let key = sqlx::query_scalar("SELECT wrapped_key FROM party WHERE id = ?")
        .bind(party.0.to_vec())
        .fetch_one(&pool)
        .await
        .expect("a key");
    pool.close().await;
    key
}

#[tokio::test]
async fn a_value_moved_to_another_row_or_read_with_another_master_key_does_not_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path(), 1).await;
    let (party, _) = enrol(&vault, "ppid-1", NOW).await;
    let url = format!("sqlite://{}", folder.path().join("vault.sqlite").display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the file opens");
    let sql = "UPDATE item SET sealed = (SELECT sealed FROM item WHERE name = 'birthdate') \
               WHERE name = 'family_name'";
    sqlx::query(sql).execute(&pool).await.expect("moved");
    pool.close().await;
    let law = Basis::Law(LegalBasis::SubjectRequest);
    let moved = access(party, law, Select::attributes(&["family_name"]));
    assert_eq!(refusal(vault.read(&moved).await), "seal_broken");
    let still = access(party, law, Select::attributes(&["birthdate"]));
    assert!(vault.read(&still).await.is_ok());
    vault.close().await;
    let other = Arc::new(FileKey::new([2; 32]));
    let opened = Vault::open(folder.path(), other, Durability::Process).await;
    assert_eq!(refusal(opened), "seal_broken");
}

#[tokio::test]
async fn receipts_are_gapless_and_their_paths_lead_to_the_anchored_root() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path(), 1).await;
    let (party, _) = enrol(&vault, "ppid-1", NOW).await;
    let rel = [7; 32];
    let mut change = vault.begin().await.expect("a change");
    for round in 0_u8..3 {
        let number = change.next_receipt(&rel).await.expect("a number");
        assert_eq!(number, u64::from(round) + 1);
        let leaf = Digest([round; 32]);
        let receipt = Personal::json(&round);
        change.put_receipt(party, &rel, number, leaf, &receipt, NOW).await.expect("kept");
        assert_eq!(change.last_receipt(&rel).await.expect("there is one"), Some(leaf));
    }
    let anchor = change.make_anchor().await.expect("no fault").expect("three receipts");
    assert!(change.make_anchor().await.expect("no fault").is_none(), "nothing is anchored twice");
    change.commit().await.expect("a commit");
    let reader = Reader("holder");
    let before = vault.receipts(party, &rel, reader, 1, NOW).await.expect("receipts");
    assert!(before.iter().all(|kept| kept.proof.is_none()), "not on the ledger yet");
    assert_eq!(vault.open_anchors().await.expect("one").len(), 1);
    let mut change = vault.begin().await.expect("a change");
    change.anchored(anchor.id).await.expect("anchored");
    change.commit().await.expect("a commit");
    let kept = vault.receipts(party, &rel, reader, 1, NOW).await.expect("receipts");
    for (round, kept) in (0_u8..).zip(&kept) {
        let (anchor, index, path): &(_, u64, merkle::Path) = kept.proof.as_ref().expect("a proof");
        let root = path.root(Digest([round; 32]), *index, u64::from(anchor.count));
        assert_eq!(root, Some(anchor.root));
    }
    assert_eq!(vault.accesses(party, 0).await.expect("records").len(), 2);
}

#[tokio::test]
async fn a_dropped_change_leaves_nothing_and_work_and_links_survive_a_new_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path(), 1).await;
    let mut change = vault.begin().await.expect("a change");
    let ghost = change.new_party(PartyKind::Legal, NOW).await.expect("a party");
    change.tag(ghost, TagKind::Voen, b"1406242111").await.expect("a tag");
    drop(change);
    assert_eq!(vault.find(TagKind::Voen, b"1406242111").await.expect("no fault"), None);
    let (director, _) = enrol(&vault, "ppid-1", NOW).await;
    let mut change = vault.begin().await.expect("a change");
    let company = change.new_party(PartyKind::Legal, NOW).await.expect("a party");
    change.link(company, director, LinkKind::Representative, NOW).await.expect("a link");
    change.link(company, director, LinkKind::Representative, NOW).await.expect("the same");
    let taken = change.tag(company, TagKind::Ppid, b"ppid-1").await;
    assert_eq!(refusal(taken), "identifier_taken");
    let work = Work::new([5; 16], "asked", &17_u64, NOW, Some(NOW));
    change.put_work("notice", &work).await.expect("work");
    change.commit().await.expect("a commit");
    vault.close().await;
    let vault = open(folder.path(), 1).await;
    let links = vault.links(company).await.expect("links");
    assert_eq!((links.len(), links[0].other), (1, director));
    let due = vault.due_work("notice", NOW, 10).await.expect("work");
    assert_eq!(due[0].payload::<u64>().expect("a number"), 17);
    assert!(vault.due_work("notice", BlockTime(NOW.0 - 1), 10).await.expect("none").is_empty());
}

#[tokio::test]
async fn a_grant_lives_for_its_time_is_taken_once_and_replaced_only_when_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path(), 1).await;
    let key = Key { kind: "code", hash: [3; 32] };
    let expires = BlockTime(NOW.0 + 10);
    let grant = |text: &str| KeptGrant { value: text.as_bytes().to_vec(), expires };
    assert_eq!(vault.add_grant(key, &grant("one"), NOW).await.expect("added"), Added::New);
    assert_eq!(vault.add_grant(key, &grant("two"), NOW).await.expect("no"), Added::Exists);
    assert!(!vault.replace_grant(key, b"two", &grant("x"), NOW).await.expect("no"));
    assert!(vault.replace_grant(key, b"one", &grant("two"), NOW).await.expect("yes"));
    assert!(vault.grant(key, expires).await.expect("gone").is_none());
    let taken = vault.take_grant(key, NOW).await.expect("taken").expect("it lives");
    assert_eq!(taken.value, b"two");
    assert!(vault.take_grant(key, NOW).await.expect("once").is_none());
    // The member's own is replaced at once, also when its time is over.
    for (text, at) in [("three", NOW), ("four", NOW), ("five", expires)] {
        let own = KeptGrant { expires: BlockTime(at.0 + 1), ..grant(text) };
        vault.put_grant(key, &own).await.expect("put");
        let kept = vault.grant(key, at).await.expect("read").expect("it lives");
        assert_eq!(kept.value, text.as_bytes());
    }
    let party = PartyId([4; 16]);
    let places = [vault.add_status(party).await, vault.add_status(PartyId([5; 16])).await];
    let places = places.map(|place| place.expect("a place"));
    assert!(vault.revoke_status(party).await.expect("revoked"));
    assert!(!vault.revoke_status(party).await.expect("once"));
    assert_eq!(vault.statuses().await.expect("statuses"), (vec![places[0]], places[1]));
}

#[test]
fn a_personal_value_shows_nothing_in_debug() {
    assert_eq!(format!("{:?}", Personal::json(&"Nümunəyev")), "Personal(redacted)");
}
