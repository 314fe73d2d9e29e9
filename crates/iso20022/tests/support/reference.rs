//! The reference verdict: `xmllint --noout --schema`, part by part.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use etibar_iso20022::{Report, Verdict};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{PrefixDeclaration, ResolveResult};
use quick_xml::reader::NsReader;

/// Files that one process of xmllint is given.
const FILES_MAX: usize = 1_000;

const NAMESPACE_PREFIX: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// The folder of ISO 20022 material: `ETIBAR_ISO20022`, or `../shared/iso20022` beside the
/// checkout. It holds schemas in `xsd/` and messages in `samples/`. Without it, or without
/// xmllint, says so past the capture of test output.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/iso20022");
    let folder = std::env::var_os("ETIBAR_ISO20022").map_or_else(beside, PathBuf::from);
    let xmllint = Command::new("xmllint").arg("--version").output().is_ok();
    if folder.join("xsd").is_dir() && xmllint {
        return Some(folder);
    }
    let reason = if xmllint { "no ISO 20022 folder (ETIBAR_ISO20022)" } else { "no xmllint" };
    writeln!(std::io::stderr(), "\nSKIPPED, {reason}: the verdict is not compared with xmllint\n")
        .expect("standard error takes a line");
    None
}

/// One part cut out of its file, a file of its own.
#[derive(Debug, Clone)]
pub(crate) struct CutPart {
    /// `pacs.008.001.08`.
    pub(crate) message: String,
    pub(crate) xml: String,
}

/// The ISO 20022 parts of a well-formed file.
pub(crate) fn cut(text: &str) -> Vec<CutPart> {
    let mut reader = NsReader::from_str(text);
    let mut scopes: Vec<BTreeMap<String, String>> = vec![BTreeMap::new()];
    let mut parts = Vec::new();
    let mut open: Option<(usize, usize, String)> = None;
    loop {
        let at = usize::try_from(reader.buffer_position()).expect("a position in memory");
        let event = reader.read_event().expect("only well-formed files are cut");
        let end = usize::try_from(reader.buffer_position()).expect("a position in memory");
        let is_empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                let (namespace, _) = reader.resolver().resolve_element(tag.name());
                let message = match namespace {
                    ResolveResult::Bound(namespace) => {
                        namespace.into_inner().strip_prefix(NAMESPACE_PREFIX).map(str::to_owned)
                    }
                    _ => None,
                };
                let outer = scopes.last().expect("a scope is open").clone();
                if let (None, Some(message)) = (&open, message) {
                    open = Some((at, scopes.len(), message));
                }
                scopes.push(declared(&tag, outer));
            }
            Event::End(_) => {}
            Event::Eof => return parts,
            _ => continue,
        }
        if is_empty || text[at..end].starts_with("</") {
            scopes.pop();
            if let Some((start, _, message)) = open.take_if(|(_, depth, _)| *depth == scopes.len())
            {
                let xml = with_scope(&text[start..end], scopes.last().expect("a scope is open"));
                parts.push(CutPart { message, xml });
            }
        }
    }
}

fn declared(tag: &BytesStart<'_>, mut scope: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for attribute in tag.attributes() {
        let attribute = attribute.expect("only well-formed files are cut");
        let key = match attribute.key.as_namespace_binding() {
            Some(PrefixDeclaration::Default) => "xmlns".to_owned(),
            Some(PrefixDeclaration::Named(prefix)) => format!("xmlns:{prefix}"),
            None => continue,
        };
        scope.insert(key, attribute.value.to_string());
    }
    scope
}

/// Repeats on `element` the namespaces that its surroundings declare and it does not.
fn with_scope(element: &str, scope: &BTreeMap<String, String>) -> String {
    let name_end = element.find([' ', '\t', '\r', '\n', '>', '/']).expect("a tag ends");
    let tag = &element[..element.find('>').expect("a tag ends")];
    let mut xml = element[..name_end].to_owned();
    for (key, value) in scope {
        if !tag.contains(&format!("{key}=")) {
            write!(xml, " {key}=\"{value}\"").expect("writing to a String cannot fail");
        }
    }
    xml + &element[name_end..]
}

/// Whether xmllint finds each document valid by the schema of `message`; `None` where there is no
/// such schema.
pub(crate) fn verdicts(folder: &Path, message: &str, documents: &[&str]) -> Option<Vec<bool>> {
    let schema = folder.join("xsd").join(format!("{message}.xsd"));
    if !schema.is_file() {
        return None;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut verdicts = vec![false; documents.len()];
    let indices: Vec<usize> = (0..documents.len()).collect();
    for chunk in indices.chunks(FILES_MAX) {
        for index in chunk {
            std::fs::write(scratch.path().join(format!("{index}.xml")), documents[*index])
                .expect("the scratch folder takes a file");
        }
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(&schema)
            .args(chunk.iter().map(|index| format!("{index}.xml")))
            .current_dir(scratch.path())
            .output()
            .expect("xmllint runs");
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            if let Some(index) = line.strip_suffix(".xml validates") {
                verdicts[index.parse::<usize>().expect("we named the files by number")] = true;
            }
        }
    }
    Some(verdicts)
}

/// Holds a report on `text` against xmllint, part by part; returns how many parts were compared.
pub(crate) fn assert_agreement(folder: &Path, name: &str, text: &str, report: &Report) -> usize {
    let cut = cut(text);
    let ours = report.parts.iter().filter(|part| !part.name.starts_with("urn:"));
    let mut compared = 0;
    for (part, cut) in ours.zip(&cut) {
        assert_eq!(part.name, cut.message, "{name}");
        match verdicts(folder, &cut.message, &[&cut.xml]) {
            Some(reference) => {
                let lines = report.lines(name);
                assert_eq!(part.verdict == Verdict::Valid, reference[0], "{name}: {lines:#?}");
                compared += 1;
            }
            None => assert_eq!(part.verdict, Verdict::Unsupported, "{name}"),
        }
    }
    compared
}
