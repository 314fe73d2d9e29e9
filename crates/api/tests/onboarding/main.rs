//! A bank's onboarding routes: each once as it should be, and every bad input at every door.

#[path = "../common/mod.rs"]
mod common;
mod desk;
mod door;
#[allow(dead_code, reason = "shared with the flows' own tests")]
#[path = "../../../onboarding/tests/flows/support/mod.rs"]
mod support;
mod ways;
mod world;
