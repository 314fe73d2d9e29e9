//! The rules of XML and of the schemas, case by case; xmllint, where it is installed, agrees.

use etibar_iso20022::limits::{
    ATTRIBUTES_MAX, DEPTH_MAX, FILE_BYTES_MAX, NAMESPACES_MAX, PARTS_MAX,
};
use etibar_iso20022::{Code, Report, Verdict, validate};

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/reference.rs"]
mod reference;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pacs.028.001.03";
const GROUP: &str = "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-22T09:30:00Z</CreDtTm></GrpHdr>";

/// A small valid document with `inside` before the end of its message.
fn document(inside: &str) -> String {
    let message = format!("<FIToFIPmtStsReq>{GROUP}{inside}</FIToFIPmtStsReq>");
    format!("<Document xmlns=\"{NAMESPACE}\">{message}</Document>")
}

/// A document with foreign content.
fn foreign(content: &str) -> String {
    document(&format!("<SplmtryData><Envlp>{content}</Envlp></SplmtryData>"))
}

/// What we say of each document must be `valid`, and what xmllint says too.
fn check(valid: bool, documents: &[String]) {
    let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
    for text in &texts {
        let report = validate(text.as_bytes());
        assert_eq!(report.is_valid(), valid, "{text}\n{:#?}", report.lines("ours"));
    }
    if let Some(folder) = reference::folder() {
        let verdicts = reference::verdicts(&folder, "pacs.028.001.03", &texts);
        for (text, verdict) in texts.iter().zip(verdicts.expect("the schema exists")) {
            assert_eq!(verdict, valid, "xmllint differs: {text}");
        }
    }
}

#[test]
fn every_way_of_writing_a_valid_document_is_accepted() {
    let plain = document("");
    let prefixed = plain
        .replace("xmlns=", "xmlns:d=")
        .replace("</", "</d:")
        .replace('<', "<d:")
        .replace("<d:/d:", "</d:");
    check(
        true,
        &[
            plain.clone(),
            prefixed,
            format!("\u{FEFF}{plain}"),
            format!("<?xml version=\"1.0\"?>{plain}"),
            format!("<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\r\n{plain}\r\n"),
            format!("<?xml version='1.0' encoding='iso-8859-1'?>{plain}"),
            format!("<?xml version=\"1.1\" encoding=\"UTF-8\"?>{plain}"),
            format!("<!-- c --><?pi x?>\n{plain}<!-- d -->\n<?pi?>"),
            plain.replace("><", ">\r\n\t <!-- c --> <?pi?><").trim_end().to_owned(),
            plain.replace("M1", "<![CDATA[M]]>&#49;<!-- c --><?pi?>"),
            plain.replace("M1", "əığ&lt;&gt;&amp;&apos;&quot;\u{1F600}\u{7F}\u{85}"),
            plain.replace("M1", &"Ə".repeat(35)),
            plain.replace("M1", &"\r\n".repeat(35)),
            plain.replace("Document xmlns", "Document xmlns:a=\"urn:a\"\n\txmlns"),
            plain.replace("</MsgId>", "</MsgId\n>"),
            plain.replace("<GrpHdr>", "&#32;&#x9;\n<GrpHdr>"),
            plain.replace(
                "<GrpHdr>",
                "<GrpHdr xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
                 i:schemaLocation=\"urn:x x.xsd\" i:noNamespaceSchemaLocation=\"x.xsd\" \
                 i:type=\"GroupHeader91\">",
            ),
            foreign("<x xmlns=''/>"),
            foreign(
                "<x xmlns='urn:x' a='b' xml:lang='az'>text<y:z xmlns:y='urn:y'>&amp;</y:z></x>",
            ),
            foreign("<MsgId/>"),
            // Breaches of Namespaces in XML are no breaches of the schema where anything may stand.
            foreign("<u:x/>"),
            foreign("<x u:a='1'/>"),
            foreign("<a:b:c xmlns:a='urn:a'/>"),
            foreign("<x xmlns:y='urn:y' xmlns:z='urn:y' y:a='1' z:a='2'/>"),
            foreign("\n<!-- c --><x/>\n"),
            foreign(&document("")),
            foreign(&foreign("<x/>")),
        ],
    );
}

#[test]
fn a_file_that_is_not_well_formed_around_its_root_is_refused() {
    let plain = document("");
    let broken = [
        String::new(),
        " ".to_owned(),
        "text".to_owned(),
        plain.replace("</Document>", ""),
        format!("{plain}{plain}"),
        format!("{plain}x"),
        format!("x{plain}"),
        format!("{plain}&#32;"),
        format!("{plain}<![CDATA[ ]]>"),
        format!(" <?xml version=\"1.0\"?>{plain}"),
        format!("<?xml encoding=\"UTF-8\"?>{plain}"),
        format!("<?xml version=\"2.0\"?>{plain}"),
        format!("<?xml version=\"1.0\" standalone=\"maybe\"?>{plain}"),
        format!("<?xml version=\"1.0\" extra=\"x\"?>{plain}"),
        format!("<?xml version=\"1.0\"encoding=\"UTF-8\"?>{plain}"),
        format!("<!-- a -- b -->{plain}"),
        format!("<!-- a --->{plain}"),
        format!("<?1 x?>{plain}"),
    ];
    check(false, &broken);
}

