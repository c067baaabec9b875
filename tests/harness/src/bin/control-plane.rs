//! Starts a control plane, says how to reach it and keeps it until it is interrupted.

use std::error::Error;

use harness::control_plane::ControlPlane;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let control_plane = ControlPlane::start().await?;
    println!("processes {:?}", control_plane.process_ids().await);
    println!("folder {}", control_plane.data_dir().display());
    println!(
        "export KUBECONFIG={}",
        control_plane.admin_kubeconfig().display()
    );
    tokio::signal::ctrl_c().await?;
    control_plane.stop().await?;
    Ok(())
}
