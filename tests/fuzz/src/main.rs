//! One target under libFuzzer: that of the environment variable `FUZZ_TARGET`.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let target = fuzz::TARGETS.iter().find(|target| target.name == name);
    let names: Vec<_> = fuzz::TARGETS.iter().map(|target| target.name).collect();
    let target = target.unwrap_or_else(|| panic!("set FUZZ_TARGET to one of {}", names.join(" ")));
    target.run
});

fuzz_target!(|data: &[u8]| RUN(data));
