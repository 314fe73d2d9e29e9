//! The ledger's rules as scenarios, its laws as properties, its formats as golden files.

mod audit;
mod codec;
mod golden;
mod law;
mod laws;
mod limits;
mod model;
mod plan;
mod proofs;
mod scenario;
mod statements;
mod world;
