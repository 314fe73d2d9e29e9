//! What anybody may know of an edge: no payment, no customer.

use std::fmt::Write as _;

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};

use super::Door;
use crate::Problem;

/// `GET /metrics`: Prometheus' text form.
pub(super) async fn metrics(State(door): State<Door>) -> impl IntoResponse {
    let pulse = door.edge.pulse();
    let mut text = String::new();
    let help = "# HELP etibar_edge_payments_open Payments under way.\n\
                # TYPE etibar_edge_payments_open gauge\n";
    text.push_str(help);
    let directions = [("outgoing", &pulse.outgoing), ("incoming", &pulse.incoming)];
    for (direction, states) in directions {
        for (state, count) in states {
            let labels = format!("direction=\"{direction}\",state=\"{state}\"");
            writeln!(text, "etibar_edge_payments_open{{{labels}}} {count}")
                .expect("writing to a string cannot fail");
        }
    }
    let help = "# HELP etibar_edge_events_total Certified events taken.\n\
                # TYPE etibar_edge_events_total counter\n";
    text.push_str(help);
    writeln!(text, "etibar_edge_events_total {}", pulse.cursor)
        .expect("writing to a string cannot fail");
    if let Some(gauges) = &door.gauges {
        text.push_str(&gauges().await);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the edge can take payments and the ledger answers.
pub(super) async fn readyz(State(door): State<Door>) -> Result<&'static str, Problem> {
    let readiness = door.edge.readiness().await;
    let detail = match (readiness.deciding, readiness.ledger) {
        (true, true) => return Ok("ready\n"),
        (false, _) => "the edge is stopping",
        (true, false) => "no validator answers",
    };
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail))
}
