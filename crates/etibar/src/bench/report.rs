//! The figures of a run, for people and for programs.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{
    latency::Percentiles,
    limits::{Limits, per_second},
    payments::{Arguments, Kind, Measured},
};

/// What was measured. Rates are per second of the measured window; CPU time is that of processes.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) kind: Kind,
    pub(crate) validators: u8,
    pub(crate) accounts: u16,
    pub(crate) batch: u16,
    pub(crate) seconds: u16,
    /// `null` in a closed loop.
    pub(crate) rate_offered: Option<u32>,
    /// Payments whose proof was verified by their bank within the window.
    pub(crate) payments: u64,
    pub(crate) payments_per_second: u64,
    /// From the order, in an open loop from its scheduled time, to the verified receipt.
    pub(crate) latency: Percentiles,
    pub(crate) refused: u64,
    /// Started and without an outcome when the run ended.
    pub(crate) unfinished: u64,
    pub(crate) validator_cpu_microseconds_per_payment: f64,
    pub(crate) client_cpu_microseconds_per_payment: f64,
    pub(crate) disk_bytes_per_payment_and_validator: u64,
    pub(crate) memory_peak_bytes_of_a_validator: u64,
    pub(crate) limits: Limits,
    pub(crate) ratios: Ratios,
}

/// The payments per second as a share of what one core or the disk can do.
#[derive(Debug, Serialize)]
#[allow(clippy::struct_field_names, reason = "the unit belongs to each figure")]
pub(crate) struct Ratios {
    pub(crate) to_signature_verifications: f64,
    pub(crate) to_merkle_leaves: f64,
    pub(crate) to_synced_appends: f64,
}

impl Report {
    pub(super) fn new(arguments: &Arguments, limits: Limits, measured: Measured) -> Self {
        let count = measured.latencies.len();
        let payments = u64::try_from(count).unwrap_or(u64::MAX);
        let rate = per_second(u128::from(payments), measured.window);
        let each = |time: Duration| tenths(time.as_secs_f64() * 1e6 / float(payments.max(1)));
        let validators = u64::from(arguments.validators);
        let ratio = |limit: u64| (float(rate) / float(limit.max(1)) * 1_000.0).round() / 1_000.0;
        Self {
            kind: arguments.kind,
            validators: arguments.validators,
            accounts: arguments.accounts,
            batch: arguments.batch,
            seconds: arguments.seconds,
            rate_offered: arguments.rate,
            payments,
            payments_per_second: rate,
            latency: measured.latencies.percentiles(),
            refused: measured.refused,
            unfinished: measured.unfinished,
            validator_cpu_microseconds_per_payment: each(measured.validator_cpu),
            client_cpu_microseconds_per_payment: each(measured.client_cpu),
            disk_bytes_per_payment_and_validator: measured.disk_growth
                / (measured.settled_in_all.max(1) * validators),
            memory_peak_bytes_of_a_validator: measured.memory_peak,
            limits,
            ratios: Ratios {
                to_signature_verifications: ratio(limits.signature_verifications_per_second),
                to_merkle_leaves: ratio(limits.merkle_leaves_per_second),
                to_synced_appends: ratio(limits.synced_appends_per_second),
            },
        }
    }
}

/// A count as a float, exact below 2^53.
pub(super) fn float(count: u64) -> f64 {
    let (high, low) = (count >> 32, count & 0xffff_ffff);
    let part = |part: u64| f64::from(u32::try_from(part).unwrap_or(u32::MAX));
    part(high) * 4_294_967_296.0 + part(low)
}

/// With one digit behind the point.
pub(super) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Direct => "direct payments (one transfer)",
            Kind::Instant => "instant payments (reserve and post by two banks)",
        };
        let offered = self
            .rate_offered
            .map_or("closed loop".to_owned(), |rate| format!("{rate} per second offered"));
        writeln!(f, "{kind}, {offered}")?;
        writeln!(
            f,
            "  {} validators, {} accounts, {} payments in a transaction, {} s",
            self.validators, self.accounts, self.batch, self.seconds
        )?;
        writeln!(f, "  payments per second        {:>10}", self.payments_per_second)?;
        let Percentiles { p50_ms, p99_ms, p999_ms, max_ms, .. } = self.latency;
        writeln!(f, "  latency p50 / p99 / p99.9  {p50_ms:>10} / {p99_ms} / {p999_ms} ms")?;
        writeln!(f, "  longest                    {max_ms:>10} ms")?;
        writeln!(f, "  refused, unfinished        {:>10}, {}", self.refused, self.unfinished)?;
        writeln!(
            f,
            "  CPU per payment            {:>10} µs all validators, {} µs all banks",
            self.validator_cpu_microseconds_per_payment, self.client_cpu_microseconds_per_payment
        )?;
        writeln!(
            f,
            "  disk per payment           {:>10} bytes on each validator",
            self.disk_bytes_per_payment_and_validator
        )?;
        let megabytes = self.memory_peak_bytes_of_a_validator / 1_000_000;
        writeln!(f, "  memory of a validator      {megabytes:>10} MB at most")?;
        let Limits {
            signature_verifications_per_second: signatures,
            merkle_leaves_per_second: leaves,
            hash_megabytes_per_second: hashed,
            synced_appends_per_second: synced,
        } = self.limits;
        writeln!(f, "  this machine, one core: {signatures} signatures/s, {leaves} leaves/s,")?;
        writeln!(f, "    {hashed} MB/s hashed; one disk: {synced} synced appends/s")?;
        let Ratios { to_signature_verifications, to_merkle_leaves, to_synced_appends } =
            self.ratios;
        writeln!(
            f,
            "  payments to these limits: {to_signature_verifications} of signatures, \
             {to_merkle_leaves} of leaves, {to_synced_appends} of synced appends"
        )
    }
}
