//! The ledger's rules as scenarios, its laws as properties, its formats as golden files.

mod audit;
mod law;
mod laws;
mod model;
mod plan;
mod world;
