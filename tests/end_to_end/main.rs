//! What a user may rely on, each on a real control plane, with the operator as a process of its own under the rights of `deploy/`. The files
//! are the promises. At the end of each test AI Core's log is held against the laws (`harness::laws`).

mod adoption;
mod bad_days;
mod blackout;
mod chain;
mod choices;
mod crashes;
mod credentials;
mod crossings;
mod crowd;
mod edits;
mod expiry;
mod force;
mod grants;
mod hold;
mod idle;
mod judge;
mod keys;
mod late;
mod life;
mod lost;
mod manifests;
mod many;
mod multitude;
mod namespaces;
mod observability;
mod outage;
mod protection;
mod readings;
mod refusals;
mod repetition;
mod sixteen;
mod surprises;
mod telling;
mod unclaimed;
