//! What is told: conditions, events, and the words of both.

mod doubts;
pub(crate) mod events;
pub(crate) mod log;
pub(crate) mod report;
pub(crate) mod words;
