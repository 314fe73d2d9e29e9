//! The HTTP doors of the program. What they share stands at the root: one kind of error
//! ([`problem`]), extractors that refuse with it ([`extract`]), and a server that bounds every
//! connection ([`serve`]). Each door is a module with a `router` function.
//!
//! Boundary: a door parses, authenticates, limits and renders. The rules live below it.
//!
//! Invariants: every error is `application/problem+json` with a stable code; a refused request
//! changes nothing; every wait and every size has a named limit.
//!
//! Deliberately absent: TLS (terminated beside the program until it is a configuration item here).

pub mod agency;
pub mod console;
mod desk;
pub mod edge;
pub mod extract;
mod form;
pub mod onboarding;
pub mod problem;
mod said;
mod serve;
mod shield;
pub mod validator;
mod visit;
pub mod wallet;

pub use problem::Problem;
pub use serve::{Limits, serve};
