//! What `etibar up` and `etibar tour` say while they work.

use std::{io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::process::Reporter;

/// How often the mark that shows "still working" turns.
const TURN: Duration = Duration::from_millis(120);

/// Speaks to people on the error stream, or to nobody. A moving bar only on a terminal.
#[derive(Debug)]
pub(crate) struct Voice {
    bar: ProgressBar,
    speaks: bool,
}

impl Voice {
    /// Says nothing but what goes wrong.
    pub(crate) fn quiet() -> Self {
        Self { bar: ProgressBar::hidden(), speaks: false }
    }

    /// Says what is going on.
    pub(crate) fn for_people() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("  {spinner} {bar:24} {pos}/{len} {msg}");
        bar.set_style(style.expect("the template is well-formed"));
        Self { bar, speaks: true }
    }

    /// A line for people who want to know.
    pub(crate) fn say(&self, line: &str) {
        if self.speaks {
            self.print(line);
        }
    }

    /// Begins a count of `total` steps.
    pub(crate) fn begin(&self, total: u64) {
        self.bar.set_length(total);
        self.bar.enable_steady_tick(TURN);
    }

    /// One more step is done; `what` is awaited next.
    pub(crate) fn advance(&self, what: String) {
        self.bar.set_message(what);
        self.bar.inc(1);
    }

    /// All steps are done.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn print(&self, line: &str) {
        // Above the bar, if there is one.
        self.bar.suspend(|| eprintln!("etibar: {line}"));
    }
}

impl Reporter for Voice {
    /// A process that died is told to everybody.
    fn report(&self, line: &str) {
        self.print(line);
    }
}
