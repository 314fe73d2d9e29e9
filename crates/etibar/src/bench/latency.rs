//! Latencies: kept whole, so that percentiles are exact.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Every latency of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<Duration>);

/// The usual percentiles, in milliseconds with one digit behind the point.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[allow(clippy::struct_field_names, reason = "the unit belongs to each figure")]
pub(crate) struct Percentiles {
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

/// The usual percentiles of work that takes less than a millisecond.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[allow(clippy::struct_field_names, reason = "the unit belongs to each figure")]
pub(crate) struct Microseconds {
    pub(crate) p50_us: u128,
    pub(crate) p95_us: u128,
    pub(crate) p99_us: u128,
}

impl Latencies {
    /// Notes one latency.
    pub(crate) fn note(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Does `work`, and notes how long it took.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.note(start.elapsed());
        result
    }

    /// Adds another run's.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them together.
    pub(crate) fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// The percentiles by the nearest-rank method; all zero without a latency.
    pub(crate) fn microseconds(mut self) -> Microseconds {
        self.0.sort_unstable();
        let rank = |per_mille| self.rank(per_mille).as_micros();
        Microseconds { p50_us: rank(500), p95_us: rank(950), p99_us: rank(990) }
    }

    /// The latency that so many of a thousand do not exceed; of sorted ones.
    fn rank(&self, per_mille: usize) -> Duration {
        let index = (self.0.len() * per_mille).div_ceil(1000).saturating_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }

    /// The percentiles by the nearest-rank method; all zero without a latency.
    pub(crate) fn percentiles(mut self) -> Percentiles {
        self.0.sort_unstable();
        let rank = |per_mille| (self.rank(per_mille).as_secs_f64() * 10_000.0).round() / 10.0;
        Percentiles {
            p50_ms: rank(500),
            p95_ms: rank(950),
            p99_ms: rank(990),
            p999_ms: rank(999),
            max_ms: rank(1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_nearest_ranks() {
        let mut latencies = Latencies::default();
        (1..=1000).rev().for_each(|ms| latencies.note(Duration::from_millis(ms)));
        let percentiles = latencies.percentiles();
        assert!((percentiles.p50_ms - 500.0).abs() < 0.01);
        assert!((percentiles.p99_ms - 990.0).abs() < 0.01);
        assert!((percentiles.max_ms - 1000.0).abs() < 0.01);
    }
}
