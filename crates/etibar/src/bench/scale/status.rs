//! Status lists of millions of credentials: their size on the wire, and what they cost the issuer,
//! the verifier and the ledger.

use std::{
    collections::BTreeMap,
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

use etibar_credential::{
    UnixSeconds,
    jose::{Certified, SoftwareKey},
    status_list::{Bits, Status, StatusList, StatusToken, VerifiedStatusList, sign_status_list},
    trust::StatusLists as _,
};
use etibar_ledger::operation::{Action, StatusListAnchor};
use etibar_primitives::Digest;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde::Serialize;

use super::network::{AGENCY, Network, START};
use crate::bench::{
    authority::{self, Party},
    limits::per_second,
    report::tenths,
};

/// Entries in one list, as the agencies make them.
const LIST_ENTRIES: u32 = etibar_agency::store::LIST_ENTRIES;
/// Shares of revoked credentials, per thousand.
const REVOKED_PER_MILLE: [u32; 4] = [0, 1, 10, 50];
/// Statuses looked up.
const LOOKUPS: u32 = 1_000_000;
/// How long a list is valid and may be kept, in seconds.
const LIFE_S: u64 = 600;
const ISSUER: &str = "https://issuer.example";

/// What the lists cost. Times are of one thread.
#[derive(Debug, Serialize)]
pub(super) struct StatusLists {
    entries: u32,
    lists: u32,
    entries_of_a_list: u32,
    /// By the share of revoked credentials, which decides how far a list compresses.
    by_revoked: Vec<ByRevoked>,
    /// Of a verifier that holds all lists, at random places.
    lookups_per_second: u64,
    /// Of all lists anew: one operation of 128 bytes each, in one transaction.
    anchor: Anchor,
}

/// The lists when a share of the credentials is revoked.
#[derive(Debug, Serialize)]
struct ByRevoked {
    revoked_per_mille: u32,
    revoked: u64,
    /// All lists as they are served: signed tokens with the issuer's certificates.
    bytes: u64,
    bytes_of_a_list: u64,
    /// To compress and sign one list: what one revocation costs the issuer.
    sign_ms_of_a_list: f64,
    /// To check one list's chain and signature, and to unfold it.
    verify_ms_of_a_list: f64,
}

/// What the ledger has to do for all lists.
#[derive(Debug, Serialize)]
struct Anchor {
    operations: u32,
    transaction_bytes: u64,
    execute_microseconds: u64,
    /// Rows of the authenticated store, keys included.
    state_bytes: u64,
    /// The first anchors and those that replace them: the rows do not grow.
    state_bytes_after_again: u64,
}

type Held = BTreeMap<String, VerifiedStatusList>;

/// Makes lists of `entries` credentials for each share of revoked ones.
pub(super) fn measure(entries: u32) -> StatusLists {
    let lists = entries.div_ceil(LIST_ENTRIES);
    let issuer = authority::party(1, ISSUER, UnixSeconds::from(START));
    let mut by_revoked = Vec::new();
    let mut held = Held::new();
    for revoked_per_mille in REVOKED_PER_MILLE {
        held.clear();
        by_revoked.push(publish(lists, revoked_per_mille, &issuer, &mut held));
    }
    StatusLists {
        entries,
        lists,
        entries_of_a_list: LIST_ENTRIES,
        by_revoked,
        lookups_per_second: look_up(&held, lists),
        anchor: anchor(&held),
    }
}

fn publish(lists: u32, revoked_per_mille: u32, issuer: &Party, held: &mut Held) -> ByRevoked {
    let mut rng = StdRng::seed_from_u64(revoked_per_mille.into());
    let now = UnixSeconds::from(START);
    let (mut revoked, mut bytes) = (0, 0);
    let (mut signing, mut verifying) = (Duration::ZERO, Duration::ZERO);
    for number in 0..lists {
        let list = draw(revoked_per_mille, &mut rng, &mut revoked);
        let start = Instant::now();
        let uri = uri(number);
        let token = sign(&issuer.signer, &uri, &list, now);
        signing += start.elapsed();
        bytes += u64::try_from(token.len()).unwrap_or(u64::MAX);
        let start = Instant::now();
        let verified = VerifiedStatusList::verify(&token, &uri, now).expect("just signed");
        verifying += start.elapsed();
        assert_eq!(verified.list, list, "a list is what it was");
        held.insert(uri, verified);
    }
    let each = |time: Duration| tenths(time.as_secs_f64() * 1e3 / f64::from(lists));
    ByRevoked {
        revoked_per_mille,
        revoked,
        bytes,
        bytes_of_a_list: bytes / u64::from(lists),
        sign_ms_of_a_list: each(signing),
        verify_ms_of_a_list: each(verifying),
    }
}

/// A full list with the given share of revoked entries at random places.
fn draw(revoked_per_mille: u32, rng: &mut StdRng, revoked: &mut u64) -> StatusList {
    let entries = usize::try_from(LIST_ENTRIES).expect("a million fits");
    let mut list = StatusList::new(Bits::One, entries).expect("far below the limit");
    let mut left = LIST_ENTRIES / 1_000 * revoked_per_mille;
    while left > 0 {
        let index = rng.random_range(0..u64::from(LIST_ENTRIES));
        if list.get(index) == Ok(Status::VALID) {
            list.set(index, Status::INVALID).expect("below the end");
            left -= 1;
            *revoked += 1;
        }
    }
    list
}

fn sign(
    signer: &Certified<SoftwareKey>,
    uri: &str,
    list: &StatusList,
    issued_at: UnixSeconds,
) -> String {
    let expires_at = issued_at.saturating_add(LIFE_S);
    let token = StatusToken { uri, issued_at, expires_at, ttl_seconds: LIFE_S };
    sign_status_list(signer, &token, list).expect("a key in memory")
}

fn uri(number: u32) -> String {
    format!("{ISSUER}/status/{number}")
}

fn look_up(held: &Held, lists: u32) -> u64 {
    let mut rng = StdRng::seed_from_u64(7);
    let uris: Vec<String> = (0..lists).map(uri).collect();
    let asked: Vec<(&str, u64)> = (0..LOOKUPS)
        .map(|_| {
            let uri = &uris[rng.random_range(0..uris.len())];
            (uri.as_str(), rng.random_range(0..u64::from(LIST_ENTRIES)))
        })
        .collect();
    let start = Instant::now();
    for (uri, index) in &asked {
        let list = held.find(black_box(uri)).expect("every list is held");
        black_box(list.list.get(*index)).expect("below the end");
    }
    per_second(LOOKUPS.into(), start.elapsed())
}

/// Anchors every list twice, as when each has changed once, and counts the rows.
fn anchor(held: &Held) -> Anchor {
    let mut network = Network::new();
    let mut rows: BTreeMap<Digest, u64> = BTreeMap::new();
    let mut round = |counter: u64| {
        let anchors: Vec<Action> = held
            .values()
            .zip(0..)
            .map(|(held, list)| {
                let digest = Digest(held.token_digest);
                Action::AnchorStatusList(StatusListAnchor { list, counter, digest })
            })
            .collect();
        let block = network.block(AGENCY, &anchors);
        for change in &block.executed.changes {
            let value = change.value.as_ref().map_or(0, Vec::len);
            rows.insert(change.key, u64::try_from(32 + value).unwrap_or(u64::MAX));
        }
        (anchors.len(), block.execute, rows.values().sum::<u64>())
    };
    let (operations, execute, state_bytes) = round(1);
    let (.., state_bytes_after_again) = round(2);
    let operations = u32::try_from(operations).unwrap_or(u32::MAX);
    Anchor {
        operations,
        transaction_bytes: 256 + 128 * u64::from(operations),
        execute_microseconds: u64::try_from(execute.as_micros()).unwrap_or(u64::MAX),
        state_bytes,
        state_bytes_after_again,
    }
}

impl fmt::Display for StatusLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, lists, entries_of_a_list, anchor, .. } = self;
        writeln!(
            f,
            "status of {entries} credentials: {lists} lists of {entries_of_a_list} entries of 1 bit"
        )?;
        for one in &self.by_revoked {
            writeln!(
                f,
                "  {:>2} per thousand revoked: {:>8} bytes, each list {:>7} bytes, {} ms to sign, \
                 {} ms to verify",
                one.revoked_per_mille,
                one.bytes,
                one.bytes_of_a_list,
                one.sign_ms_of_a_list,
                one.verify_ms_of_a_list,
            )?;
        }
        writeln!(f, "  looked up per second       {:>10}", self.lookups_per_second)?;
        writeln!(
            f,
            "  anchors of all lists       {:>10} operations, {} bytes, {} µs, rows of {} bytes",
            anchor.operations,
            anchor.transaction_bytes,
            anchor.execute_microseconds,
            anchor.state_bytes,
        )
    }
}
