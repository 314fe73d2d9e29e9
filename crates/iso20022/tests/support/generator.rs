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

/// A tag of a schema.
struct Tag<'a> {
    kind: String,
    start: &'a BytesStart<'a>,
}

impl Tag<'_> {
    fn attribute(&self, name: &str) -> Option<String> {
        let found = self.start.try_get_attribute(name).expect("a schema is well-formed");
        found.map(|found| {
            let value = found.normalized_value(XmlVersion::Implicit1_0);
            value.expect("a schema is well-formed").into_owned()
        })
    }

    fn demand(&self, name: &str) -> String {
        self.attribute(name).expect("a schema is complete")
    }

    fn allow_only(&self, allowed: &[&str]) {
        for found in self.start.attributes() {
            let key = found.expect("a schema is well-formed").key.0;
            assert!(allowed.contains(&key), "attribute {key} is not understood");
        }
    }
}

fn read_tag(schema: &mut Schema, current: &mut String, depth: usize, start: &BytesStart<'_>) {
    let kind = start.name().0.strip_prefix("xs:").expect("every tag is of XML Schema").to_owned();
    let tag = Tag { kind, start };
    match (depth, tag.kind.as_str()) {
        (0, "schema") => {
            let namespace = tag.demand("targetNamespace");
            let name = namespace.strip_prefix("urn:iso:std:iso:20022:tech:xsd:");
            name.expect("a schema is of ISO 20022").clone_into(&mut schema.message);
            assert_eq!(tag.demand("elementFormDefault"), "qualified");
        }
        (1, "element") => {
            tag.allow_only(&["name", "type"]);
            schema.root = (tag.demand("name"), tag.demand("type"));
        }
        (1, "complexType" | "simpleType") => {
            tag.allow_only(&["name"]);
            *current = tag.demand("name");
            let before = schema.types.insert(current.clone(), Definition::default());
            assert!(before.is_none(), "type {current} is defined twice");
        }
        (1, other) => panic!("{other} is not understood"),
        _ => {
            let definition = schema.types.get_mut(current).expect("tags are inside of a type");
            read_inside(&mut definition.words, current, &tag);
        }
    }
}

/// A tag inside of the type `current`, as words of its definition.
fn read_inside(words: &mut Vec<Word>, current: &str, tag: &Tag<'_>) {
    match tag.kind.as_str() {
        "sequence" | "choice" => {
            tag.allow_only(&[]);
            assert!(words.is_empty(), "{current} is not flat");
            words.push(plain(&tag.kind));
        }
        "element" => {
            tag.allow_only(&["name", "type", "minOccurs", "maxOccurs"]);
            let suffix = occurrence(tag.attribute("minOccurs"), tag.attribute("maxOccurs"));
            words.push(reference(&tag.demand("name"), tag.demand("type"), &suffix));
        }
        "any" => {
            tag.allow_only(&["namespace", "processContents"]);
            assert!(words.len() == 1 && words[0].prefix == "sequence", "{current} mixes any");
            let contents = tag.demand("processContents");
            assert!(["lax", "skip"].contains(&contents.as_str()), "{contents} is not understood");
            let namespace = tag.demand("namespace");
            let single = namespace == "##any" || namespace.starts_with("http");
            assert!(single && !namespace.contains(' '), "{namespace:?} is not understood");
            *words = vec![plain("any"), plain(&contents), plain(&namespace)];
        }
        "simpleContent" => {}
        "extension" => {
            words.push(plain("extension"));
            words.push(Word { prefix: String::new(), ..reference("", tag.demand("base"), "") });
        }
        "attribute" => {
            assert_eq!(tag.demand("use"), "required");
            words.push(reference(&format!("@{}", tag.demand("name")), tag.demand("type"), ""));
        }
        "restriction" => {
            let base = tag.demand("base");
            words.push(plain(base.strip_prefix("xs:").expect("restrictions are of built-ins")));
        }
        facet => read_facet(words, current, facet, &tag.demand("value")),
    }
}

fn read_facet(words: &mut Vec<Word>, current: &str, facet: &str, value: &str) {
    assert!(!value.contains(' '), "{current}: value {value:?} needs quoting");
    if facet == "enumeration" {
        assert!(!value.contains(','), "{current}: code {value:?} needs quoting");
        match words.last_mut().filter(|word| word.prefix.starts_with("codes=")) {
            Some(codes) => {
                write!(codes.prefix, ",{value}").expect("writing to a String cannot fail");
            }
            None => words.push(plain(&format!("codes={value}"))),
        }
        return;
    }
    let lengths = ["minLength", "maxLength", "length", "pattern"];
    let numbers = ["totalDigits", "fractionDigits", "minInclusive", "maxInclusive"];
    assert!(lengths.contains(&facet) || numbers.contains(&facet), "{facet} is not understood");
    let twice = words.iter().any(|word| word.prefix.starts_with(&format!("{facet}=")));
    assert!(!twice, "{current} has two facets {facet}");
    words.push(plain(&format!("{facet}={value}")));
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

/// Numbers of types that are equal all the way down, by schema and name.
type Classes<'a> = BTreeMap<(usize, &'a String), usize>;

/// Refines classes of equal types until they are stable: two types stay together while their words
/// and the classes of the types they name agree.
fn classify(schemas: &[Schema]) -> Classes<'_> {
    let all: Vec<(usize, &String)> = (0..schemas.len())
        .flat_map(|index| schemas[index].types.keys().map(move |name| (index, name)))
        .collect();
    let mut classes: Classes<'_> = all.iter().map(|key| (*key, 0)).collect();
    let mut count = 1;
    loop {
        let mut numbers = BTreeMap::new();
        let mut refined = BTreeMap::new();
        for (index, name) in &all {
            let words = &schemas[*index].types[*name].words;
            let targets = words.iter().filter_map(|word| word.target.as_ref());
            let targets: Vec<_> = targets.map(|target| classes[&(*index, target)]).collect();
            let fresh = numbers.len();
            let number = *numbers.entry((*name, words, targets)).or_insert(fresh);
            refined.insert((*index, *name), number);
        }
        classes = refined;
        if std::mem::replace(&mut count, numbers.len()) == count {
            return classes;
        }
    }
}

/// The table: types that are equal share one line.
fn render(schemas: &[Schema]) -> String {
    let classes = classify(schemas);
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for ((index, name), class) in &classes {
        names.entry(*class).or_insert_with(|| {
            if taken.insert(*name) {
                (*name).clone()
            } else {
                format!("{name}@{}", schemas[*index].message)
            }
        });
    }
    let name_of = |index: usize, name: &String| &names[&classes[&(index, name)]];
    let mut lines = BTreeSet::new();
    for (index, name) in classes.keys() {
        let mut line = name_of(*index, name).clone();
        for word in &schemas[*index].types[*name].words {
            let target = word.target.as_ref().map_or("", |target| name_of(*index, target));
            line.extend([" ", &word.prefix, target, &word.suffix]);
        }
        lines.insert(line);
    }
    let messages = schemas.iter().enumerate().map(|(index, schema)| {
        let (element, root_type) = &schema.root;
        format!("message {} {element} {}", schema.message, name_of(index, root_type))
    });
    let mut table = HEADER.to_owned();
    for line in messages.chain(lines) {
        table.extend([line.as_str(), "\n"]);
    }
    table
}
