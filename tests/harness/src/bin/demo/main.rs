//! `make demo`: one deployment from `kubectl apply` to RUNNING, and from `kubectl delete` until AI Core answers 404.
//!
//! Kubernetes is a real control plane of its own, the operator is the real program under its own service account, and
//! AI Core is the emulator. Every command is shown as a reader would type it. Anything that is not as it should be
//! ends the demonstration with a sentence and an exit code other than 0.

mod ai_core;
mod calls;
mod error;
mod follow;
mod stage;

use std::process::ExitCode;

use clap::Parser;
use clap::builder::FalseyValueParser;
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};

use ai_core::AiCore;
use calls::Calls;
use error::DemoError;
use follow::Follower;
use stage::{NAMESPACE, Stage};

/// The object of the example that the demonstration applies.
const OBJECT: &str = "gpt-4o-mini";

/// The example, as seen from the root of the source tree.
const EXAMPLE: &str = "deploy/examples/foundation-model.yaml";

/// What a program ends with that was interrupted from the keyboard.
const INTERRUPTED: u8 = 130;

/// Shows the life of one deployment on a control plane of its own.
#[derive(Parser)]
struct Arguments {
    /// Leave everything running at the end, until Ctrl-C; as a variable, 1 or any other text but 0, no and false
    #[arg(long, env = "KEEP", value_parser = FalseyValueParser::new())]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\ndemo: {}", error.with_causes());
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<ExitCode, DemoError> {
    let mut signals = Signals::new()?;
    // What is dropped here in the middle takes its processes with it.
    let stage = tokio::select! {
        stage = play() => stage?,
        () = signals.next() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    if arguments.keep {
        stage.say_how_to_play();
        tokio::select! {
            () = signals.next() => println!("\nEnding everything."),
            ended = stage.ended() => return Err(ended),
        }
    }
    stage.close().await?;
    Ok(ExitCode::SUCCESS)
}

async fn play() -> Result<Stage, DemoError> {
    println!(
        "\n# A Kubernetes API server of its own, and AI Core, played by an emulator with a clock that runs fast"
    );
    let mut stage = Stage::set().await?;
    let ai_core = AiCore::new(stage.emulator_url())?;

    println!("\n# The operator, with no more rights than deploy/install.yaml gives it");
    stage.start_operator().await?;

    println!("\n# A key, as SAP BTP gives it out, and a model to run");
    let key = stage.write("service-key.json", &ai_core.service_key().await?)?;
    stage
        .kubectl(&format!(
            "-n {NAMESPACE} create secret generic aicore-key --from-file=key={}",
            key.display()
        ))
        .await?;
    let mut follower = Follower::new(stage.client(), NAMESPACE, OBJECT);
    stage
        .kubectl(&format!("-n {NAMESPACE} apply -f {EXAMPLE}"))
        .await?;
    follower.begin();
    follower.until_running(&stage).await?;
    stage
        .kubectl(&format!(
            "-n {NAMESPACE} wait --for=condition=Ready aid/{OBJECT}"
        ))
        .await?;
    stage
        .kubectl(&format!("-n {NAMESPACE} get aiconn,aid"))
        .await?;

    println!(
        "\n# The end: the object stays until nothing is left in AI Core that could cost money"
    );
    let deleted_at = Timestamp::now();
    let delete = stage.start_kubectl(&format!("-n {NAMESPACE} delete aid {OBJECT}"))?;
    follower.begin();
    follower.until_gone(&stage).await?;
    delete.finish().await?;
    follower.expect_states(&["RUNNING", "STOPPING", "STOPPED"])?;
    stage.kubectl(&format!("-n {NAMESPACE} events")).await?;

    println!("\n# What the operator called, from the emulator's audit log");
    let calls = Calls::new(ai_core.audit().await?);
    calls.show(deleted_at);
    let id = calls.expect_one_life()?;
    stage.expect_no_object(OBJECT).await?;
    ai_core.expect_not_found(&id).await?;
    println!("\nThe object is gone and AI Core answers 404.");
    Ok(stage)
}

/// The two ways to ask a program to end: from the keyboard, and by make.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, DemoError> {
        let listen = |kind| signal(kind).map_err(DemoError::Signals);
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