#[test]
fn elements_attributes_and_text_that_the_schema_does_not_allow_are_refused() {
    let plain = document("");
    let broken = [
        plain.replace("<GrpHdr>", "<![CDATA[ ]]><GrpHdr>"),
        plain.replace("<GrpHdr>", "x<GrpHdr>"),
        plain.replace("<GrpHdr>", "<GrpHdr xmlns=\"urn:x\">"),
        plain.replace("<GrpHdr>", "<GrpHdr xml:lang=\"az\">"),
        plain.replace(
            "<GrpHdr>",
            "<GrpHdr xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"false\">",
        ),
        plain.replace(NAMESPACE, "urn:iso:std:iso:20022:tech:xsd:pacs.028.001.3"),
        plain.replace(NAMESPACE, ""),
        plain.replace("Document", "Dokument"),
        plain.replace("<GrpHdr>", "<x:GrpHdr>").replace("</GrpHdr>", "</x:GrpHdr>"),
        document("<Foo/>"),
        document("<TxInf><OrgnlUETR>8A562C67-CA16-48BA-B074-65581BE6F001</OrgnlUETR></TxInf>"),
        document("<SplmtryData/>"),
    ];
    check(false, &broken);
}

#[test]
fn foreign_content_must_be_one_well_formed_element() {
    let broken = [
        foreign(""),
        foreign("x"),
        foreign("<x/><y/>"),
        foreign("x<x/>"),
        foreign("<x/><![CDATA[ ]]>"),
        foreign("<x a='1' a='2'/>"),
        foreign("<x a='1' b='&unknown;'/>"),
        foreign("<x a='&#0;'/>"),
        foreign("<x a='<'/>"),
        foreign("<x a=1/>"),
        foreign("<x a/>"),
        foreign("<x a='1'b='2'/>"),
        foreign("<1/>"),
        foreign("<x><y></x></y>"),
        foreign(&document("<Foo/>")),
        foreign(&document("").replace("FIToFIPmtStsReq", "Other")),
    ];
    check(false, &broken);
}

#[test]
fn values_that_break_their_type_or_xml_are_refused() {
    let plain = document("");
    let too_long = ["x".repeat(36), "\r\n".repeat(36), "&#13;&#10;".repeat(18)];
    let values = [
        "",
        "&#0;",
        "&#x1;",
        "&#xFFFE;",
        "&#xD800;",
        "&#x110000;",
        "&#;",
        "&#x;",
        "&#1",
        "&",
        "& ",
        "&unknown;",
        "&AMP;",
        "]]>",
        "<x/>",
        "\u{1}",
        "\u{FFFF}",
    ];
    let values = values.into_iter().chain(too_long.iter().map(String::as_str));
    let broken: Vec<_> = values.map(|value| plain.replace("M1", value)).collect();
    check(false, &broken);
}

fn fault_of(report: &Report) -> Option<Code> {
    report.fault.as_ref().map(|fault| fault.code)
}

fn check_fault(bytes: &[u8], code: Code) {
    let report = validate(bytes);
    assert_eq!(fault_of(&report), Some(code), "{:?}", report.lines("ours"));
    assert!(report.parts.iter().all(|part| part.verdict != Verdict::Valid));
}

#[test]
fn a_document_type_declaration_is_refused_before_any_of_it_is_read() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let external = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">";
    for doctype in [laughs, external, "<!DOCTYPE x>", "<!doctype x>"] {
        let text = format!("{doctype}{}", document("").replace("M1", "&b;"));
        let expected = if doctype.starts_with("<!d") { Code::Malformed } else { Code::Doctype };
        let report = validate(text.as_bytes());
        let code = fault_of(&report);
        assert!(code == Some(Code::Doctype) || code == Some(expected), "{report:?}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_with_their_place() {
    let mut bytes = document("").replace("M1", "M1\nab").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'\n').expect("a line feed is inside") + 3;
    bytes.insert(at, 0xFF);
    let fault = validate(&bytes).fault.expect("0xFF is never UTF-8");
    assert_eq!((fault.code, fault.line, fault.column), (Code::Encoding, 2, 3));
    for overlong in [&b"\xC0\x80"[..], b"\xED\xA0\x80", b"\xF4\x90\x80\x80", b"\xE4\xB8"] {
        check_fault(overlong, Code::Encoding);
    }
    let utf_16: Vec<u8> = document("").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(validate(&utf_16).fault.is_some());
    let declared = format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{}", document(""));
    check_fault(declared.as_bytes(), Code::Encoding);
}

