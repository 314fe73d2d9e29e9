//! Words and marks that must not be in the tree.
//!
//! The words are put together by `concat!`, so that this file does not find itself.

use super::Finding;
use super::files::{File, Kind};
use super::rust;

/// Work that is not done. A known gap is written in the open list, not in a comment.
const OPEN_WORK: [&str; 3] = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("X", "XX")];
/// Code that gives up or a test that does not run. Refused everywhere.
const OPEN_CODE: [&str; 3] =
    [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("#[", "ignore")];
/// Panics without a reason. Refused outside tests.
const UNWRAP: [&str; 2] = [concat!(".unw", "rap()"), concat!(".unw", "rap_err()")];
/// Crates whose bytes must be the same everywhere. The lint on types does not see a bare `1.5`.
const INTEGER_CRATES: [&str; 2] = ["crates/ledger/src/", "crates/primitives/src/"];
/// Folders of one person's or one machine's own.
const MACHINE_FOLDERS: [&str; 4] = ["/work/", "/root/", "/home/", "/Users/"];

/// Every word and mark in `file` that must not be there.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut found = Found::new(file);
    match file.kind {
        Kind::Rust => check_rust(file, &mut found),
        Kind::Code => found.add_words("open-work", &file.text, &OPEN_WORK),
        Kind::Prose | Kind::Settings => {}
    }
    for folder in MACHINE_FOLDERS {
        if !file.path.ends_with("xtask/src/tidy/words.rs") {
            found.add_lines("machine-path", folder, |line| names_folder(line, folder));
        }
    }
    found.add_lines("trailing-space", "a blank at the end", |line| {
        line.ends_with([' ', '\t', '\r'])
    });
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let sentence = "the last line does not end with a line break".to_owned();
        found.findings.push(Finding::new("final-newline", &file.path, sentence));
    }
    found.findings
}

fn check_rust(file: &File, found: &mut Found<'_>) {
    let views = rust::views(&file.text);
    let comments: String = views.comments.iter().collect();
    let code: String = views.code.iter().collect();
    found.add_words("open-work", &comments, &OPEN_WORK);
    for word in OPEN_CODE {
        found.add("open-code", word, &lines_with(&code, |line| line.contains(word)));
    }
    if !file.is_test() {
        let shipped: String = rust::without_tests(&views.code).into_iter().collect();
        for word in UNWRAP {
            found.add("unwrap", word, &lines_with(&shipped, |line| line.contains(word)));
        }
        if INTEGER_CRATES.iter().any(|folder| file.path.starts_with(folder)) {
            found.add("float", "a floating point number", &lines_with(&shipped, has_float));
        }
    }
}

/// The findings of one file: one for each rule and word, measured in lines.
struct Found<'a> {
    file: &'a File,
    findings: Vec<Finding>,
}

impl<'a> Found<'a> {
    fn new(file: &'a File) -> Self {
        Self { file, findings: Vec::new() }
    }

    fn add(&mut self, rule: &'static str, word: &str, lines: &[usize]) {
        if lines.is_empty() {
            return;
        }
        let (path, count) = (&self.file.path, lines.len());
        // One entry for each rule and file, so that the ratchet can name it.
        if let Some(found) = self.findings.iter_mut().find(|found| found.rule == rule) {
            found.measure += count;
            found.sentence = format!("{}; `{word}` on lines {lines:?}", found.sentence);
        } else {
            let sentence = format!("`{word}` on lines {lines:?}");
            self.findings.push(Finding::measured(rule, path, count, sentence));
        }
    }

    fn add_lines(&mut self, rule: &'static str, word: &str, broken: impl Fn(&str) -> bool) {
        self.add(rule, word, &lines_with(&self.file.text, broken));
    }

    fn add_words(&mut self, rule: &'static str, text: &str, words: &[&str]) {
        for word in words {
            self.add(rule, word, &lines_with(text, |line| has_word(line, word)));
        }
    }
}

/// The numbers of the lines, from one, that are `broken`.
fn lines_with(text: &str, broken: impl Fn(&str) -> bool) -> Vec<usize> {
    // `split`, not `lines`: the second hides a carriage return at the end.
    let lines = text.split('\n').enumerate();
    lines.filter(|(_, line)| broken(line)).map(|(index, _)| index + 1).collect()
}

/// In code marks a word may be a value, such as the branch code or the currency that means none.
fn has_word(line: &str, word: &str) -> bool {
    let line: Vec<char> = line.chars().collect();
    (0..line.len()).any(|at| {
        let quoted = at > 0 && matches!(line[at - 1], '`' | '"' | '\'');
        !quoted && rust::is_word_at(&line, at, word)
    })
}

