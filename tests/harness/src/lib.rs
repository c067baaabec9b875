//! Test support.

pub mod assets;
pub mod control_plane;
pub mod process;
