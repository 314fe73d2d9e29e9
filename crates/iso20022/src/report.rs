//! The verdict on a file, part by part, and its form for people.

use std::fmt;

/// What validation says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The application headers and documents, in the order of the file.
    pub parts: Vec<Part>,
    /// Why the file as a whole is refused: not well-formed, above a limit, or without a part. While
    /// this is set, no part is [`Verdict::Valid`].
    pub fault: Option<Violation>,
}

/// One application header or document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The message definition (`pacs.008.001.08`), or the namespace itself where it is none of
    /// ISO 20022; cut to 100 characters.
    pub name: String,
    /// The verdict on this part alone.
    pub verdict: Verdict,
    /// Line of the part's first tag, from 1.
    pub line: u32,
    /// In the order of the file, at most [`crate::limits::VIOLATIONS_PART_MAX`].
    pub violations: Vec<Violation>,
    /// How many further violations were counted and not kept.
    pub violations_left_off: u32,
}

/// The verdict on one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The part obeys its schema.
    Valid,
    /// It does not, or the file around it is refused.
    Invalid,
    /// No table of this crate describes the part's namespace; nothing inside it was checked.
    Unsupported,
}

/// One broken rule and its place. Never holds a value of the message, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The element, as `/Document/FIToFICstmrCdtTrf/CdtTrfTxInf[2]`; empty outside of all parts.
    pub path: String,
    /// The rule, stable across versions.
    pub code: Code,
    /// What is wrong, in one sentence.
    pub sentence: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// The rules a file can break. The texts never change meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// The stable text of this code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// The bytes are not UTF-8, or declare another encoding.
    Encoding = "encoding",
    /// The file is not well-formed XML 1.0 with namespaces.
    Malformed = "malformed",
    /// The file holds a document type declaration.
    Doctype = "doctype",
    /// The file is above a limit of [`crate::limits`].
    Limit = "limit",
    /// The file holds neither an application header nor a document.
    NoPart = "no-part",
    /// The part's first element is not the one its schema declares.
    Root = "root",
    /// An element that the schema does not allow at this place.
    ElementUnexpected = "element-unexpected",
    /// An element that the schema demands is absent.
    ElementMissing = "element-missing",
    /// Text beside elements.
    TextUnexpected = "text-unexpected",
    /// An attribute that the schema does not allow.
    AttributeUnexpected = "attribute-unexpected",
    /// An attribute that the schema demands is absent.
    AttributeMissing = "attribute-missing",
    /// The value is not of its type (date, time, number, boolean, base64).
    ValueType = "value-type",
    /// The value is shorter or longer than its type allows.
    ValueLength = "value-length",
    /// The value does not match its type's pattern.
    ValuePattern = "value-pattern",
    /// The value is none of its type's codes.
    ValueCode = "value-code",
    /// The number has more digits than its type allows.
    ValueDigits = "value-digits",
    /// The number is outside of its type's range.
    ValueRange = "value-range",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
        })
    }
}

impl Report {
    /// Whether the file is whole and every part of it valid.
    pub fn is_valid(&self) -> bool {
        self.fault.is_none() && self.parts.iter().all(|part| part.verdict == Verdict::Valid)
    }

    /// The report as lines for people, each opening with `file`:
    /// `FILE: part 1 head.001.001.02 valid` and `FILE:12:34: [value-pattern] /AppHdr/…: …`.
    pub fn lines(&self, file: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            lines.push(format!("{file}: part {} {} {}", index + 1, part.name, part.verdict));
            lines.extend(part.violations.iter().map(|violation| format!("{file}:{violation}")));
            if part.violations_left_off > 0 {
                lines.push(format!("{file}: {} more violations", part.violations_left_off));
            }
        }
        lines.extend(self.fault.iter().map(|fault| format!("{file}:{fault}")));
        lines
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] ", self.line, self.column, self.code)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.sentence)
    }
}
