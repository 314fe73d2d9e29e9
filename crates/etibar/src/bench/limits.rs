//! What this machine can do at most, measured in the same run as the payments.

use std::{
    fs::File,
    hint::black_box,
    io::{self, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use etibar_primitives::{Domain, key::PrivateKey};
use serde::Serialize;

const PROBE: Domain = Domain::new("etibar.bench");
/// How long each limit is measured.
const PROBE_TIME: Duration = Duration::from_millis(400);

/// The machine's limits on one core and one disk.
#[derive(Debug, Clone, Copy, Serialize)]
#[allow(clippy::struct_field_names, reason = "the unit belongs to each figure")]
pub(crate) struct Limits {
    /// Ed25519 signatures verified one by one, per second and core.
    pub(crate) signature_verifications_per_second: u64,
    /// Operations of 128 bytes hashed and folded into a Merkle tree, per second and core.
    pub(crate) merkle_leaves_per_second: u64,
    /// Megabytes hashed in one piece, per second and core.
    pub(crate) hash_megabytes_per_second: u64,
    /// 64 KiB appended and synced, per second.
    pub(crate) synced_appends_per_second: u64,
}

impl Limits {
    /// Measures for about two seconds, writing below `folder`.
    pub(crate) fn measure(folder: &Path) -> io::Result<Self> {
        let key = PrivateKey::from_seed(&[7; 32]);
        let signature = key.sign(b"limit");
        let public = key.public_key();
        let operation = [7_u8; 128];
        let node = [9_u8; 64];
        let megabyte = vec![3_u8; 1_000_000];
        let mut file = File::create(folder.join("limits.probe"))?;
        let block = vec![1_u8; 64 * 1024];
        let mut failed = None;
        let limits = Self {
            signature_verifications_per_second: rate(|| {
                black_box(public.verify(black_box(b"limit"), &signature));
            }),
            merkle_leaves_per_second: rate(|| {
                black_box(PROBE.hash(black_box(&operation)));
                black_box(PROBE.hash(black_box(&node)));
            }),
            hash_megabytes_per_second: rate(|| {
                black_box(PROBE.hash(black_box(&megabyte)));
            }),
            synced_appends_per_second: rate(|| {
                let synced = file.write_all(&block).and_then(|()| file.sync_data());
                failed = synced.err().or(failed.take());
            }),
        };
        failed.map_or(Ok(limits), Err)
    }
}

/// How often `work` is done in a second.
pub(super) fn rate(mut work: impl FnMut()) -> u64 {
    let start = Instant::now();
    let mut count: u128 = 0;
    while start.elapsed() < PROBE_TIME {
        work();
        count += 1;
    }
    per_second(count, start.elapsed())
}

/// `count` in `time` as a rate, rounded down.
pub(crate) fn per_second(count: u128, time: Duration) -> u64 {
    u64::try_from(count * 1_000_000 / time.as_micros().max(1)).unwrap_or(u64::MAX)
}
