//! SAP AI Core: the remote side.
//!
//! [`ServiceKey`] reads credentials from a Secret, [`Client`] makes the calls of one tenant, [`Inventory`] watches resource groups with
//! one list call each, [`Batcher`] gathers stops and deletions into few requests. What the contract leaves open is read in every way it can be meant; what would be mistaken for the absence of a
//! deployment is an [`Error`].

mod addresses;
mod answer;
mod batcher;
mod bulk;
mod certificate;
mod client;
mod contents;
mod credentials;
mod error;
mod executables;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod group;
mod http;
mod inventory;
mod layout;
mod learned;
mod links;
mod logs;
mod models;
mod options;
mod pace;
mod paging;
mod poller;
mod proof;
mod realm;
mod reply;
mod resource_groups;
mod resources;
mod service_key_error;
mod sketch;
mod snapshot;
mod stream;
mod text;
pub(crate) mod time_to_live;
mod token;
mod transport;
mod types;
mod wire;

pub use batcher::{Batcher, BatcherOptions};
pub use bulk::Verb;
pub use certificate::Validity;
pub use client::{Client, ClientOptions};
pub use contents::ConfigurationContent;
pub use credentials::{ServiceKey, Tenant};
pub use error::{Error, Rejection};
pub use executables::{Executable, Parameter};
pub(crate) use grant::Way;
pub use inventory::{Change, Event, Inventory, InventoryOptions, Observed, Snapshot};
pub use logs::LogLine;
pub use models::{Model, ModelList, ModelVersion};
pub use pace::{Paces, Rate};
pub use realm::{GroupKey, Realm};
pub(crate) use reply::Reply;
pub use resources::Resources;
pub use service_key_error::ServiceKeyError;
pub(crate) use token::TokenFacts;
pub(crate) use transport::{Call, request_id};
pub use types::*;
