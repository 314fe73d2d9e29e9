//! The schemas of all supported messages, read once from the generated table.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::decimal::Decimal;

/// The namespace of a message is this prefix and the message's name.
pub(crate) const NAMESPACE_PREFIX: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// The table, one line a type; its head explains the form.
const TABLE: &str = include_str!("../schemas/messages.table");

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::read(TABLE));

/// All messages and the types they share.
pub(crate) struct Schemas {
    messages: Vec<Message>,
    types: Vec<Type>,
}

/// One message definition.
pub(crate) struct Message {
    /// `pacs.008.001.08`.
    pub(crate) name: &'static str,
    /// The only element that may open the message: `Document` or `AppHdr`.
    pub(crate) root: &'static str,
    root_type: TypeId,
}

/// Index of a type in [`Schemas`].
#[derive(Clone, Copy)]
pub(crate) struct TypeId(usize);

/// One type.
pub(crate) struct Type {
    /// The name in the schema.
    pub(crate) name: &'static str,
    pub(crate) content: Content,
    /// All are required; the type is simple when it has any.
    pub(crate) attributes: Vec<Attribute>,
}

/// What an element of a type holds.
pub(crate) enum Content {
    Sequence(Vec<Particle>),
    Choice(Vec<Particle>),
    /// Exactly one element, of the given namespace if any. `lax`: where the part's own root
    /// element appears inside, it is checked.
    Any {
        namespace: Option<&'static str>,
        lax: bool,
    },
    Simple(Simple),
    /// The simple content of another type (`extension`), or one that is not filled in yet.
    SameAs(TypeId),
}

/// An element inside a sequence or choice.
pub(crate) struct Particle {
    pub(crate) name: &'static str,
    type_id: TypeId,
    pub(crate) min: u32,
    /// `u32::MAX` where unbounded.
    pub(crate) max: u32,
}

/// A required attribute.
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    type_id: TypeId,
}

/// A built-in type and its facets.
pub(crate) struct Simple {
    pub(crate) base: Base,
    pub(crate) length_min: usize,
    pub(crate) length_max: usize,
    pub(crate) pattern: Option<(&'static str, Regex)>,
    pub(crate) codes: Vec<&'static str>,
    pub(crate) total_digits: Option<usize>,
    pub(crate) fraction_digits: Option<usize>,
    pub(crate) min_inclusive: Option<Decimal<'static>>,
    pub(crate) max_inclusive: Option<Decimal<'static>>,
}

/// The built-in types that the schemas restrict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    String,
    Decimal,
    Boolean,
    Base64,
    DateTime,
    Date,
    Time,
    Year,
    YearMonth,
}

impl Message {
    /// Whether `namespace` is this message's.
    pub(crate) fn has_namespace(&self, namespace: Option<&str>) -> bool {
        let name = namespace.and_then(|namespace| namespace.strip_prefix(NAMESPACE_PREFIX));
        name == Some(self.name)
    }
}

impl Schemas {
    /// The schemas of this build.
    pub(crate) fn get() -> &'static Self {
        &SCHEMAS
    }

    /// The message of a namespace.
    pub(crate) fn message_of(&self, namespace: &str) -> Option<&Message> {
        let name = namespace.strip_prefix(NAMESPACE_PREFIX)?;
        self.messages.iter().find(|message| message.name == name)
    }

    /// The names of all messages.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.messages.iter().map(|message| message.name)
    }

    pub(crate) fn root_type(&self, message: &Message) -> &Type {
        &self.types[message.root_type.0]
    }

    pub(crate) fn type_of(&self, particle: &Particle) -> &Type {
        &self.types[particle.type_id.0]
    }

    pub(crate) fn attribute_type(&self, attribute: &Attribute) -> Option<&Simple> {
        self.simple_of(&self.types[attribute.type_id.0])
    }

    /// The simple content of `ty`, or `None` where it holds elements.
    pub(crate) fn simple_of<'s>(&'s self, ty: &'s Type) -> Option<&'s Simple> {
        match &ty.content {
            Content::Simple(simple) => Some(simple),
            Content::SameAs(base) => self.simple_of(&self.types[base.0]),
            Content::Sequence(_) | Content::Choice(_) | Content::Any { .. } => None,
        }
    }

    /// Reads the generated table; it is part of the program, so a fault in it is ours and panics.
    fn read(table: &'static str) -> Self {
        let is_type = |line: &&str| !line.starts_with('#') && !line.starts_with("message ");
        let type_lines = || table.lines().filter(is_type);
        let ids: HashMap<&str, TypeId> = type_lines()
            .enumerate()
            .map(|(index, line)| (first_word(line), TypeId(index)))
            .collect();
        let mut patterns = HashMap::new();
        let types = type_lines().map(|line| read_type(line, &ids, &mut patterns)).collect();
        let messages = table.lines().filter_map(|line| line.strip_prefix("message "));
        let messages = messages.map(|line| read_message(line, &ids)).collect();
        Self { messages, types }
    }
}

fn first_word(line: &str) -> &str {
    line.split(' ').next().expect("a split has a first piece")
}

fn read_message(line: &'static str, ids: &HashMap<&str, TypeId>) -> Message {
    let words: Vec<_> = line.split(' ').collect();
    let [name, root, root_type] = words[..] else { panic!("table: message line {line:?}") };
    Message { name, root, root_type: ids[root_type] }
}