#[test]
fn a_file_that_declares_iso_8859_1_is_read_as_such() {
    let declaration = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>";
    let text = format!("{declaration}{}", document("").replace("M1", &"\u{E9}".repeat(35)));
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect();
    assert!(validate(&bytes).is_valid());
    let report = validate(&[&bytes[..], b"\xE9"].concat());
    assert_eq!(fault_of(&report), Some(Code::Malformed));
}

/// At the limit the file is read, one past it is refused.
fn check_limit(at_limit: &str, past_it: &str) {
    let report = validate(at_limit.as_bytes());
    assert_ne!(fault_of(&report), Some(Code::Limit), "{:?}", report.lines("ours"));
    check_fault(past_it.as_bytes(), Code::Limit);
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let nested = |depth: usize| foreign(&("<x>".repeat(depth) + &"</x>".repeat(depth)));
    // Document, message, supplementary data and envelope are four.
    check_limit(&nested(DEPTH_MAX - 4), &nested(DEPTH_MAX - 3));
    assert!(validate(nested(DEPTH_MAX - 4).as_bytes()).is_valid());
    let attributes = |count: usize| {
        let list: Vec<_> = (0..count).map(|number| format!(" a{number}=''")).collect();
        foreign(&format!("<x{}/>", list.concat()))
    };
    check_limit(&attributes(ATTRIBUTES_MAX), &attributes(ATTRIBUTES_MAX + 1));
    let namespaces = |count: usize| {
        let list: Vec<_> = (0..count).map(|number| format!(" xmlns:a{number}='u'")).collect();
        foreign(&format!("<x{}/>", list.concat()))
    };
    // The document's own namespace is one of them, and an attribute as the others are.
    check_limit(&namespaces(NAMESPACES_MAX - 1), &namespaces(NAMESPACES_MAX));
    assert!(validate(namespaces(NAMESPACES_MAX - 1).as_bytes()).is_valid());
    let parts = |count: usize| format!("<w>{}</w>", document("").repeat(count));
    check_limit(&parts(PARTS_MAX), &parts(PARTS_MAX + 1));
    let padded = |bytes: usize| {
        let mut text = document("");
        let padding = " ".repeat(bytes - text.len() - "<!---->".len());
        text.extend(["<!--", &padding, "-->"]);
        text
    };
    check_limit(&padded(FILE_BYTES_MAX), &padded(FILE_BYTES_MAX + 1));
}

#[test]
fn a_file_of_very_deep_or_unclosed_elements_is_refused_quickly() {
    check_fault("<x>".repeat(1_000_000).as_bytes(), Code::Limit);
    check_fault("<".repeat(1_000_000).as_bytes(), Code::Malformed);
    check_fault("&".repeat(1_000_000).as_bytes(), Code::Malformed);
}

#[test]
fn each_part_of_an_envelope_gets_its_own_verdict() {
    let head = "<AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.02\"><Fr/></AppHdr>";
    let other =
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.099.001.01\"><x/></Document>";
    let file =
        format!("<a:Env xmlns:a=\"urn:a\">\n{head}\n{}\n<b>{other}</b></a:Env>", document(""));
    let report = validate(file.as_bytes());
    assert_eq!(
        report.lines("F"),
        [
            "F: part 1 head.001.001.02 invalid",
            "F:2:64: [element-missing] /AppHdr/Fr: element OrgId or FIId is missing",
            "F:2:69: [element-missing] /AppHdr: element To is missing",
            "F: part 2 pacs.028.001.03 valid",
            "F: part 3 pacs.099.001.01 unsupported",
        ]
    );
    let none = validate(b"<x/>");
    assert_eq!(fault_of(&none), Some(Code::NoPart));
    let torn = validate(file.trim_end_matches("</a:Env>").as_bytes());
    assert_eq!(fault_of(&torn), Some(Code::Malformed));
    assert!(torn.parts.iter().all(|part| part.verdict == Verdict::Invalid));
}

#[test]
fn a_report_names_place_path_and_rule_and_never_the_value() {
    let secret = "Synthetic Secret Person";
    let good = "\n<TxInf><OrgnlInstrId>x</OrgnlInstrId></TxInf>";
    let bad = format!("\n<TxInf><OrgnlUETR>{secret}</OrgnlUETR></TxInf>");
    let report = validate(document(&format!("{good}{bad}")).as_bytes());
    let lines = report.lines("F");
    assert_eq!(lines.len(), 2, "{lines:?}");
    let place = "F:3:8: [value-pattern] /Document/FIToFIPmtStsReq/TxInf[2]/OrgnlUETR: ";
    assert!(lines[1].starts_with(place), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains(secret)), "{lines:?}");
}
