//! How a real AI Core reads what its contract leaves open.
//!
//! One deployment is created, stopped and deleted in a sandbox, and at each stage everything is asked of which the contract does not say
//! how it is answered. What is asked stands in one table, `question.rs`; what each answer means for the operator in the tables of `points`.
//!
//! [`run`] does the calls and gives a [`Report`]. Reading the answers has neither input nor output.

mod candidates;
mod course;
mod creation;
mod ledger;
mod life;
mod observations;
mod plan;
mod point;
mod points;
mod question;
mod removal;
mod report;
mod session;
mod shown;
mod text;
mod timings;
mod trouble;

pub use ledger::{Ledger, Left};
pub use life::run;
pub use plan::{Plan, Source};
pub use point::{Point, Reading, Verdict};
pub use points::points;
pub use report::{Finding, Report};
pub use text::announcement;
pub use timings::Timing;
pub use trouble::Trouble;
