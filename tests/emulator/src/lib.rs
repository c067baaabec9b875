//! An emulator of the SAP AI Core API, for tests and demonstrations.
//!
//! One server answers three families of paths:
//!
//! * `/oauth/token`: the token endpoint of a service key,
//! * `/v2/...`: the part of the AI Core API that deals with deployments and what they need,
//! * `/_emulator/...`: the control plane (audit log, faults, settings, other people's actions). It asks for no token.
//!
//! A call runs through `dispatch`: the faults that are switched on are looked up, the state machine in `lifecycle`
//! is moved on to the present moment, the caller is identified, one function of `api` runs, and what happened is
//! written into the `audit` log. Everything between the last three happens under one lock, so that the order of the
//! log is the order of the effects.
//!
//! Nothing runs in the background: a deployment holds the time at which its phase began, and each access first plays
//! the transitions that fell due since the last one, in the order and with the times at which they were due.
//!
//! Where SAP's contract is silent the emulator has a switch in [`Settings`] instead of an opinion.

mod api;
mod audit;
mod call;
mod call_log;
mod catalogue;
mod choices;
mod clock;
mod configuration;
mod control;
mod deployment;
mod dispatch;
mod endpoint;
mod errors;
mod faults;
mod history;
mod lifecycle;
mod offers;
mod query;
mod resource_group;
mod server;
mod settings;
mod tenant;
mod time_to_live;
mod tokens;
mod world;

pub use audit::{Entry, Kind, State};
pub use call::Operation;
pub use faults::{Effect, Fault, Match, PartialBulk, Response, StaleList};
pub use offers::{OfferedExecutable, OfferedModel, OfferedParameter, OfferedVersion};
pub use server::{Emulator, Options};
pub use settings::{
    BareTop, BulkUpdates, ErrorShape, ErrorStatus, InvalidErrorStatus, ListCount, MissingGroup,
    OperationAfterStop, RequestIdSpelling, SameConfigurationPatch, Settings, TtlInAnswers,
    UnknownGroup, UnknownStatusFilter,
};
pub use tenant::TenantSeed;
