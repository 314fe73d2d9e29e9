//! Reads ISO 20022 schemas (XSD) and renders them as the table this crate embeds.
//!
//! ISO 20022 uses a small part of XML Schema: named types, each one flat sequence or choice, one
//! restriction, or one extension by attributes. Anything else is refused here, so that no schema
//! is half understood.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Opens the generated table.
const HEADER: &str = "\
# Generated from the ISO 20022 message schemas by `cargo run --release -p etibar-iso20022
# --example tables -- XSD_FOLDER`. Do not edit.
#
# message NAME ROOT_ELEMENT ROOT_TYPE
# TYPE sequence|choice ELEMENT:TYPE[?|*|+|{min,max}] ...
# TYPE extension BASE_TYPE @REQUIRED_ATTRIBUTE:TYPE ...
# TYPE any lax|skip NAMESPACE|##any
# TYPE string|decimal|boolean|date|... FACET=VALUE ...
#
# A type that two schemas define differently carries the schema's name after an `@`.
";

/// One schema: the message, its root, and its types by name.
struct Schema {
    message: String,
    root: (String, String),
    types: BTreeMap<String, Definition>,
}

/// One named type: its words, some of which name other types.
#[derive(Default)]
struct Definition {
    words: Vec<Word>,
}

/// `prefix` + referred type (if any) + `suffix`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    prefix: String,
    target: Option<String>,
    suffix: String,
}

/// The table of all `*.xsd` files in `folder`.
///
/// # Panics
/// On a file that is no ISO 20022 schema of the kind described above.
pub(crate) fn generate(folder: &Path) -> String {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the schema folder is readable")
        .map(|entry| entry.expect("the schema folder is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xsd"))
        .collect();
    paths.sort();
    let schemas: Vec<Schema> = paths
        .iter()
        .map(|path| read_schema(&std::fs::read_to_string(path).expect("a schema is readable")))
        .collect();
    render(&schemas)
}

fn read_schema(text: &str) -> Schema {
    let mut reader = Reader::from_str(text);
    let mut schema =
        Schema { message: String::new(), root: Default::default(), types: BTreeMap::new() };
    let mut depth = 0;
    let mut current = String::new();
    loop {
        match reader.read_event().expect("a schema is well-formed") {
            Event::Start(start) => {
                read_tag(&mut schema, &mut current, depth, &start);
                depth += 1;
            }
            Event::Empty(start) => read_tag(&mut schema, &mut current, depth, &start),
            Event::End(_) => depth -= 1,
            Event::Eof => return schema,
            _ => {}
        }
    }
}

fn read_tag(schema: &mut Schema, current: &mut String, depth: usize, tag: &BytesStart<'_>) {
    let attribute = |name: &str| {
        let found = tag.try_get_attribute(name).expect("a schema is well-formed");
        found.map(|found| {
            let value = found.normalized_value(XmlVersion::Implicit1_0);
            value.expect("a schema is well-formed").into_owned()
        })
    };
    let demand = |name: &str| attribute(name).expect("a schema is complete");
    let allow_only = |allowed: &[&str]| {
        for found in tag.attributes() {
            let key = found.expect("a schema is well-formed").key.0.to_owned();
            assert!(allowed.contains(&key.as_str()), "attribute {key} is not understood");
        }
    };
    let tag_name = tag.name().0.to_owned();
    let kind = tag_name.strip_prefix("xs:").expect("every tag is of XML Schema");
    if depth == 1 && matches!(kind, "complexType" | "simpleType") {
        allow_only(&["name"]);
        *current = demand("name");
        let before = schema.types.insert(current.clone(), Definition::default());
        assert!(before.is_none(), "type {current} is defined twice");
        return;
    }
    if depth == 1 && kind == "element" {
        allow_only(&["name", "type"]);
        schema.root = (demand("name"), demand("type"));
        return;
    }
    if kind == "schema" {
        let namespace = demand("targetNamespace");
        let name = namespace.strip_prefix("urn:iso:std:iso:20022:tech:xsd:");
        assert_eq!(demand("elementFormDefault"), "qualified");
        name.expect("a schema is of ISO 20022").clone_into(&mut schema.message);
        return;
    }
    let words = &mut schema.types.get_mut(current).expect("tags are inside of a type").words;
    match kind {
        "sequence" | "choice" => {
            allow_only(&[]);
            assert!(words.is_empty(), "{current} is not flat");
            words.push(plain(kind));
        }
        "element" => {
            allow_only(&["name", "type", "minOccurs", "maxOccurs"]);
            let suffix = occurrence(attribute("minOccurs"), attribute("maxOccurs"));
            words.push(reference(&demand("name"), demand("type"), &suffix));
        }
        "any" => {
            allow_only(&["namespace", "processContents"]);
            let contents = demand("processContents");
            assert!(["lax", "skip"].contains(&contents.as_str()), "{contents} is not understood");
            assert!(words.len() == 1 && words[0].prefix == "sequence", "{current} mixes any");
            let namespace = demand("namespace");
            let single = namespace == "##any" || namespace.starts_with("http");
            assert!(single && !namespace.contains(' '), "{namespace:?} is not understood");
            *words = vec![plain("any"), plain(&contents), plain(&namespace)];
        }
        "simpleContent" => {}
        "extension" => {
            words.push(plain("extension"));
            words.push(Word {
                prefix: String::new(),
                target: Some(demand("base")),
                suffix: String::new(),
            });
        }
        "attribute" => {
            assert_eq!(demand("use"), "required");
            words.push(reference(&format!("@{}", demand("name")), demand("type"), ""));
        }
        "restriction" => {
            let base = demand("base");
            words.push(plain(base.strip_prefix("xs:").expect("restrictions are of built-ins")));
        }
        "enumeration" => {
            let value = demand("value");
            assert!(!value.contains([',', ' ']), "{current}: code {value:?} needs quoting");
            match words.last_mut().filter(|word| word.prefix.starts_with("codes=")) {
                Some(codes) => write!(codes.prefix, ",{value}").expect("writing to a String"),
                None => words.push(plain(&format!("codes={value}"))),
            }
        }
        facet => {
            let value = demand("value");
            let known = ["minLength", "maxLength", "length", "pattern", "totalDigits"];
            let more = ["fractionDigits", "minInclusive", "maxInclusive"];
            assert!(known.contains(&facet) || more.contains(&facet), "{facet} is not understood");
            assert!(!value.contains(' '), "{current}: value {value:?} needs quoting");
            let twice = words.iter().any(|word| word.prefix.starts_with(&format!("{facet}=")));
            assert!(!twice, "{current} has two facets {facet}");
            words.push(plain(&format!("{facet}={value}")));
        }
    }
}

