//! The known exceptions, which only shrink.
//!
//! One line each: `rule place measure`. A measure that grew is a finding; one that shrank must be
//! lowered in the file, so it cannot grow again.

use super::Finding;
use crate::failure::Failure;

/// Where the exceptions stand, from the root.
pub(super) const PATH: &str = "xtask/tidy.ratchet";

/// One known exception.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    rule: String,
    place: String,
    measure: usize,
}

/// Reads the file; `#` starts a line of words.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Failure> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(parse_line).collect()
}

fn parse_line(line: &str) -> Result<Entry, Failure> {
    let parts: Vec<&str> = line.split_whitespace().collect();
    let form = || Failure::Form {
        what: PATH.to_owned(),
        reason: format!("`{line}` is not `rule place measure`"),
    };
    let [rule, place, measure] = parts[..] else { return Err(form()) };
    let measure = measure.parse().map_err(|_| form())?;
    Ok(Entry { rule: rule.to_owned(), place: place.to_owned(), measure })
}

/// The findings that no entry holds, and the entries that no longer fit.
pub(super) fn settle(entries: &[Entry], findings: Vec<Finding>) -> Vec<Finding> {
    let unused = entries.iter().filter(|entry| !findings.iter().any(|found| entry.fits(found)));
    let mut open: Vec<Finding> =
        unused.map(|entry| entry.stale("remove the line: it is in order now")).collect();
    for finding in findings {
        let Some(entry) = entries.iter().find(|entry| entry.fits(&finding)) else {
            open.push(finding);
            continue;
        };
        let (held, found) = (entry.measure, finding.measure);
        if found > held {
            let sentence = format!("{} (known are {held}, found {found})", finding.sentence);
            open.push(Finding { sentence, ..finding });
        } else if found < held {
            open.push(entry.stale(&format!("lower {held} to {found}")));
        }
    }
    open
}

impl Entry {
    fn fits(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && self.place == finding.place
    }

    fn stale(&self, advice: &str) -> Finding {
        let sentence = format!("`{} {}`: {advice}", self.rule, self.place);
        Finding::new("ratchet", PATH, sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(text: &str, measure: Option<usize>) -> Vec<String> {
        let finding = |measure| Finding::measured("file-lines", "a.rs", measure, "long".to_owned());
        let findings = measure.map(finding).into_iter().collect();
        let open = settle(&parse(text).unwrap(), findings);
        open.into_iter().map(|found| found.sentence).collect()
    }

    #[test]
    fn a_known_exception_is_held_at_its_measure_only() {
        let known = "# words\nfile-lines a.rs 600\n";
        assert!(settled(known, Some(600)).is_empty());
        assert_eq!(settled(known, Some(601)), ["long (known are 600, found 601)"]);
        assert_eq!(settled(known, Some(599)), ["`file-lines a.rs`: lower 600 to 599"]);
    }

    #[test]
    fn an_exception_that_is_in_order_again_must_go() {
        let open = settled("file-lines a.rs 600\n", None);
        assert_eq!(open, ["`file-lines a.rs`: remove the line: it is in order now"]);
    }

    #[test]
    fn a_finding_that_is_not_known_stays() {
        assert_eq!(settled("", Some(501)), ["long"]);
        assert_eq!(settled("file-lines b.rs 501\n", Some(501)).len(), 2);
    }

    #[test]
    fn a_line_of_another_form_is_refused() {
        assert!(parse("file-lines a.rs\n").is_err());
        assert!(parse("file-lines a.rs many\n").is_err());
    }
}
