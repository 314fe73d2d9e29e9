//! Our verdict equals that of `xmllint --schema`, part by part.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use etibar_iso20022::validate;

mod support {
    pub(crate) mod drawing;
    pub(crate) mod generator;
    pub(crate) mod mutation;
    pub(crate) mod random;
    #[allow(dead_code, reason = "each test file uses a part of it")]
    pub(crate) mod reference;
}
use support::{drawing, generator, mutation, random, reference};

fn samples(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.join("samples")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("the samples are readable") {
            let path = entry.expect("the samples are readable").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_committed_table_is_what_the_schemas_give() {
    let Some(folder) = reference::folder() else { return };
    let committed = include_str!("../schemas/messages.table");
    assert!(generator::generate(&folder.join("xsd")) == committed, "run the example `tables`");
}

#[test]
fn every_part_of_every_sample_gets_the_verdict_of_xmllint() {
    let Some(folder) = reference::folder() else { return };
    let mut compared = 0;
    for path in samples(&folder) {
        let text = std::fs::read_to_string(&path).expect("a sample is a text");
        let report = validate(text.as_bytes());
        compared += reference::assert_agreement(&folder, &path.to_string_lossy(), &text, &report);
    }
    assert!(compared >= 56, "only {compared} parts of samples were compared");
}

/// Compares the verdicts on many one-part documents of one message.
fn check_documents(folder: &Path, message: &str, documents: &[String]) -> (usize, usize) {
    let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
    let reference = reference::verdicts(folder, message, &texts).expect("the schema exists");
    let mut differences = String::new();
    let mut valid = 0;
    for (text, reference) in texts.iter().zip(&reference) {
        let report = validate(text.as_bytes());
        valid += usize::from(*reference);
        if report.is_valid() != *reference && differences.len() < 4_000 {
            let lines = report.lines("ours");
            write!(differences, "\nxmllint: {reference}, {lines:#?}\n{text}\n")
                .expect("writing to a String cannot fail");
        }
    }
    assert!(differences.is_empty(), "{message}: {differences}");
    (documents.len(), valid)
}

#[test]
fn mutated_samples_get_the_verdict_of_xmllint() {
    let Some(folder) = reference::folder() else { return };
    let mut by_message = std::collections::BTreeMap::<String, Vec<String>>::new();
    for path in samples(&folder) {
        let text = std::fs::read_to_string(&path).expect("a sample is a text");
        for part in reference::cut(&text) {
            by_message.entry(part.message).or_default().push(part.xml);
        }
    }
    let mut random = random::Random::new(20_260_101);
    let (mut all, mut valid) = (0, 0);
    for (message, mut parts) in by_message {
        if !folder.join("xsd").join(format!("{message}.xsd")).is_file() {
            continue;
        }
        parts.sort();
        parts.dedup();
        let count = 240_usize.div_ceil(parts.len());
        let mutants: Vec<String> = parts
            .iter()
            .flat_map(|part| std::iter::repeat_n(part, count))
            .map(|part| mutation::mutate(part, &mut random))
            .collect();
        let counts = check_documents(&folder, &message, &mutants);
        (all, valid) = (all + counts.0, valid + counts.1);
    }
    assert!(all >= 2_000 && valid >= 200, "{valid} of {all} mutants were valid");
}

#[test]
fn documents_drawn_from_the_schemas_get_the_verdict_of_xmllint() {
    let Some(folder) = reference::folder() else { return };
    let table = drawing::Table::read(include_str!("../schemas/messages.table"));
    let mut random = random::Random::new(20_260_102);
    let (mut all, mut valid) = (0, 0);
    for message in table.messages() {
        let documents: Vec<String> =
            (0..150).map(|number| table.draw(message, number % 3 == 0, &mut random)).collect();
        let counts = check_documents(&folder, message, &documents);
        (all, valid) = (all + counts.0, valid + counts.1);
    }
    assert!(valid * 5 >= all, "only {valid} of {all} drawn documents were valid");
}