fn plain(text: &str) -> Word {
    Word { prefix: text.to_owned(), target: None, suffix: String::new() }
}

fn reference(name: &str, target: String, suffix: &str) -> Word {
    Word { prefix: format!("{name}:"), target: Some(target), suffix: suffix.to_owned() }
}

fn occurrence(min: Option<String>, max: Option<String>) -> String {
    let (min, max) = (min.unwrap_or("1".to_owned()), max.unwrap_or("1".to_owned()));
    match (min.as_str(), max.as_str()) {
        ("1", "1") => String::new(),
        ("0", "1") => "?".to_owned(),
        ("0", "unbounded") => "*".to_owned(),
        ("1", "unbounded") => "+".to_owned(),
        (min, max) => format!("{{{min},{max}}}"),
    }
}

/// Types that are equal all the way down share one line. Classes of equal types are refined until
/// they are stable: two types stay together while their words and their targets' classes agree.
fn render(schemas: &[Schema]) -> String {
    let all: Vec<(usize, &String)> = (0..schemas.len())
        .flat_map(|index| schemas[index].types.keys().map(move |name| (index, name)))
        .collect();
    let mut classes: BTreeMap<(usize, &String), usize> = all.iter().map(|key| (*key, 0)).collect();
    let mut count = 1;
    loop {
        let mut keys = BTreeMap::new();
        let mut next = BTreeMap::new();
        for (index, name) in &all {
            let words = &schemas[*index].types[*name].words;
            let targets: Vec<_> = words
                .iter()
                .filter_map(|word| word.target.as_ref())
                .map(|t| classes[&(*index, t)])
                .collect();
            let fresh = keys.len();
            next.insert((*index, *name), *keys.entry((*name, words, targets)).or_insert(fresh));
        }
        classes = next;
        if std::mem::replace(&mut count, keys.len()) == count {
            break;
        }
    }
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for key in &all {
        names.entry(classes[key]).or_insert_with(|| {
            if taken.insert(key.1.clone()) {
                key.1.clone()
            } else {
                format!("{}@{}", key.1, schemas[key.0].message)
            }
        });
    }
    let name_of = |index: usize, name: &String| &names[&classes[&(index, name)]];
    let mut lines = BTreeSet::new();
    for (index, name) in &all {
        let mut line = name_of(*index, name).clone();
        for word in &schemas[*index].types[*name].words {
            let target = word.target.as_ref().map_or("", |target| name_of(*index, target));
            write!(line, " {}{target}{}", word.prefix, word.suffix).expect("writing to a String");
        }
        lines.insert(line);
    }
    let mut out = HEADER.to_owned();
    for (index, schema) in schemas.iter().enumerate() {
        let (element, root_type) = &schema.root;
        let root_type = name_of(index, root_type);
        writeln!(out, "message {} {element} {root_type}", schema.message).expect("a String");
    }
    for line in lines {
        out.push_str(&line);
        out.push('\n');
    }
    out
}
