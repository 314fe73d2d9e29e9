//! A register in CSV files, one for each kind of record: what an agency can export anywhere.
//!
//! `pid.csv` holds the records of `urn:az:pid:1`. The columns `id`, `holders` (FINs with a space
//! between them), `valid_until` and `ended` come first, then the claims: a dot leads into an
//! object (`address.city`), and a claim that is no text says so (`employees:integer`,
//! `hit:boolean`, `representatives:json`). An empty cell is a claim that is not there.
//!
//! The files are read when the register is opened; a change replaces its file in one step, so
//! that a stop at any moment leaves the old file or the new one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use csv::StringRecord;
use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Ending, HOLDERS_MAX, RECORDS_OF_PERSON_MAX, Record, Register, RegisterFault};
use crate::identifiers::Fin;

/// The columns before the claims.
const HEAD: [&str; 4] = ["id", "holders", "valid_until", "ended"];
/// How deep claims may lie in objects.
const DEPTH_MAX: usize = 4;

type Records = BTreeMap<String, Record>;

/// A register in a folder of CSV files.
#[derive(Debug)]
pub struct CsvRegister {
    folder: PathBuf,
    kinds: Mutex<BTreeMap<String, Kind>>,
}

#[derive(Debug, Clone, Default)]
struct Kind {
    records: Records,
    by_holder: BTreeMap<Fin, BTreeSet<String>>,
}

impl CsvRegister {
    /// Reads the files of `kinds` in `folder`; a file that is not there is an empty one.
    pub fn open(folder: &Path, kinds: &[&str]) -> Result<Self, RegisterFault> {
        let mut read = BTreeMap::new();
        for kind in kinds {
            let name = file_name(kind).ok_or(RegisterFault::Kind)?;
            let records = match fs::read(folder.join(&name)) {
                Ok(bytes) => parse(&bytes, kind, &name)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Records::new(),
                Err(source) => return Err(RegisterFault::File { path: name, source }),
            };
            read.insert((*kind).to_owned(), Kind::new(records));
        }
        Ok(Self { folder: folder.to_owned(), kinds: Mutex::new(read) })
    }

    fn with<T>(&self, kind: &str, read: impl FnOnce(&Kind) -> T) -> Result<T, RegisterFault> {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.get(kind).map(read).ok_or(RegisterFault::Kind)
    }

    /// Prepares every file that changes, then puts them in place.
    fn write(&self, records: &[Record]) -> Result<(), RegisterFault> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed: BTreeMap<String, Kind> = BTreeMap::new();
        for record in records {
            if record.holders.is_empty() || record.holders.len() > HOLDERS_MAX {
                return Err(RegisterFault::Row("list of holders"));
            }
            if !changed.contains_key(&record.kind) {
                let kind = kinds.get(&record.kind).ok_or(RegisterFault::Kind)?;
                changed.insert(record.kind.clone(), kind.clone());
            }
            let kind = changed.get_mut(&record.kind).expect("inserted just above");
            kind.put(record.clone());
        }
        let mut ready = Vec::new();
        for (name, kind) in &changed {
            let file = file_name(name).ok_or(RegisterFault::Kind)?;
            ready.push((file.clone(), prepare(&self.folder, &file, &render(&kind.records))?));
        }
        for (file, temporary) in ready {
            let fault = |source| RegisterFault::File { path: file.clone(), source };
            fs::rename(&temporary, self.folder.join(&file)).map_err(fault)?;
        }
        kinds.extend(changed);
        Ok(())
    }
}

impl Register for CsvRegister {
    fn held_by<'a>(
        &'a self,
        kind: &'a str,
        holder: &'a Fin,
    ) -> BoxFuture<'a, Result<Vec<Record>, RegisterFault>> {
        let limit = usize::try_from(RECORDS_OF_PERSON_MAX).expect("a hundred fits");
        let found = self.with(kind, |kind| {
            let ids = kind.by_holder.get(holder).into_iter().flatten().take(limit);
            ids.filter_map(|id| kind.records.get(id).cloned()).collect()
        });
        Box::pin(async move { found })
    }

    fn record<'a>(
        &'a self,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, RegisterFault>> {
        let found = self.with(kind, |kind| kind.records.get(id).cloned());
        Box::pin(async move { found })
    }

    fn put<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Result<(), RegisterFault>> {
        Box::pin(async move { self.write(records) })
    }

    fn counts(&self) -> BoxFuture<'_, Result<BTreeMap<String, u64>, RegisterFault>> {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |(name, kind): (&String, &Kind)| {
            let count = u64::try_from(kind.records.len()).expect("a length fits 64 bits");
            (name.clone(), count)
        };
        let counts = kinds.iter().map(count).collect();
        Box::pin(async move { Ok(counts) })
    }
}

impl Kind {
    fn new(records: Records) -> Self {
        let mut kind = Self::default();
        for record in records.into_values() {
            kind.put(record);
        }
        kind
    }

    fn put(&mut self, record: Record) {
        let old = self.records.get(&record.id).map(|old| old.holders.clone()).unwrap_or_default();
        for holder in old {
            if let Some(ids) = self.by_holder.get_mut(&holder) {
                ids.remove(&record.id);
            }
        }
        for holder in &record.holders {
            self.by_holder.entry(*holder).or_default().insert(record.id.clone());
        }
        self.records.insert(record.id.clone(), record);
    }
}

