//! A chapter of the tour: what happened, how long it took, what was checked.

use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// One chapter, told as it happens.
#[derive(Debug)]
pub(crate) struct Chapter {
    name: &'static str,
    began: Instant,
    took_ms: u64,
    speaks: bool,
    facts: Map<String, Value>,
    checks: Vec<(String, bool)>,
}

impl Chapter {
    /// Begins a chapter; `speaks` prints each step.
    pub(crate) fn begin(name: &'static str, speaks: bool) -> Self {
        if speaks {
            println!("\n{name}");
        }
        let began = Instant::now();
        Self { name, began, took_ms: 0, speaks, facts: Map::new(), checks: Vec::new() }
    }

    /// Something that happened, for the report.
    pub(crate) fn fact(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        if self.speaks {
            match &value {
                Value::String(text) => println!("    {key}: {text}"),
                other => println!("    {key}: {other}"),
            }
        }
        self.facts.insert(key.to_owned(), value);
    }

    /// Something that must hold.
    pub(crate) fn check(&mut self, sentence: impl Into<String>, holds: bool) {
        let sentence = sentence.into();
        if self.speaks {
            println!("  {} {sentence}", if holds { "✓" } else { "✗" });
        }
        self.checks.push((sentence, holds));
    }

    /// Ends the chapter; what broke it off counts as a check that did not hold.
    pub(crate) fn end(mut self, told: Result<(), Failure>) -> Self {
        if let Err(failure) = told {
            self.check(format!("the chapter ends: {failure}"), false);
        }
        self.took_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if self.speaks {
            println!("    took {} ms", self.took_ms);
        }
        self
    }

    /// Whether every check held, and there was one.
    pub(crate) fn is_ok(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|(_, holds)| *holds)
    }

    /// How many checks there were.
    pub(crate) fn checks(&self) -> usize {
        self.checks.len()
    }

    /// The chapter for programs.
    pub(crate) fn to_json(&self) -> Value {
        let checks: Vec<_> = self
            .checks
            .iter()
            .map(|(sentence, holds)| json!({ "check": sentence, "holds": holds }))
            .collect();
        json!({
            "name": self.name,
            "ok": self.is_ok(),
            "duration_ms": self.took_ms,
            "facts": self.facts,
            "checks": checks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_without_checks_or_with_a_broken_one_is_not_ok() {
        assert!(!Chapter::begin("empty", false).end(Ok(())).is_ok());
        let mut chapter = Chapter::begin("whole", false);
        chapter.check("one holds", true);
        assert!(chapter.is_ok());
        let failure = Failure::Ports(1);
        assert!(!chapter.end(Err(failure)).is_ok());
    }
}
