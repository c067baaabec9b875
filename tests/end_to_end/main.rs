//! What a user may rely on, each on a real control plane, with the operator as a process of its own under the rights of `deploy/`. The files
//! are the promises. At the end of each test AI Core's log is held against the laws (`harness::laws`).

mod adoption;
mod blackout;
mod chain;
mod choices;
mod crashes;
mod credentials;
mod crowd;
mod edits;
mod expiry;
mod idle;
mod judge;
mod life;
mod manifests;
mod observability;
mod outage;
mod protection;
mod readings;
mod refusals;
mod repetition;
mod surprises;
mod telling;
mod unclaimed;
