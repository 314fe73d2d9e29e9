//! How long a function, a file and a line may be.

use super::Finding;
use super::files::{File, Kind};
use super::rust;

/// A function fits on a screen.
const FUNCTION_LINES_MAX: usize = 70;
/// A file holds one idea; its tests do not count.
const FILE_LINES_MAX: usize = 500;
/// Counted in characters.
const LINE_COLUMNS_MAX: usize = 100;

/// Every size above its limit in `file`.
pub(super) fn check(file: &File) -> Vec<Finding> {
    match file.kind {
        Kind::Rust => {
            let code = rust::views(&file.text).code;
            let mut findings = check_functions(file, &code);
            findings.extend(check_length(file, rust::lines_without_tests(&code)));
            findings.extend(check_columns(file));
            findings
        }
        Kind::Code => {
            let mut findings = check_columns(file);
            findings.extend(check_length(file, file.text.lines().count()));
            findings
        }
        Kind::Prose | Kind::Settings => Vec::new(),
    }
}

fn check_functions(file: &File, code: &[char]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for function in rust::functions(code) {
        if function.lines <= FUNCTION_LINES_MAX {
            continue;
        }
        let place = format!("{}::{}", file.path, function.name);
        // Two functions of one name in one file: the longer one stands for both.
        if let Some(found) = findings.iter_mut().find(|found| found.place == place) {
            if found.measure < function.lines {
                *found = long_function(&place, function.lines);
            }
            continue;
        }
        findings.push(long_function(&place, function.lines));
    }
    findings
}

fn long_function(place: &str, lines: usize) -> Finding {
    let sentence =
        format!("the function has {lines} lines, {FUNCTION_LINES_MAX} are allowed: split it");
    Finding::measured("function-lines", place, lines, sentence)
}

fn check_length(file: &File, lines: usize) -> Option<Finding> {
    if file.is_test() || lines <= FILE_LINES_MAX {
        return None;
    }
    let sentence = format!(
        "the file has {lines} lines without its tests, {FILE_LINES_MAX} are allowed: split it"
    );
    Some(Finding::measured("file-lines", &file.path, lines, sentence))
}

fn check_columns(file: &File) -> Vec<Finding> {
    let long: Vec<usize> = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.chars().count() > LINE_COLUMNS_MAX)
        .map(|(index, _)| index + 1)
        .collect();
    if long.is_empty() {
        return Vec::new();
    }
    let sentence = format!("longer than {LINE_COLUMNS_MAX} columns: lines {long:?}");
    vec![Finding::measured("line-columns", &file.path, long.len(), sentence)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, kind: Kind, text: &str) -> Vec<(&'static str, usize)> {
        let file = File { path: path.to_owned(), kind, text: text.to_owned() };
        check(&file).into_iter().map(|found| (found.rule, found.measure)).collect()
    }

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_at_the_limit_passes_and_one_line_past_it_is_found() {
        assert!(rules("a.rs", Kind::Rust, &function(70)).is_empty());
        assert_eq!(rules("a.rs", Kind::Rust, &function(71)), [("function-lines", 71)]);
    }

    #[test]
    fn the_longest_of_two_functions_with_one_name_is_reported() {
        let text = format!("{}{}", function(71), function(80));
        assert_eq!(rules("a.rs", Kind::Rust, &text), [("function-lines", 80)]);
    }

    #[test]
    fn a_file_at_the_limit_passes_and_one_line_past_it_is_found() {
        assert!(rules("a.rs", Kind::Rust, &"use a;\n".repeat(500)).is_empty());
        let past = "use a;\n".repeat(501);
        assert_eq!(rules("a.rs", Kind::Rust, &past), [("file-lines", 501)]);
        assert_eq!(rules("a.css", Kind::Code, &past), [("file-lines", 501)]);
        assert!(rules("tests/a.rs", Kind::Rust, &past).is_empty());
    }

    #[test]
    fn tests_inside_a_file_do_not_count_to_its_length() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "use a;\n".repeat(400));
        let text = format!("{}{tests}", "use a;\n".repeat(400));
        assert!(rules("a.rs", Kind::Rust, &text).is_empty());
    }

    #[test]
    fn a_line_at_the_limit_passes_and_one_column_past_it_is_found() {
        let line = format!("{}\n", "ə".repeat(100));
        assert!(rules("a.sh", Kind::Code, &line).is_empty());
        let line = format!("{}\n", "ə".repeat(101));
        assert_eq!(rules("a.sh", Kind::Code, &line), [("line-columns", 1)]);
        assert!(rules("a.md", Kind::Prose, &line).is_empty());
    }
}
