//! Documents that are nearly right: valid ones with one thing changed.

use super::random::Random;

/// Values at and around the edges of the types that ISO 20022 uses.
pub(crate) const VALUES: &[&str] = &[
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
pub(crate) const FRAGMENTS: &[&str] = &[
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
pub(crate) const ATTRIBUTES: &[&str] = &[
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
        // Also a change of value where the element holds none.
        _ => {
            let attribute = random.pick(ATTRIBUTES);
            let name_end = start + element.find([' ', '>', '/', '\n']).unwrap_or(1);
            format!("{}{attribute}{}", &xml[..name_end], &xml[name_end..])
        }
    }
}
