//! A Kubernetes operator that runs, stops and deletes SAP AI Core deployments, and proves that they are gone.
//!
//! Data walks one way:
//!
//! ```text
//!  Kubernetes watch ─┐                                     ┌─> status, events
//!                    ├─> observe ─> decide ─> act ─> tell ─┤
//!  AI Core lists  ───┘      (edge)   (pure)  (edge)        └─> the next look
//! ```
//!
//! - [`api`]: the custom resources `Deployment` and `Connection`, with their rules and columns;
//! - [`lifecycle`]: the rules. A pure function from what is known to the next step. Whoever wants to know when something is deleted
//!   reads `lifecycle/decide.rs`;
//! - [`aicore`]: the remote side: credentials, tokens, calls, one list per resource group instead of one call per object, and stops and
//!   deletions of many in one request;
//! - [`controller`]: the edge: watches, looks, takes one step at a time and tells about it;
//! - [`conformance`]: finds out how a real AI Core reads what its contract leaves open;
//! - [`lease`]: which of several processes works, and that no other one writes;
//! - [`metrics`], [`server`]: what it counts, and who can ask for it over HTTP.
//!
//! The order in which things may happen is the whole point: finalizers go on from the Secret inwards before anything is created, a create
//! call is announced in the status before it is made, what runs is stopped before it is deleted, and a finalizer comes off only when AI Core
//! has been shown not to have the deployment any more.

pub mod aicore;
pub mod api;
pub mod conformance;
pub mod controller;
pub mod lease;
pub mod lifecycle;
pub mod metrics;
pub mod server;
