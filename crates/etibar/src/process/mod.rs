//! Processes of a network on one machine: starting them, keeping them up, stopping them.
//!
//! A child's standard input is a pipe that its parent holds open. When the parent ends, however it
//! ends, the pipe closes and the child stops: nothing is left behind by a `kill -9`.

mod child;
mod log;
mod stop;
mod supervisor;

pub(crate) use child::ChildSpec;
pub(crate) use log::last_line;
pub(crate) use stop::{Stop, signalled};
pub(crate) use supervisor::{Reporter, Supervisor};
