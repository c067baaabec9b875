//! What `aicore-operator conformance` does around a run: it asks first, heeds signals, and prints the report.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use aicore_operator::conformance::{Ledger, Report, Trouble, announcement, run};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::arguments::{ConformanceArguments, Output};
use crate::choose_tls;

/// Nothing was done: the arguments are wrong, or nobody agreed.
const NOTHING_DONE: u8 = 2;
/// Something was left behind.
const LEFT_BEHIND: i32 = 3;

/// Why there is no report.
enum End {
    /// Nothing was done.
    Refused(String),
    /// It could not be begun.
    Failed(String),
}

#[tokio::main]
pub async fn conformance(arguments: &ConformanceArguments) -> ExitCode {
    match examine(arguments).await {
        Ok(report) => ExitCode::from(report.exit_code()),
        Err(End::Refused(why)) => {
            eprintln!("aicore-operator: {why}");
            ExitCode::from(NOTHING_DONE)
        }
        Err(End::Failed(why)) => {
            eprintln!("aicore-operator: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn examine(arguments: &ConformanceArguments) -> Result<Report, End> {
    let may_ask = std::io::stdin().is_terminal();
    if !arguments.yes && !may_ask {
        let why = "there is no terminal on which it could be asked; agree beforehand with --yes";
        return Err(End::Refused(why.to_owned()));
    }
    choose_tls().map_err(|why| End::Failed(why.to_owned()))?;
    let client = arguments.client().map_err(End::Refused)?;
    let plan = arguments.plan();
    let others = plan.check(&client).await.map_err(|trouble| match trouble {
        Trouble::NoSandbox { .. } => End::Refused(trouble.to_string()),
        _ => End::Failed(trouble.to_string()),
    })?;
    eprintln!("{}", announcement(client.tenant(), &plan, others.len()));
    if !arguments.yes && !agrees(&plan.group, std::io::stdin().lock(), std::io::stderr()) {
        let why = "that is not the name of the resource group; nothing was done";
        return Err(End::Refused(why.to_owned()));
    }
    let (ledger, stop) = (Ledger::default(), CancellationToken::new());
    let signals = heed_signals(stop.clone(), ledger.clone());
    signals.map_err(|error| End::Failed(format!("signals cannot be received: {error}")))?;
    let report = run(&client, &plan, &ledger, &stop, &|line| eprintln!("{line}")).await;
    match arguments.output {
        Output::Text => print!("{report}"),
        Output::Json => {
            let json = serde_json::to_string_pretty(&report);
            println!("{}", json.map_err(|error| End::Failed(error.to_string()))?);
        }
    }
    Ok(report)
}

/// Whether the person at the terminal types the name of the group.
fn agrees(group: &str, mut input: impl BufRead, mut output: impl Write) -> bool {
    let asked =
        write!(output, "Type the resource group's name to go on: ").and_then(|()| output.flush());
    let mut answer = String::new();
    asked.is_ok() && input.read_line(&mut answer).is_ok() && answer.trim() == group
}

/// The first signal ends the questions, and what was made is removed; a second one ends everything at once.
fn heed_signals(stop: CancellationToken, ledger: Ledger) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                eprintln!(
                    "interrupted; what was made is removed first, a second signal ends it at once"
                );
                stop.cancel();
            }
        }
        let left = ledger.left();
        for left in &left {
            eprintln!("{left}");
        }
        std::process::exit(if left.is_empty() { 1 } else { LEFT_BEHIND });
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_group_is_a_yes() {
        let agrees = |typed: &str| agrees("sandbox", typed.as_bytes(), Vec::new());
        assert!(agrees("sandbox\n"));
        assert!(agrees(" sandbox \r\n"));
        for typed in ["", "\n", "yes\n", "y\n", "Sandbox\n", "sandbox2\n"] {
            assert!(!agrees(typed), "{typed:?}");
        }
    }

    #[test]
    fn it_is_asked_for_by_name() {
        let mut output = Vec::new();
        agrees("sandbox", &b""[..], &mut output);
        assert_eq!(
            String::from_utf8_lossy(&output),
            "Type the resource group's name to go on: "
        );
    }
}