fn read_type(
    line: &'static str,
    ids: &HashMap<&str, TypeId>,
    patterns: &mut HashMap<&'static str, Regex>,
) -> Type {
    let mut words = line.split(' ');
    let name = first_word(words.next().expect("a split has a first piece"));
    let name = name.split('@').next().expect("a split has a first piece");
    let kind = words.next().expect("table: a type line has a kind");
    let mut attributes = Vec::new();
    let content = match kind {
        "sequence" => Content::Sequence(words.map(|word| read_particle(word, ids)).collect()),
        "choice" => Content::Choice(words.map(|word| read_particle(word, ids)).collect()),
        "any" => {
            let lax = words.next() == Some("lax");
            Content::Any { namespace: words.next().filter(|name| *name != "##any"), lax }
        }
        "extension" => {
            let base = words.next().expect("table: an extension has a base");
            attributes.extend(words.map(|word| read_attribute(word, ids)));
            Content::SameAs(ids[base])
        }
        base => Content::Simple(read_simple(base, words, patterns)),
    };
    Type { name, content, attributes }
}

fn read_attribute(word: &'static str, ids: &HashMap<&str, TypeId>) -> Attribute {
    let split = word.strip_prefix('@').and_then(|word| word.split_once(':'));
    let (name, type_name) = split.expect("table: an attribute is @NAME:TYPE");
    Attribute { name, type_id: ids[type_name] }
}

fn read_particle(word: &'static str, ids: &HashMap<&str, TypeId>) -> Particle {
    let (name, rest) = word.split_once(':').expect("table: an element is NAME:TYPE");
    let end = rest.find(['?', '*', '+', '{']).unwrap_or(rest.len());
    let (type_name, occurrence) = rest.split_at(end);
    let (min, max) = match occurrence {
        "" => (1, 1),
        "?" => (0, 1),
        "*" => (0, u32::MAX),
        "+" => (1, u32::MAX),
        range => {
            let range = range.trim_start_matches('{').trim_end_matches('}');
            let (min, max) = range.split_once(',').expect("table: a range is {min,max}");
            (number(min), if max == "unbounded" { u32::MAX } else { number(max) })
        }
    };
    Particle { name, type_id: ids[type_name], min, max }
}

fn read_simple(
    base: &str,
    facets: std::str::Split<'static, char>,
    patterns: &mut HashMap<&'static str, Regex>,
) -> Simple {
    let mut simple = Simple::of(read_base(base));
    for facet in facets {
        let (name, value) = facet.split_once('=').expect("table: a facet is NAME=VALUE");
        match name {
            "minLength" => simple.length_min = number(value),
            "maxLength" => simple.length_max = number(value),
            "length" => (simple.length_min, simple.length_max) = (number(value), number(value)),
            "pattern" => {
                let regex = patterns.entry(value).or_insert_with(|| compile(value)).clone();
                simple.pattern = Some((value, regex));
            }
            "codes" => simple.codes = value.split(',').collect(),
            "totalDigits" => simple.total_digits = Some(number(value)),
            "fractionDigits" => simple.fraction_digits = Some(number(value)),
            "minInclusive" => simple.min_inclusive = Decimal::parse(value),
            "maxInclusive" => simple.max_inclusive = Decimal::parse(value),
            facet => panic!("table: facet {facet} is unknown"),
        }
    }
    simple
}

impl Simple {
    const fn of(base: Base) -> Self {
        Self {
            base,
            length_min: 0,
            length_max: usize::MAX,
            pattern: None,
            codes: Vec::new(),
            total_digits: None,
            fraction_digits: None,
            min_inclusive: None,
            max_inclusive: None,
        }
    }
}

fn read_base(name: &str) -> Base {
    match name {
        "string" => Base::String,
        "decimal" => Base::Decimal,
        "boolean" => Base::Boolean,
        "base64Binary" => Base::Base64,
        "dateTime" => Base::DateTime,
        "date" => Base::Date,
        "time" => Base::Time,
        "gYear" => Base::Year,
        "gYearMonth" => Base::YearMonth,
        other => panic!("table: base type {other} is unknown"),
    }
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().ok().expect("table: a bound is a number")
}

/// A pattern of XML Schema is anchored at both ends. The patterns of ISO 20022 use only classes,
/// groups, alternatives and counts, which mean the same in both languages.
fn compile(pattern: &str) -> Regex {
    let simple = |c: char| c.is_ascii_alphanumeric() || "[](){}|,-+\\".contains(c);
    assert!(pattern.chars().all(simple), "table: pattern {pattern} is not plain");
    let escapes = pattern.split('\\').skip(1);
    let escapes_punctuation = escapes.into_iter().all(|rest| rest.starts_with(['+', '-', '.']));
    assert!(escapes_punctuation, "table: pattern {pattern} has an escape with another meaning");
    Regex::new(&format!("^(?:{pattern})$")).expect("table: a plain pattern compiles")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_reads_and_names_every_message_of_the_first_day() {
        let names: Vec<_> = Schemas::get().names().collect();
        for name in ["head.001.001.02", "pacs.008.001.08", "pacs.008.001.10", "pacs.028.001.03"] {
            assert!(names.contains(&name), "{name}");
        }
    }
}
