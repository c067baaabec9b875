//! The command line. Every flag can also be given as an environment variable.

mod conformance;
mod remote;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aicore_operator::aicore::InventoryOptions;
use aicore_operator::api::DeletionPolicy;
use aicore_operator::controller::{Mode, Options, Scope};
use aicore_operator::lease::LeaseOptions;
use clap::{Args, Parser, Subcommand, ValueEnum};
pub use conformance::{ConformanceArguments, Output};
use remote::RemoteArguments;

/// Runs, stops and deletes SAP AI Core deployments as Kubernetes objects say, and proves that they are gone.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator, inside a cluster or beside one that KUBECONFIG leads to
    Run(Box<RunArguments>),
    /// Write the CustomResourceDefinitions, or check that they are in sync with the program
    Crd(CrdArguments),
    /// Find out, with one deployment in a sandbox, how an AI Core answers where its contract does not say
    Conformance(Box<ConformanceArguments>),
}

#[derive(Debug, Args)]
pub struct CrdArguments {
    /// The folder to write to; standard output when none is given
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,

    /// Write nothing, and fail when a file in the folder differs from what would be written
    #[arg(long, requires = "out")]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct RunArguments {
    /// Whether anything is written to AI Core
    #[arg(
        long,
        env = "AICORE_OPERATOR_MODE",
        value_enum,
        default_value = "manage"
    )]
    mode: Hand,

    /// Look at this namespace only; at all namespaces when none is given
    #[arg(long, env = "AICORE_OPERATOR_NAMESPACE", value_name = "NAMESPACE")]
    namespace: Option<String>,

    /// Leave these namespaces, separated by commas, to operators of their own: look at all namespaces but them
    #[arg(
        long,
        env = "AICORE_OPERATOR_EXCLUDE_NAMESPACES",
        value_name = "NAMESPACES",
        value_delimiter = ',',
        value_parser = namespace,
        conflicts_with = "namespace"
    )]
    exclude_namespaces: Vec<String>,

    /// The namespaces where Secrets may be read, separated by commas, and Connections can be; wherever the operator looks when none is given
    #[arg(
        long,
        env = "AICORE_OPERATOR_SECRET_NAMESPACES",
        value_name = "NAMESPACES",
        value_delimiter = ','
    )]
    secret_namespaces: Vec<String>,

    /// The namespace that the operator itself lives in, where it writes down what was let go by force. Without it: that of the service account,
    /// or of the kubeconfig's context
    #[arg(long, env = "AICORE_OPERATOR_OWN_NAMESPACE", value_name = "NAMESPACE")]
    own_namespace: Option<String>,

    /// The Lease in the operator's own namespace by which several processes agree on one that works. Operators that are to work at the same
    /// time, each for its own objects, need different ones
    #[arg(
        long,
        env = "AICORE_OPERATOR_LEASE_NAME",
        value_name = "NAME",
        default_value = "aicore-operator"
    )]
    lease_name: String,

    /// How long a leader that has crashed is waited for, in seconds. The Lease is renewed five times as often, and nothing is written when it
    /// was not
    #[arg(long, env = "AICORE_OPERATOR_LEASE_DURATION_SECONDS", value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    lease_duration_seconds: Duration,

    /// Part of the name of every AI Core configuration that the operator creates: a rebuilt cluster with the same id takes over the deployments
    /// of the old one. Without it: the uid of the namespace kube-system
    #[arg(long, env = "AICORE_OPERATOR_CLUSTER_ID", value_name = "ID")]
    cluster_id: Option<String>,

    /// What happens to the remote deployment of a deleted object whose spec has no deletionPolicy
    #[arg(
        long,
        env = "AICORE_OPERATOR_DEFAULT_DELETION_POLICY",
        value_enum,
        default_value = "delete"
    )]
    default_deletion_policy: Policy,

    #[command(flatten)]
    remote: RemoteArguments,

    /// From one list of a resource group to the next while nothing moves, in seconds
    #[arg(long, env = "AICORE_OPERATOR_POLL_SECONDS", value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    poll_seconds: Duration,

    /// From one list of a resource group to the next while something moves, in seconds
    #[arg(long, env = "AICORE_OPERATOR_BUSY_POLL_SECONDS", value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    busy_poll_seconds: Duration,

    /// How long a new deployment may be missing from AI Core's answers without being gone, in seconds
    #[arg(long, env = "AICORE_OPERATOR_CREATE_GRACE_SECONDS", value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    create_grace_seconds: Duration,

    /// How long a deployment may stay in a passing state, such as PENDING or STOPPING, before its object is Stalled, in seconds
    #[arg(long, env = "AICORE_OPERATOR_OVERDUE_SECONDS", value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    overdue_seconds: Duration,

    /// How often an object is looked at when nothing happens, in seconds
    #[arg(long, env = "AICORE_OPERATOR_RESYNC_SECONDS", value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    resync_seconds: Duration,

    /// How often AI Core is asked which models it retires, in seconds
    #[arg(long, env = "AICORE_OPERATOR_MODEL_CHECK_SECONDS", value_name = "SECONDS", default_value = "21600", value_parser = seconds)]
    model_check_seconds: Duration,

    /// Where to answer /livez, /readyz and /metrics; port 0 takes a free one, which the log names
    #[arg(
        long,
        env = "AICORE_OPERATOR_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    pub listen: SocketAddr,

    /// How many objects are worked on at the same time; where there are several namespaces, none gets more than half of it. One bulk request of
    /// AI Core stops or deletes up to 100 deployments, but only those whose objects are at work; with less, the requests are smaller and more
    #[arg(long, env = "AICORE_OPERATOR_CONCURRENCY", value_name = "NUMBER", default_value = "256", value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// What to log, as a level or as tracing directives such as `aicore_operator=debug`
    #[arg(
        long,
        env = "AICORE_OPERATOR_LOG",
        value_name = "FILTER",
        default_value = "info,kube_runtime=warn"
    )]
    pub log: String,

    /// How to log
    #[arg(
        long,
        env = "AICORE_OPERATOR_LOG_FORMAT",
        value_enum,
        default_value = "json"
    )]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Hand {
    /// Do what each object asks for
    Manage,
    /// Only show it: every object is treated as one with managementPolicy Observe
    Observe,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Policy {
    /// Stop it, delete it, and keep the object until that is proven
    Delete,
    /// Leave it as it is
    Orphan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line
    Json,
    /// For a person
    Text,
}

impl RunArguments {
    fn scope(&self) -> Scope {
        match &self.namespace {
            Some(only) => Scope::One(only.clone()),
            None if self.exclude_namespaces.is_empty() => Scope::All,
            None => Scope::AllBut(self.exclude_namespaces.iter().cloned().collect()),
        }
    }

    /// What the arguments mean for the controllers.
    ///
    /// # Errors
    ///
    /// When the file of `--ca-file` cannot be read, or holds no certificate.
    pub fn options(&self) -> Result<Options, String> {
        Ok(Options {
            mode: match self.mode {
                Hand::Manage => Mode::Manage,
                Hand::Observe => Mode::Observe,
            },
            scope: self.scope(),
            secret_namespaces: self.secret_namespaces.clone(),
            own_namespace: self.own_namespace.clone(),
            cluster_id: self.cluster_id.clone(),
            deletion_policy: match self.default_deletion_policy {
                Policy::Delete => DeletionPolicy::Delete,
                Policy::Orphan => DeletionPolicy::Orphan,
            },
            client: self.remote.options()?,
            inventory: InventoryOptions {
                idle: self.poll_seconds,
                busy: self.busy_poll_seconds,
            },
            create_grace: self.create_grace_seconds,
            overdue: self.overdue_seconds,
            resync: self.resync_seconds,
            model_check: self.model_check_seconds,
            concurrency: self.concurrency,
            lease: LeaseOptions {
                name: self.lease_name.clone(),
                duration: self.lease_duration_seconds,
            },
        })
    }
}

/// The name of a namespace: a label of RFC 1123.
fn namespace(text: &str) -> Result<String, String> {
    let inside = |character: u8| matches!(character, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let is_label = (1..=63).contains(&text.len())
        && text.bytes().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-');
    match is_label {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not the name of a namespace")),
    }
}

/// A positive number of seconds, fractions allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("`{text}` is not a number of seconds"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("`{text}` is not a positive number of seconds")),
    }
}
