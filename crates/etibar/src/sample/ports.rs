//! Free ports of the loopback address.
//!
//! Taken below the range from which the system numbers outgoing connections, so that a port stays
//! free while the network is stopped.

use std::{net::TcpListener, ops::Range};

use crate::{failure::Failure, sample::loopback};

use super::random_bytes;

/// Where a network that people look at begins, so that its addresses are easy to remember.
const FAMILIAR_FIRST: u16 = 7_400;
/// Where all others are put.
const RANDOM: Range<u16> = 12_000..31_000;
/// How many places are tried before giving up.
const ATTEMPTS_MAX: usize = 64;

/// Where to look first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortChoice {
    /// At the same well-known place each time.
    Familiar,
    /// Anywhere, so that networks started at the same time do not meet.
    Random,
}

/// `count` free ports in a row.
pub(super) fn find_free(count: u16, choice: PortChoice) -> Result<Vec<u16>, Failure> {
    let familiar = (choice == PortChoice::Familiar).then_some(FAMILIAR_FIRST);
    let random = (0..ATTEMPTS_MAX).map(|_| random_first(count));
    let mut candidates = familiar.into_iter().chain(random);
    candidates
        .find_map(|first| free_row(first, count))
        .ok_or_else(|| Failure::Ports(usize::from(count)))
}

fn random_first(count: u16) -> u16 {
    let places = RANDOM.end - RANDOM.start - count;
    RANDOM.start + u16::from_le_bytes(random_bytes()) % places
}

fn free_row(first: u16, count: u16) -> Option<Vec<u16>> {
    let ports: Vec<u16> = (first..first + count).collect();
    // All at once: a port is not taken twice.
    let listeners: Result<Vec<_>, _> =
        ports.iter().map(|port| TcpListener::bind(loopback(*port))).collect();
    listeners.is_ok().then_some(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_with_a_taken_port_is_not_free() {
        let ports = find_free(3, PortChoice::Random).unwrap();
        let taken = TcpListener::bind(loopback(ports[1])).unwrap();
        assert_eq!(free_row(ports[0], 3), None);
        drop(taken);
        assert_eq!(free_row(ports[0], 3), Some(ports));
    }
}
