//! Fuzz targets for everything that parses what a server, a Secret or a user sends.
//!
//! A target takes any bytes and asserts what must hold for all of them: that reading ends without a panic and with memory in proportion, and
//! the laws of what was read. The same targets run in two ways: `cargo test` gives each a fixed number of inputs, made from its corpus with a
//! seed, and `make fuzz` lets libFuzzer search for inputs that reach new code.
//!
//! - `corpus/TARGET`: inputs that look like what is really sent. Both ways begin with them.
//! - `crashes/TARGET`: inputs that broke a law once. They are run every time.

mod bounds;
pub mod brief;
mod input;
mod mutation;
mod targets;

/// One thing to be fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `corpus` and `crashes`.
    pub name: &'static str,
    /// Runs it with one input, and panics where a law is broken.
    pub run: fn(&[u8]),
    /// How many inputs a brief run makes.
    pub inputs: u32,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("bulk", targets::bulk::run, 20_000),
    target("client", targets::client::run, 300),
    target("configuration", targets::configuration::run, 4_000),
    target("headers", targets::headers::run, 40_000),
    target("identity", targets::identity::run, 40_000),
    target("intent", targets::intent::run, 40_000),
    target("lists", targets::lists::run, 4_000),
    target("objects", targets::objects::run, 10_000),
    target("records", targets::records::run, 8_000),
    target("rejection", targets::rejection::run, 20_000),
    target("schedule", targets::schedule::run, 2_000),
    target("service_key", targets::service_key::run, 20_000),
    target("token", targets::token::run, 40_000),
];

const fn target(name: &'static str, run: fn(&[u8]), inputs: u32) -> Target {
    Target { name, run, inputs }
}