/// `urn:az:driving-licence:1` is in `driving-licence.csv`; no other form has a file.
fn file_name(kind: &str) -> Option<String> {
    let name = kind.strip_prefix("urn:az:")?.strip_suffix(":1")?;
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    (plain && !name.is_empty()).then(|| format!("{name}.csv"))
}

/// Writes `content` to a file beside `file` and has the disk keep it.
fn prepare(folder: &Path, file: &str, content: &[u8]) -> Result<PathBuf, RegisterFault> {
    let temporary = folder.join(format!("{file}.new"));
    let write = || {
        let mut out = fs::File::create(&temporary)?;
        out.write_all(content)?;
        out.sync_all()
    };
    write().map_err(|source| RegisterFault::File { path: file.to_owned(), source })?;
    Ok(temporary)
}

fn parse(bytes: &[u8], kind: &str, file: &str) -> Result<Records, RegisterFault> {
    let fault = |line| RegisterFault::Line { path: file.to_owned(), line };
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let columns = reader.headers().map_err(|_| fault(1))?.clone();
    if !columns.iter().take(HEAD.len()).eq(HEAD) {
        return Err(fault(1));
    }
    let mut records = Records::new();
    for (line, row) in (2..).zip(reader.records()) {
        let row = row.map_err(|_| fault(line))?;
        let record = read_row(kind, &columns, &row).ok_or_else(|| fault(line))?;
        if records.insert(record.id.clone(), record).is_some() {
            return Err(fault(line));
        }
    }
    Ok(records)
}

fn read_row(kind: &str, columns: &StringRecord, row: &StringRecord) -> Option<Record> {
    let holders = row.get(1)?.split(' ').map(|text| Fin::parse(text).ok());
    let holders: Vec<Fin> = holders.collect::<Option<_>>()?;
    let filled = |index| row.get(index).filter(|text| !text.is_empty());
    let valid_until = filled(2).map(|text| text.parse().ok());
    let ended = filled(3).map(Ending::parse);
    let mut claims = Map::new();
    for (column, cell) in columns.iter().zip(row).skip(HEAD.len()) {
        if !cell.is_empty() {
            put_claim(&mut claims, column, cell)?;
        }
    }
    Some(Record {
        kind: kind.to_owned(),
        id: filled(0)?.to_owned(),
        holders,
        claims,
        valid_until: valid_until.map_or(Some(None), |day| day.map(Some))?,
        ended: ended.map_or(Some(None), |ending| ending.map(Some))?,
    })
}

fn put_claim(claims: &mut Map<String, Value>, column: &str, cell: &str) -> Option<()> {
    let (path, form) = column.split_once(':').unwrap_or((column, "text"));
    let value = match form {
        "text" => Value::from(cell),
        "integer" => Value::from(cell.parse::<u64>().ok()?),
        "boolean" => Value::from(cell.parse::<bool>().ok()?),
        "json" => serde_json::from_str(cell).ok()?,
        _ => return None,
    };
    let mut steps: Vec<&str> = path.split('.').collect();
    if steps.len() > DEPTH_MAX {
        return None;
    }
    let last = steps.pop()?;
    let mut at = claims;
    for step in steps {
        let next = at.entry(step).or_insert_with(|| Value::Object(Map::new()));
        at = next.as_object_mut()?;
    }
    at.insert(last.to_owned(), value).is_none().then_some(())
}

fn render(records: &Records) -> Vec<u8> {
    let cells: Vec<_> = records.values().map(|record| cells(&record.claims)).collect();
    let columns: BTreeSet<&String> = cells.iter().flat_map(BTreeMap::keys).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = HEAD.into_iter().chain(columns.iter().map(|column| column.as_str()));
    let write = "a vector takes every line of the same length";
    writer.write_record(head).expect(write);
    for (record, cells) in records.values().zip(&cells) {
        let holders: Vec<&str> = record.holders.iter().map(Fin::expose).collect();
        let valid_until = record.valid_until.map_or_else(String::new, |day| day.to_string());
        let ended = record.ended.map_or("", Ending::as_str);
        let first = [record.id.clone(), holders.join(" "), valid_until, ended.to_owned()];
        let rest = columns.iter().map(|column| cells.get(*column).cloned().unwrap_or_default());
        writer.write_record(first.into_iter().chain(rest)).expect(write);
    }
    writer.into_inner().unwrap_or_else(|_| unreachable!("a vector is always flushed"))
}

/// Claims as columns and cells.
fn cells(claims: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut cells = BTreeMap::new();
    let mut waiting: Vec<(String, &Map<String, Value>)> = vec![(String::new(), claims)];
    while let Some((path, object)) = waiting.pop() {
        for (name, value) in object {
            let column = format!("{path}{name}");
            match value {
                Value::Object(inner) => waiting.push((format!("{column}."), inner)),
                Value::String(text) => drop(cells.insert(column, text.clone())),
                Value::Bool(flag) => {
                    drop(cells.insert(format!("{column}:boolean"), flag.to_string()));
                }
                Value::Number(number) if number.is_u64() => {
                    cells.insert(format!("{column}:integer"), number.to_string());
                }
                other => drop(cells.insert(format!("{column}:json"), other.to_string())),
            }
        }
    }
    cells
}
