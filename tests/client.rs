//! What the AI Core client and the inventory promise, held against the emulator over real HTTP: calls, errors, tokens, polling.

#[path = "client/calls.rs"]
mod calls;
#[path = "client/failures.rs"]
mod failures;
#[path = "client/inventory.rs"]
mod inventory;
#[path = "client/lists.rs"]
mod lists;
#[path = "client/remote.rs"]
mod remote;
#[path = "client/scripted.rs"]
mod scripted;
#[path = "client/tokens.rs"]
mod tokens;
