//! What is told: conditions, events, and the words of both.
//!
//! - `report`: the status, `events`: the news, `log`: the last lines of a deployment's own log;
//! - `words`: what each step means, with `waiting`, `stalls`, `restraints` and `doubts` for what takes more words;
//! - `facts`: parts of such sentences.

mod doubts;
pub(crate) mod events;
mod facts;
pub(crate) mod log;
pub(crate) mod report;
mod restraints;
mod stalls;
mod waiting;
pub(crate) mod words;
