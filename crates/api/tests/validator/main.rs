//! A validator's door, over real sockets, in front of a real validator that is a network alone.

mod client;
mod connections;
mod door;
mod execute;
mod identity;
mod tokens;
mod visibility;
mod world;
