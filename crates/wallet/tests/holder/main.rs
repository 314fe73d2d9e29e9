//! What a person can do in a wallet, without a network.

mod deferred;
mod passkeys;
mod support;
