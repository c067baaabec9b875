//! `aicore-operator conformance`: what it finds out about every reading of the contract, and that it leaves nothing behind.
//!
//! The real program talks to the emulator over HTTP, once with the emulator's defaults and then with every switch turned the other way.

mod document;
mod readings;
mod refusals;
mod removal;
mod stage;
