//! Documents drawn from the schemas, right or with a few faults.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::mutation::{ATTRIBUTES, FRAGMENTS, VALUES};
use super::random::Random;

/// The schemas, as words of the generated table.
pub(crate) struct Table {
    messages: BTreeMap<&'static str, (&'static str, &'static str)>,
    types: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Table {
    pub(crate) fn read(table: &'static str) -> Self {
        let mut read = Self { messages: BTreeMap::new(), types: BTreeMap::new() };
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<_> = line.split(' ').collect();
            if words[0] == "message" {
                read.messages.insert(words[1], (words[2], words[3]));
            } else {
                read.types.insert(words[0], words[1..].to_vec());
            }
        }
        read
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &'static str> {
        self.messages.keys().copied()
    }

    /// A document of `message`; with `faults`, now and then a rule is broken.
    pub(crate) fn draw(&self, message: &str, faults: bool, random: &mut Random) -> String {
        let (root, root_type) = self.messages[message];
        let mut xml = String::new();
        let namespace = format!("urn:iso:std:iso:20022:tech:xsd:{message}");
        let mut draw = Draw { table: self, random, faults, out: &mut xml };
        draw.element(root, root_type, &format!(" xmlns=\"{namespace}\""), 0);
        xml
    }
}

struct Draw<'a> {
    table: &'a Table,
    random: &'a mut Random,
    faults: bool,
    out: &'a mut String,
}

impl Draw<'_> {
    fn fault(&mut self) -> bool {
        self.faults && self.random.one_in(120)
    }

    fn element(&mut self, name: &str, type_name: &str, attributes: &str, depth: usize) {
        let words = self.table.types[type_name].clone();
        write!(self.out, "<{name}{attributes}").expect("writing to a String cannot fail");
        for attribute in words.iter().filter_map(|word| word.strip_prefix('@')) {
            let (key, value_type) = attribute.split_once(':').expect("an attribute has a type");
            if !self.fault() {
                let value = self.value(value_type);
                write!(self.out, " {key}=\"{value}\"").expect("writing to a String cannot fail");
            }
        }
        if self.fault() {
            self.out.push_str(self.random.pick(ATTRIBUTES));
        }
        self.out.push('>');
        match words[0] {
            "sequence" => {
                for word in &words[1..] {
                    self.particle(word, depth);
                }
            }
            "choice" => {
                let chosen = words[1 + self.random.below(words.len() - 1)];
                self.particle(chosen, depth);
                if self.fault() {
                    self.particle(words[1], depth);
                }
            }
            "any" => {
                let namespace =
                    if words[2] == "##any" || self.fault() { "urn:x" } else { words[2] };
                write!(self.out, "<x xmlns=\"{namespace}\" a='b'>y<z/></x>").expect("a String");
            }
            "extension" => {
                let value = self.value(words[1]);
                self.out.push_str(&value);
            }
            _ => {
                let value = self.value(type_name);
                self.out.push_str(&value);
            }
        }
        if self.fault() {
            self.out.push_str(self.random.pick(FRAGMENTS));
        }
        write!(self.out, "</{name}>").expect("writing to a String cannot fail");
    }

    fn particle(&mut self, word: &str, depth: usize) {
        let (name, rest) = word.split_once(':').expect("an element has a type");
        let end = rest.find(['?', '*', '+', '{']).unwrap_or(rest.len());
        let (type_name, occurrence) = rest.split_at(end);
        let rarity = if depth > 6 { 12 } else { 5 };
        let optional = usize::from(self.random.one_in(rarity));
        let mut count = match occurrence {
            "" => 1,
            "?" => optional,
            "*" => optional * (1 + self.random.below(3)),
            "+" => 1 + self.random.below(2),
            range => {
                let max =
                    range.trim_end_matches('}').rsplit(',').next().expect("a range has a max");
                optional * (1 + self.random.below(max.parse().unwrap_or(3)))
            }
        };
        if self.fault() {
            count = [count + 1, count.saturating_sub(1), 11][self.random.below(3)];
        }
        for _ in 0..count {
            self.element(name, type_name, "", depth + 1);
        }
    }

    fn value(&mut self, type_name: &str) -> String {
        if self.faults && self.random.one_in(40) {
            return self.random.pick(VALUES).to_owned();
        }
        let words = &self.table.types[type_name];
        let facet = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
        if let Some(codes) = facet("codes=") {
            let codes: Vec<_> = codes.split(',').collect();
            return self.random.pick(&codes).to_owned();
        }
        if let Some(pattern) = facet("pattern=") {
            return self.matching(pattern);
        }
        match words[0] {
            "boolean" => self.random.pick(&["true", "false", "0", " 1 "]).to_owned(),
            "date" => {
                self.random.pick(&["2026-01-31", "2024-02-29Z", "2026-01-31-05:00"]).to_owned()
            }
            "dateTime" => self
                .random
                .pick(&["2026-01-31T10:00:00", "2026-01-31T10:00:00.5Z", "2026-01-31T24:00:00Z\n"])
                .to_owned(),
            "time" => self.random.pick(&["10:00:00", "24:00:00Z", "10:00:00.5-03:30"]).to_owned(),
            "gYear" => self.random.pick(&["2026", "2026Z"]).to_owned(),
            "gYearMonth" => self.random.pick(&["2026-01", "2026-12+01:00"]).to_owned(),
            "base64Binary" => self.random.pick(&["QUJD", "QUI=", "Q\nQ = ="]).to_owned(),
            "decimal" => {
                let fraction = facet("fractionDigits=").is_some_and(|digits| digits != "0");
                if fraction { "0012.50" } else { "12" }.to_owned()
            }
            _ => {
                let max: usize =
                    facet("maxLength=").map_or(8, |max| max.parse().expect("a number"));
                let fault = usize::from(self.fault());
                let length = [1, max.min(200), max.min(3)][self.random.below(3)];
                let length = if max <= 200 { length + fault * (max + 1 - length) } else { length };
                let letter = self.random.pick(&["x", "Z", "ə", "1", "&amp;"]);
                letter.repeat(length)
            }
        }
    }

    /// A text of a pattern that is a list of classes, letters, groups and counts.
    fn matching(&mut self, pattern: &str) -> String {
        match pattern {
            p if p.starts_with("[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]") => "AZ21NABZ0000000013701000194",
            p if p.starts_with("[A-Z0-9]{4,4}[A-Z]{2,2}") => "NABZAZ2CXXX",
            p if p.starts_with("[A-Z]{6,6}") => "NABZAZ2C",
            p if p.starts_with("[A-Z0-9]{18,18}") => "5299000J2N45DDNE4Y28",
            p if p.starts_with("[A-Z]{2,2}[A-Z0-9]{9,9}") => "AZ1234567890",
            p if p.starts_with("[a-f0-9]{8}") => "8a562c67-ca16-48ba-b074-65581be6f001",
            p if p.starts_with("[A-Z]{3,3}") => "AZN",
            p if p.starts_with("[A-Z]{2,2}") => "AZ",
            p if p.starts_with("[a-z]{2,2}") => "az",
            p if p.starts_with("[a-zA-Z0-9]") => "aZ09",
            p if p.starts_with("[BEOVW]") => self.random.pick(&["B01", "DUM"]),
            p if p.starts_with("[\\+]") => self.random.pick(&["+994", "1"]),
            p if p.starts_with("\\+") => "+994-(50)1",
            "[0-9]" => "7",
            "[0-9]{2}" | "[0-9]{2,3}" => "42",
            "[0-9]{8,28}" => "12345678",
            _ => self.random.pick(&["123", "123", "12"]),
        }
        .to_owned()
    }
}
