//! A member's edge.
#![allow(dead_code)]

pub mod alias;
pub mod answer;
pub mod book;
pub mod config;
pub mod core;
pub mod directory;
mod edge;
mod engine;
pub mod envelope;
pub mod flow;
pub mod intake;
pub mod payment;
pub mod ports;
pub mod reason;
pub mod setup;
pub mod status;
pub mod store;

pub use edge::{
    DeliveryError, Edge, EdgeTasks, MESSAGES_MAX, PaymentAnswer, Readiness, RequestError, WAIT_MAX,
};
pub use engine::{EdgeFault, Ports, Pulse};
