//! Test support.

pub mod assets;
pub mod control_plane;
pub mod emulated;
pub mod forwarding;
pub mod laws;
pub mod manifests;
pub mod mutual_tls;
pub mod operator;
pub mod patience;
pub mod process;
pub mod proxy;
pub mod scene;
