//! The program `aicore-operator`: arguments, start and exit code.

mod api_server;
mod arguments;
mod conformance_command;

use std::error::Error;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aicore_operator::metrics::Metrics;
use aicore_operator::server::Server;
use aicore_operator::{api, controller};
use arguments::{Arguments, Command, CrdArguments, LogFormat, RunArguments};
use clap::Parser;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use tracing_subscriber::EnvFilter;

/// How long a client that is slow to take its answer is waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => run(&arguments),
        Command::Crd(arguments) => crd(&arguments),
        Command::Conformance(arguments) => return conformance_command::conformance(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("aicore-operator: {}", sentence(&*failure));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line.
fn sentence(failure: &dyn Error) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[tokio::main]
async fn run(arguments: &RunArguments) -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_new(&arguments.log)
        .map_err(|failure| format!("--log {}: {failure}", arguments.log))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match arguments.log_format {
        // The innermost span tells which object it is about; those around it say the same again.
        LogFormat::Json => subscriber
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .init(),
        LogFormat::Text => subscriber.init(),
    }
    choose_tls()?;
    let mut options = arguments.options()?;
    let config = api_server::config().await?;
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));

    let metrics = Arc::new(Metrics::new());
    let ended = CancellationToken::new();
    let server = Server::bind(arguments.listen, metrics.clone()).await?;
    let serving = tokio::spawn(server.serve(ended.clone()));

    options.client.remote_calls = metrics.remote_calls();
    let outcome = controller::run(config, options, metrics, shutdown).await;
    // While the last steps are taken it still lives. The process ends whether every client has got its answer or not.
    ended.cancel();
    let _ = tokio::time::timeout(LAST_ANSWERS, serving).await;
    Ok(outcome?)
}

/// Two libraries bring TLS. One provider, named here, keeps them from each choosing their own.
fn choose_tls() -> Result<(), &'static str> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| "another TLS provider was installed before")
}

/// The first signal ends the operator in order, a second one at once.
async fn cancel_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        error!("signals cannot be received; the operator can only be killed");
        return;
    };
    for first in [true, false] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if first {
            info!("ending; what is under way has a second to finish");
            shutdown.cancel();
        }
    }
    std::process::exit(1);
}

fn crd(arguments: &CrdArguments) -> Result<(), Box<dyn Error>> {
    for (file, definition) in api::custom_resource_definitions() {
        let text = format!(
            "# Generated from the types in src/api by `aicore-operator crd`.\n{}",
            serde_saphyr::to_string(&definition)?
        );
        match &arguments.out {
            None => print!("---\n{text}"),
            Some(folder) if arguments.check => check(&folder.join(file), &text)?,
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                std::fs::write(folder.join(file), text)?;
            }
        }
    }
    Ok(())
}

fn check(file: &Path, wanted: &str) -> Result<(), Box<dyn Error>> {
    let present = std::fs::read_to_string(file)
        .map_err(|failure| format!("{}: {failure}", file.display()))?;
    if present != wanted {
        return Err(format!(
            "{} is not in sync with the types; run `make crds`",
            file.display()
        )
        .into());
    }
    Ok(())
}
