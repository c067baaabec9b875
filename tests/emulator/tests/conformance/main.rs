//! What the emulator must do to pass for AI Core, over real HTTP. One function for each of the numbered checks that the
//! project's notes on the contract list; the number stands above each function.
//!
//! Time is under the tests' control: phases last for hours until a test sets them to nothing, and then whatever is due
//! has happened before the next answer. So hardly anything here waits.

mod api;
mod bulk;
mod changes;
mod control;
mod creation;
mod deletion;
mod faults;
mod groups;
mod lists;
mod logs;
mod tokens;
