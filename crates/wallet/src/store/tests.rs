use etibar_vault::key::FileKey;

use super::*;

const NOW: BlockTime = BlockTime(1_795_379_405_000);
const SECRET: &str = "what nobody else may read";

async fn store(folder: &Path) -> Store {
    Store::open(folder, Arc::new(FileKey::new([1; 32]))).await.unwrap()
}

/// Every byte of the database's files.
fn files(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_record_is_read_as_it_was_written_and_is_nowhere_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let records = store.create_person(NOW).await.unwrap();
    let id = EntryId::random();
    records.put(Kind::Message, id, &SECRET, NOW).await.unwrap();
    let again = store.records(records.person()).await.unwrap().unwrap();
    let read: Option<String> = again.get(Kind::Message, id).await.unwrap();
    assert_eq!(read.as_deref(), Some(SECRET));
    assert_eq!(again.get::<String>(Kind::Profile, id).await.unwrap(), None);
    assert!(!holds(&files(folder.path()), SECRET.as_bytes()));
}

#[tokio::test]
async fn a_record_moved_to_another_person_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let one = store.create_person(NOW).await.unwrap();
    let other = store.create_person(NOW).await.unwrap();
    let id = EntryId::random();
    one.put(Kind::Message, id, &SECRET, NOW).await.unwrap();
    sqlx::query("UPDATE record SET person = ?")
        .bind(other.person().0.to_vec())
        .execute(&store.writer)
        .await
        .unwrap();
    let read = other.get::<String>(Kind::Message, id).await;
    assert!(matches!(read, Err(StoreFault::Sealed(Kind::Message))));
}

#[tokio::test]
async fn deleting_a_person_destroys_the_key_and_everything_it_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let records = store.create_person(NOW).await.unwrap();
    let person = records.person();
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT key FROM person WHERE id = ?")
        .bind(person.0.to_vec())
        .fetch_one(&store.readers)
        .await
        .unwrap();
    records.put(Kind::Message, EntryId::random(), &SECRET, NOW).await.unwrap();
    assert!(holds(&files(folder.path()), &wrapped));
    store.delete_person(person).await.unwrap();
    assert!(store.records(person).await.unwrap().is_none());
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM record").fetch_one(&store.readers).await.unwrap();
    assert_eq!(left, 0);
    assert!(!holds(&files(folder.path()), &wrapped));
}

#[tokio::test]
async fn a_session_ends_at_its_time_and_with_its_person() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let person = store.create_person(NOW).await.unwrap().person();
    let session =
        Session { token: [5; 32], person, form_key: [6; 32], expires: BlockTime(NOW.0 + 10) };
    store.put_session(&session, NOW).await.unwrap();
    assert_eq!(store.session(&[5; 32], BlockTime(NOW.0 + 9)).await.unwrap(), Some(session));
    assert_eq!(store.session(&[5; 32], BlockTime(NOW.0 + 10)).await.unwrap(), None);
    store.delete_person(person).await.unwrap();
    assert_eq!(store.session(&[5; 32], NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_passkey_does_not_change_hands() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let one = store.create_person(NOW).await.unwrap().person();
    let other = store.create_person(NOW).await.unwrap().person();
    let row = PasskeyRow { credential: vec![9; 20], person: one, passkey: "1".into(), added: NOW };
    store.put_passkey(&row).await.unwrap();
    let stolen = PasskeyRow { person: other, passkey: "2".into(), ..row.clone() };
    store.put_passkey(&stolen).await.unwrap();
    assert_eq!(store.passkey(&[9; 20]).await.unwrap(), Some(row));
}

#[tokio::test]
async fn a_lost_wallet_is_found_by_the_personal_number_which_is_nowhere_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let fin = "7ZX4K9P";
    let (one, other) = {
        let store = store(folder.path()).await;
        let one = store.create_person(NOW).await.unwrap().person();
        let other = store.create_person(NOW).await.unwrap().person();
        store.claim(one, fin).await.unwrap();
        (one, other)
    };
    // The key of the tags outlives a restart.
    let store = store(folder.path()).await;
    assert_eq!(store.of_fin(fin).await.unwrap(), [one]);
    assert_eq!(store.of_fin("7ZX4K9Q").await.unwrap(), []);
    let (old, new) = (store.records(one).await.unwrap(), store.records(other).await.unwrap());
    let (old, new) = (old.unwrap(), new.unwrap());
    let (kept, left) = (EntryId::random(), EntryId::random());
    old.put(Kind::Message, kept, &SECRET, NOW).await.unwrap();
    old.put(Kind::Message, left, &"left", NOW).await.unwrap();
    new.take_from(&old, Kind::Message, |record| *record == SECRET, NOW).await.unwrap();
    assert_eq!(new.get::<String>(Kind::Message, kept).await.unwrap().as_deref(), Some(SECRET));
    assert_eq!(new.get::<String>(Kind::Message, left).await.unwrap(), None);
    assert!(!holds(&files(folder.path()), fin.as_bytes()));
}

#[tokio::test]
async fn nothing_is_written_for_a_person_who_was_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let records = store.create_person(NOW).await.unwrap();
    store.delete_person(records.person()).await.unwrap();
    let written = records.put(Kind::Message, EntryId::random(), &SECRET, NOW).await;
    assert!(matches!(written, Err(StoreFault::Gone)));
}
