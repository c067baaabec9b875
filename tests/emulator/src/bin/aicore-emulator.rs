//! The emulator as a process.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use aicore_emulator::{Emulator, Options, Settings, TenantSeed};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// An emulator of the SAP AI Core API. Its first line of output names the URL.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env = "AICORE_EMULATOR_LISTEN", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A tenant as ZONE:CLIENT:SECRET; can be given more than once. Without any there is zone-1:client-1:secret-1.
    #[arg(long = "tenant", env = "AICORE_EMULATOR_TENANTS", value_delimiter = ',', value_parser = tenant)]
    tenants: Vec<TenantSeed>,
    /// A resource group that every tenant has besides `default`; can be given more than once. Without any there are
    /// team-a and team-b.
    #[arg(
        long = "resource-group",
        env = "AICORE_EMULATOR_RESOURCE_GROUPS",
        value_delimiter = ','
    )]
    resource_groups: Vec<String>,
    #[command(flatten)]
    settings: Settings,
}

fn tenant(text: &str) -> Result<TenantSeed, String> {
    match text.split(':').collect::<Vec<_>>()[..] {
        [zone, client_id, secret] => Ok(TenantSeed {
            identity_zone_id: zone.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: secret.to_owned(),
        }),
        _ => Err("give ZONE:CLIENT:SECRET".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("aicore-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until somebody asks the process to end.
async fn run(arguments: Arguments) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let emulator = Emulator::start(options(arguments)).await?;
    let mut output = io::stdout();
    writeln!(output, "listening on {}", emulator.url())?;
    output.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    emulator.stop().await;
    Ok(())
}

fn options(arguments: Arguments) -> Options {
    let mut options = Options {
        listen: arguments.listen,
        settings: arguments.settings,
        ..Options::default()
    };
    if !arguments.tenants.is_empty() {
        options.tenants = arguments.tenants;
    }
    if !arguments.resource_groups.is_empty() {
        options.resource_groups = arguments.resource_groups;
    }
    options
}
