//! Starts a control plane, says how to reach it and keeps it until it is interrupted.

use std::process::ExitCode;

use harness::control_plane::{ControlPlane, ControlPlaneError};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("control plane: {}", error.with_causes());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), ControlPlaneError> {
    let control_plane = ControlPlane::start().await?;
    println!("processes {:?}", control_plane.process_ids().await);
    println!("folder {}", control_plane.data_dir().display());
    println!(
        "export KUBECONFIG={}",
        control_plane.admin_kubeconfig().display()
    );
    // Without a handler for the signal the process just ends, and the guard clears up.
    let _ = tokio::signal::ctrl_c().await;
    control_plane.stop().await
}
