//! What a user may rely on, each on a real control plane, with the operator as a process of its own under the rights of `deploy/`. The files
//! are the promises. At the end of each test AI Core's log is held against the laws (`harness::laws`).

mod adoption;
mod crashes;
mod credentials;
mod edits;
mod idle;
mod judge;
mod life;
mod manifests;
mod outage;
mod readings;
mod refusals;
mod surprises;
