//! The rules: what the operator does next with one deployment, as a pure function of what it knows.
//!
//! No clock, no I/O, no identifiers: a [`Situation`] is a finite value, [`next_step`] maps it to a [`Step`], and a test walks every
//! combination. Whoever wants to know when the operator deletes something reads [`next_step`] and nothing else.
//!
//! - [`situation`]: the words for what is known;
//! - [`step`]: the words for what can be done;
//! - [`decide`](self::next_step): the tables, also for deployments that are [retiring](retiring_step);
//! - [`evidence`]: what proves that a deployment is gone, or that a call had no effect;
//! - [`intent`]: which deployment belongs to a create call whose answer was lost;
//! - [`belonging`]: which deployments are an object's although it does not record them;
//! - [`late`]: until when such a call can have had its effect;
//! - [`identity`]: how the name of a configuration leads back to its object;
//! - [`configuration`]: whether a configuration fits its executable;
//! - [`restrain`](self::restrain()): what is left of a step where nothing may be written, or nothing be done;
//! - [`retirement`]: whether a hosted model will be gone soon;
//! - [`schedule`]: when office hours want it to run.

pub mod belonging;
pub mod configuration;
mod decide;
pub mod evidence;
pub mod identity;
pub mod intent;
pub mod late;
mod restrain;
pub mod retirement;
pub mod schedule;
pub mod situation;
pub mod step;
#[cfg(test)]
pub(crate) mod walk;

pub use decide::{needs_predecessor, next_step, retiring_step};
pub use restrain::{Hand, restrain};
pub use situation::Situation;
pub use step::Step;
