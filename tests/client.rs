//! What the AI Core client and the inventory promise, held against the emulator over real HTTP: calls, errors, tokens, polling,
//! batches.

#[path = "client/bounds.rs"]
mod bounds;
#[path = "client/bulk.rs"]
mod bulk;
#[path = "client/calls.rs"]
mod calls;
#[path = "client/certificates.rs"]
mod certificates;
#[path = "client/connections.rs"]
mod connections;
#[path = "client/failures.rs"]
mod failures;
#[path = "client/gathering.rs"]
mod gathering;
#[path = "client/inventory.rs"]
mod inventory;
#[path = "client/lists.rs"]
mod lists;
#[path = "client/pace.rs"]
mod pace;
#[path = "client/remote.rs"]
mod remote;
#[path = "client/scripted.rs"]
mod scripted;
#[path = "client/single.rs"]
mod single;
#[path = "client/tokens.rs"]
mod tokens;
