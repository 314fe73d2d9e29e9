//! Logs as lines of JSON on the error stream.

use tracing_subscriber::EnvFilter;

/// What is logged unless `ETIBAR_LOG` says otherwise, such as `debug` or `etibar_edge=debug`. The
/// consensus engine traces each vote at `info`, which costs a tenth of a small block's CPU.
const DEFAULT_FILTER: &str = "info,commonware=warn";

/// Begins to log. A panic becomes a line of the log, too.
pub(super) fn start() {
    let filter = EnvFilter::try_from_env("ETIBAR_LOG");
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_current_span(false)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(bug = %panic, "the process found a mistake of its own and stops");
    }));
}
