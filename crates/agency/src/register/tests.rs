use super::*;
use crate::{
    agencies::{Agency, kind},
    population::{Plan, Population},
};

fn records(agency: Agency) -> Vec<Record> {
    let reference = "2026-11-01".parse().unwrap();
    Population::generate(Plan { seed: 3, people: 200, reference }).records(agency)
}

/// What both adapters promise, for one agency; `reopen` opens the same place again.
async fn check<R: Register>(agency: Agency, reopen: impl AsyncFn() -> R) {
    let records = records(agency);
    let register = reopen().await;
    register.put(&records).await.unwrap();
    drop(register);
    let register = reopen().await;
    let total: u64 = register.counts().await.unwrap().values().sum();
    assert_eq!(total, u64::try_from(records.len()).unwrap());
    for record in &records {
        let found = register.record(&record.kind, &record.id).await.unwrap();
        assert!(found.as_ref() == Some(record), "{} is read as it was written", record.kind);
        for holder in &record.holders {
            let held = register.held_by(&record.kind, holder).await.unwrap();
            assert!(held.contains(record));
        }
    }
    let mut changed = records[0].clone();
    changed.claims.insert("note".to_owned(), "sətir, \"dırnaq\"\nyeni".into());
    changed.ended = Some(Ending::Withdrawn);
    changed.holders = records[1].holders.clone();
    register.put(std::slice::from_ref(&changed)).await.unwrap();
    drop(register);
    let register = reopen().await;
    let found = register.record(&changed.kind, &changed.id).await.unwrap();
    assert!(found == Some(changed.clone()));
    let old = register.held_by(&changed.kind, &records[0].holders[0]).await.unwrap();
    assert!(records[0].holders == records[1].holders || !old.contains(&changed));
    assert!(register.record(&changed.kind, "no such id").await.unwrap().is_none());
}

#[tokio::test]
async fn csv_files_keep_every_record_of_every_agency_across_a_restart() {
    for agency in Agency::ALL {
        let folder = tempfile::tempdir().unwrap();
        check(agency, async || CsvRegister::open(folder.path(), agency.kinds()).unwrap()).await;
    }
}

#[tokio::test]
async fn a_database_keeps_every_record_of_every_agency_across_a_restart() {
    for agency in Agency::ALL {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("register.sqlite");
        check(agency, async || SqlRegister::open(&file).await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_csv_file_with_a_broken_line_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [
        ("id,holders,valid_until,ended,hit:boolean\n1,5ZZ9A0B,,,maybe\n", 2),
        ("id,holders,valid_until,ended\n1,5ZZ9A0B,,\n1,5ZZ9A0B,,\n", 3),
        ("id,holders,valid_until,ended\n1,5ZZ9A0O,,\n", 2),
        ("id,holders,valid_until,ended\n1,5ZZ9A0B,2026-02-30,\n", 2),
        ("holders,id,valid_until,ended\n", 1),
    ];
    for (text, number) in lines {
        std::fs::write(folder.path().join("sanctions-screening.csv"), text).unwrap();
        let fault = CsvRegister::open(folder.path(), &[kind::SANCTIONS_SCREENING]).unwrap_err();
        assert!(matches!(fault, RegisterFault::Line { line, .. } if line == number), "{text}");
        assert!(!fault.to_string().contains("5ZZ9"), "a fault repeats nothing of the line");
    }
}

#[tokio::test]
async fn a_kind_that_the_register_does_not_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let register = CsvRegister::open(folder.path(), &[kind::PID]).unwrap();
    let mut record = records(Agency::Labour).remove(0);
    assert_eq!(register.put(&[record.clone()]).await.unwrap_err().code(), "record_kind_unknown");
    record.holders.clear();
    record.kind = kind::PID.to_owned();
    assert!(register.put(&[record]).await.is_err());
}
