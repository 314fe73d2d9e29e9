//! Documents that are nearly right: mutants of samples, and documents drawn from the schemas.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A small deterministic generator (SplitMix64); a test prints its seed by naming it.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a bound in memory");
        usize::try_from(self.next() % bound).expect("below a bound in memory")
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Values at and around the edges of the types that ISO 20022 uses.
const VALUES: &[&str] = &[
    "",
    " ",
    "A",
    "AB",
    "ABC",
    "ABCD",
    "ABCDE",
    "abcd",
    "1",
    "0",
    "00",
    "12345678901234567890",
    "true",
    "false",
    "TRUE",
    " true ",
    "01",
    "USD",
    "usd",
    "US",
    "U1",
    "EUR ",
    "DEBT",
    "SLEV",
    "CLRG",
    "NORM",
    "ADDR",
    "2026-01-31",
    "2026-02-29",
    "2024-02-29",
    " 2026-01-31\n",
    "2026-01-31Z",
    "2026-01-31+14:00",
    "2026-01-31+14:01",
    "2026-01-31-15:00",
    "2026-13-01",
    "0000-01-01",
    "-0001-01-01",
    "12026-01-01",
    "02026-01-01",
    "+2026-01-01",
    "26-01-01",
    "2026-1-1",
    "2026-01-31T10:00:00",
    "2026-01-31T10:00:00Z",
    "2026-01-31T10:00:00.123456789Z",
    "2026-01-31T24:00:00",
    "2026-01-31T24:00:01",
    "2026-01-31T10:00:60Z",
    "2026-01-31T10:00:00.",
    "2026-01-31t10:00:00z",
    "2026-01-31 10:00:00",
    "2026-01-31T10:00",
    "2026-01-31T10:00:00+04:00",
    "2026-01-31T10:00:00+4:00",
    "10:00:00",
    "24:00:00Z",
    "10:00:00.5-03:30",
    "10:60:00",
    "2026",
    "2026Z",
    "999",
    "2026-01",
    "2026-00",
    "2026-12+01:00",
    "1.",
    ".5",
    ".",
    "-1",
    "+1",
    "-0",
    "1.00000",
    "1.000000",
    "1.000001",
    "123456789012345678",
    "1234567890123456789",
    "12345678901234567.5",
    "0.12345678901234567",
    "000000000000000000000000000001",
    "1.00000000000000000000",
    "1.0000000000000000000000000000",
    "1e3",
    "1,5",
    "0x10",
    "INF",
    "NaN",
    " 1.5 ",
    "1 5",
    "- 1",
    "--1",
    "8a562c67-ca16-48ba-b074-65581be6f001",
    "8a562c67-ca16-38ba-b074-65581be6f001",
    "8A562C67-CA16-48BA-B074-65581BE6F001",
    "AZ21NABZ00000000137010001944",
    "AZ2XNABZ00000000137010001944",
    "NABZAZ2C",
    "NABZAZ2CXXX",
    "NABZAZ2CXX",
    "+994-500000000",
    "+994500000000",
    "+1-(2)3+4-5",
    "5299000J2N45DDNE4Y28",
    "123456789012345",
    "1234567890123456",
    "əığöşçü",
    "\u{1F600}",
    "&amp;&lt;&gt;&quot;&apos;",
    "&#65;&#x42;C",
    "&#xD;",
    "&#13;&#10;",
    "a\r\nb",
    "<![CDATA[ABC]]>",
    "<![CDATA[]]>",
    "AB<!-- c -->C",
    "AB<?pi x?>CD",
    "QUJD",
    "QUI=",
    "QQ==",
    "QR==",
    "Q===",
    "QUJ",
    "Q Q = =",
    "####",
    "QUJD#",
    "=",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890",
];

/// Fragments that break well-formedness or stand where nothing may.
const FRAGMENTS: &[&str] = &[
    "x",
    " ",
    "\n\t",
    "<!-- c -->",
    "<!-- a -- b -->",
    "<?pi?>",
    "<?xml version=\"1.0\"?>",
    "&amp;",
    "&#32;",
    "&#x20;",
    "&unknown;",
    "&",
    "&#0;",
    "&#xFFFF;",
    "]]>",
    "<![CDATA[ ]]>",
    "<![CDATA[x]]>",
    "<Foo/>",
    "<x:Foo/>",
    "<Nm>x</Nm>",
    "<Nm xmlns=\"\">x</Nm>",
    "<SplmtryData/>",
    "<SplmtryData><Envlp><x/></Envlp></SplmtryData>",
    "<SplmtryData><Envlp><x xmlns=\"urn:x\" a=\"b\"><y>z</y></x></Envlp></SplmtryData>",
    "<SplmtryData><Envlp/></SplmtryData>",
    "<SplmtryData><Envlp>x</Envlp></SplmtryData>",
    "<SplmtryData><Envlp><x/><y/></Envlp></SplmtryData>",
    "<1/>",
    "<a",
    "</a>",
    "<a/ >",
    "< a/>",
];

