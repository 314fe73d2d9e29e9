//! How a law is tried: many cases from a seed that a failure names.
//!
//! `PROPTEST_CASES` sets how many (10,000 without it), `PROPTEST_RNG_SEED` from where (a constant
//! without it, so that two runs are the same).

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

/// How many cases a law is tried on.
const CASES: u32 = 10_000;
const SEED: u64 = 20_261_122;

/// Tries `law` on cases of `strategy`; panics with the smallest case found that breaks it.
pub(crate) fn holds<S: Strategy>(strategy: &S, law: impl Fn(S::Value)) {
    let configured = Config::default();
    let cases = if configured.cases == 256 { CASES } else { configured.cases };
    let seed = match configured.rng_seed {
        RngSeed::Random => SEED,
        RngSeed::Fixed(seed) => seed,
    };
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..configured };
    let tried = TestRunner::new(config).run(strategy, |case| {
        law(case);
        Ok::<(), TestCaseError>(())
    });
    if let Err(broken) = tried {
        panic!("{broken}\nrepeat with PROPTEST_RNG_SEED={seed} PROPTEST_CASES={cases}");
    }
}