/// A literal such as `1.5`, or a literal or type that names its width. `a.0.1` is a field.
fn has_float(line: &str) -> bool {
    let line: Vec<char> = line.chars().collect();
    let typed = |at: usize| {
        let after_gap = at == 0 || !line[at - 1].is_alphanumeric();
        after_gap && matches!(line[at..], ['f', '3', '2', ..] | ['f', '6', '4', ..])
    };
    let literal = |at: usize| {
        let digits = line[..at].iter().rev().take_while(|found| found.is_ascii_digit()).count();
        let before = at.checked_sub(digits + 1).map(|before| line[before]);
        let is_number = !before.is_some_and(|found| found.is_alphabetic() || "._".contains(found));
        let after = line.get(at + 1);
        line[at] == '.' && digits > 0 && is_number && after.is_some_and(char::is_ascii_digit)
    };
    (0..line.len()).any(|at| typed(at) || literal(at))
}

/// A folder at the end of a longer path, such as an address, is not a machine's own.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|found| found.is_alphanumeric() || "_-.}~*:/".contains(found))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, kind: Kind, text: &str) -> Vec<&'static str> {
        let file = File { path: path.to_owned(), kind, text: text.to_owned() };
        check(&file).into_iter().map(|found| found.rule).collect()
    }

    #[test]
    fn open_work_in_a_comment_is_found_and_a_value_of_that_form_is_not() {
        for word in OPEN_WORK {
            assert_eq!(rules("a.rs", Kind::Rust, &format!("// {word}: later\n")), ["open-work"]);
            assert_eq!(rules("a.css", Kind::Code, &format!("/* {word} */\n")), ["open-work"]);
            assert!(rules("a.rs", Kind::Rust, &format!("let a = \"{word}\";\n")).is_empty());
            assert!(rules("a.rs", Kind::Rust, &format!("// AAAA{word}, `{word}`\n")).is_empty());
        }
    }

    #[test]
    fn code_that_gives_up_is_found_in_tests_too() {
        for word in OPEN_CODE {
            assert_eq!(rules("tests/a.rs", Kind::Rust, &format!("{word}\n")), ["open-code"]);
        }
    }

    #[test]
    fn a_panic_without_a_reason_is_found_outside_tests_only() {
        let text = format!("fn a() {{ b(){} }}\n", UNWRAP[0]);
        assert_eq!(rules("a.rs", Kind::Rust, &text), ["unwrap"]);
        assert!(rules("tests/a.rs", Kind::Rust, &text).is_empty());
        let inside = format!("#[cfg(test)]\nmod tests {{\n{text}}}\n");
        assert!(rules("a.rs", Kind::Rust, &inside).is_empty());
    }

    #[test]
    fn floats_are_found_in_the_integer_crates_only() {
        for float in ["1.5", "10.0", "2_f32", "x: f64"] {
            let text = format!("let a = {float};\n");
            assert_eq!(rules("crates/ledger/src/a.rs", Kind::Rust, &text), ["float"], "{float}");
            assert!(rules("crates/edge/src/a.rs", Kind::Rust, &text).is_empty());
        }
        for other in ["a.0.1", "0..1", "v1.0", "1.max(2)", "[0xf32, 1]", "\"1.5\""] {
            let text = format!("let a = {other};\n");
            assert!(rules("crates/ledger/src/a.rs", Kind::Rust, &text).is_empty(), "{other}");
        }
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_an_address_is_not() {
        for folder in MACHINE_FOLDERS {
            let text = format!("path = \"{folder}etibar\"\n");
            assert_eq!(rules("a.toml", Kind::Settings, &text), ["machine-path"]);
            let text = format!("path = \"https://example.az{folder}etibar\"\n");
            assert!(rules("a.toml", Kind::Settings, &text).is_empty());
        }
    }

    #[test]
    fn blanks_at_the_end_of_a_line_are_found() {
        for blank in [" ", "\t", "\r"] {
            let text = format!("a{blank}\nb\n");
            assert_eq!(rules("a.md", Kind::Prose, &text), ["trailing-space"]);
        }
    }

    #[test]
    fn a_file_without_a_line_break_at_its_end_is_found() {
        assert_eq!(rules("a.md", Kind::Prose, "a"), ["final-newline"]);
        assert!(rules("a.md", Kind::Prose, "a\n").is_empty());
        assert!(rules("a.md", Kind::Prose, "").is_empty());
    }
}