/// Attributes that mostly do not belong.
const ATTRIBUTES: &[&str] = &[
    " Ccy=\"USD\"",
    " Ccy=\"usd\"",
    " Ccy=\"\"",
    " Ccy='USD'",
    " a=\"b\"",
    " xml:lang=\"az\"",
    " xmlns=\"\"",
    " xmlns=\"urn:x\"",
    " xmlns:x=\"urn:x\"",
    " x:Ccy=\"USD\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:x x.xsd\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"false\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Max35Text\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Document\"",
    " Ccy=\"U&#83;D\"",
    " Ccy=\"USD\" Ccy=\"USD\"",
    " Ccy=USD",
    " Ccy",
    " Ccy=\"<\"",
    " a=\"1\"b=\"2\"",
    " Ccy = \"USD\" ",
];

/// `[start, end)` of all tags of a document, comments and the like left out.
fn tags(xml: &str) -> Vec<(usize, usize)> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(start) = xml[at..].find('<').map(|offset| at + offset) {
        let Some(end) = xml[start..].find('>').map(|offset| start + offset + 1) else { break };
        if !xml[start..].starts_with("<!") && !xml[start..].starts_with("<?") {
            tags.push((start, end));
        }
        at = end;
    }
    tags
}

/// The end of the element whose start tag is `tags[index]`.
fn element_end(xml: &str, tags: &[(usize, usize)], index: usize) -> usize {
    let mut depth = 0_usize;
    for (start, end) in &tags[index..] {
        if xml[*start..].starts_with("</") {
            depth -= 1;
        } else if !xml[..*end].ends_with("/>") {
            depth += 1;
        }
        if depth == 0 {
            return *end;
        }
    }
    xml.len()
}

/// `xml` with one thing changed.
pub(crate) fn mutate(xml: &str, random: &mut Random) -> String {
    let tags = tags(xml);
    let starts: Vec<usize> =
        (0..tags.len()).filter(|index| !xml[tags[*index].0..].starts_with("</")).collect();
    let index = starts[random.below(starts.len())];
    let (start, tag_end) = tags[index];
    let end = element_end(xml, &tags, index);
    let element = &xml[start..end];
    let (before, after) = (&xml[..start], &xml[end..]);
    let is_leaf = tags.get(index + 1).is_some_and(|next| xml[next.0..].starts_with("</"));
    match random.below(9) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{element}{element}{after}"),
        2 => match tags.get(index + 1..).and_then(|rest| rest.iter().position(|t| t.0 >= end)) {
            // Swaps the element with the one that follows it, if it is a sibling.
            Some(offset) if !xml[end..].trim_start().starts_with("</") => {
                let next = index + 1 + offset;
                let next_end = element_end(xml, &tags, next);
                format!("{before}{}{element}{}", &xml[tags[next].0..next_end], &xml[next_end..])
            }
            _ => format!("{before}{}{element}{after}", random.pick(FRAGMENTS)),
        },
        3..=5 if is_leaf => {
            let close = tags[index + 1].0;
            let value = random.pick(VALUES);
            format!("{before}{}{value}{}", &xml[start..tag_end], &xml[close..])
        }
        3 => {
            let attribute = random.pick(ATTRIBUTES);
            let name_end = start + element.find([' ', '>', '/', '\n']).unwrap_or(1);
            format!("{}{attribute}{}", &xml[..name_end], &xml[name_end..])
        }
        4 => format!("{}{}{}", &xml[..tag_end], random.pick(FRAGMENTS), &xml[tag_end..]),
        5 => format!("{before}{element}{}{after}", random.pick(FRAGMENTS)),
        6 => xml.replacen("Ccy=\"", random.pick(&["ccy=\"", "Ccy=\" ", "Ccy=\"x", "x=\""]), 1),
        7 => {
            let at = (0..=random.below(xml.len())).rev().find(|at| xml.is_char_boundary(*at));
            let (front, back) = xml.split_at(at.unwrap_or(0));
            let rest = back.char_indices().nth(1).map_or("", |(next, _)| &back[next..]);
            format!(
                "{front}{}{rest}",
                random.pick(&["", "<", ">", "&", "\"", "x", "\u{1}", "\u{7F}"])
            )
        }
        _ => {
            let attribute = random.pick(ATTRIBUTES);
            let name_end = start + element.find([' ', '>', '/', '\n']).unwrap_or(1);
            format!("{}{attribute}{}", &xml[..name_end], &xml[name_end..])
        }
    }
}

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
