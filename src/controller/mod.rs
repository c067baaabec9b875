//! The edge: watches Kubernetes, asks AI Core, takes one step at a time and tells about it.
//!
//! - `deployment`: one reconciliation, from observing to acting;
//! - `observe`: what is known, in the words of the rules;
//! - `act`: what is done, one effect for each step;
//! - `tell`: what a person reads of it;
//! - `office_hours`: what a schedule says; `endpoint`: what applications are told; `expiry`: an object that goes with its
//!   deployment;
//! - `connection`: the way to AI Core, and how it is kept open;
//! - `scope`: which namespaces are looked at, and which are another operator's;
//! - `restraint`: objects for which nothing is written to AI Core;
//! - `rewind`: whether the cluster was restored from a backup, besides what the Lease tells of that;
//! - `uninstall`: whether an object is deleted only because everything is;
//! - `catalogue`, `answers`: what AI Core offers; `model`: whether a model that is served will be retired;
//! - `claims`, `memory`, `cache`, `listed`: what is remembered; `wake`: whom news concerns.

mod act;
mod answers;
mod cache;
mod catalogue;
mod claims;
mod connection;
mod context;
mod deployment;
mod endpoint;
mod expiry;
mod finalizers;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod listed;
mod memory;
mod model;
mod observe;
mod office_hours;
mod problem;
mod programs;
mod restraint;
mod rewind;
mod scope;
mod slots;
mod subject;
mod tell;
mod uninstall;
mod wake;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Namespace;
use kube::runtime::controller::{self, Action, Config, Controller};
use kube::runtime::predicates;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{Predicate as _, WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::{SetOnce, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::info;

pub use context::{Mode, Options};
pub use listed::Listed;
pub use scope::Scope;

use crate::aicore::{Batcher, BatcherOptions, Inventory};
use crate::api::{Connection, DEPLOYMENT_FINALIZER, Deployment};
use crate::lease::{Election, Lost, Permit, gated};
use crate::lifecycle::identity::MAXIMUM_CLUSTER_ID;
use crate::metrics::{Metrics, Queue};
use context::Context;
use slots::Slots;

/// How long what is under way when the operator is told to end may still take. What is broken off then is as it would be after a crash, and whoever
/// leads next finds out what came of it.
const LAST_STEPS: Duration = Duration::from_secs(1);

/// Why the operator could not start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The custom resources are not installed, or may not be read.
    #[error("the custom resources cannot be read; install deploy/install.yaml or the chart first")]
    CustomResources(#[source] kube::Error),
    /// The uid of the namespace kube-system could not be read.
    #[error(
        "the namespace kube-system, whose uid is the default cluster id, cannot be read; allow it, or give --cluster-id"
    )]
    ClusterId(#[source] kube::Error),
    /// The cluster id cannot be part of a configuration's name.
    #[error(
        "--cluster-id has to be 1 to {MAXIMUM_CLUSTER_ID} letters, digits, dots and hyphens, but is `{0}`"
    )]
    InvalidClusterId(String),
    /// No client for the Kubernetes API can be made from the configuration.
    #[error("the Kubernetes API cannot be used; correct the kubeconfig or the service account")]
    Client(#[source] kube::Error),
    /// Another process leads now, or nothing that was remembered counts any more.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Runs both controllers until `shutdown` is cancelled and the reconciliations under way have ended, or a second has passed. They work only
/// while this process holds the Lease, which is let go at the end.
///
/// # Errors
///
/// When it cannot start, when another process has taken the Lease, or when the cluster's store was restored from a backup: then it ends by
/// itself and has to be started again.
pub async fn run(
    config: kube::Config,
    mut options: Options,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    metrics.works_in(options.mode);
    let leadership = metrics.leadership().clone();
    // The steps that write are held back one by one. Should one be forgotten, it ends here.
    options.client.permit = match options.mode {
        Mode::Manage => leadership.permit(),
        Mode::Observe => Permit::never(),
    };
    let client = gated(config.clone(), &leadership.permit()).map_err(RunError::Client)?;
    let scope = options.scope.clone();
    let deployments: Api<Deployment> = scope.within_rights(&client);
    let connections: Api<Connection> = scope.within_rights(&client);
    let present = deployments
        .list_metadata(&scope.list())
        .await
        .map_err(RunError::CustomResources)?;
    connections
        .list(&scope.list().limit(1))
        .await
        .map_err(RunError::CustomResources)?;
    let has_worked_before = present
        .iter()
        .any(|object| finalizers::has(object, DEPLOYMENT_FINALIZER));
    let cluster_id = cluster_id(&client, options.cluster_id.clone()).await?;
    info!(
        cluster_id,
        mode = options.mode.word(),
        namespaces = %scope,
        "starting"
    );

    let own_namespace = options
        .own_namespace
        .clone()
        .unwrap_or_else(|| client.default_namespace().to_owned());
    let election = Election::new(
        config,
        &own_namespace,
        options.lease.clone(),
        leadership.clone(),
        has_worked_before,
    )
    .map_err(RunError::Client)?;
    let (inventory_events, changes) = mpsc::unbounded_channel();
    let (wake_deployment, woken_deployments) = mpsc::unbounded_channel();
    let (wake_connection, woken_connections) = mpsc::unbounded_channel();
    let (reader, writer) = reflector::store();
    let (connection_reader, connection_writer) = reflector::store();
    let inventory = Inventory::new(options.inventory, inventory_events);
    metrics.follow(&inventory);
    let context = Arc::new(Context {
        inventory,
        batcher: Batcher::new(BatcherOptions::default()),
        events: tell::events::Events::new(client.clone()),
        lease: format!("{own_namespace}/{}", options.lease.name),
        leadership,
        own_namespace,
        kube: client,
        cluster_id,
        metrics,
        claims: Default::default(),
        connections: Default::default(),
        namespaces: Default::default(),
        surveys: Default::default(),
        memories: Default::default(),
        programs: Default::default(),
        deployments: reader.clone(),
        wake_connection,
        wake_deployment,
        waiting: Default::default(),
        missing_groups: Default::default(),
        uninstalls: Default::default(),
        catalogue: Default::default(),
        releasing: Default::default(),
        leaving: Default::default(),
        rewound: Default::default(),
        creating: Default::default(),
        options,
    });

    let seen = cache::Seen::default();
    let following = context.clone();
    let listed = context.metrics.listed().clone();
    let deployment_stream = changes_of(
        watcher(deployments, scope.watch()),
        writer,
        listed.deployments,
        move |event| seen.follow(&following, event),
        cache::recorded,
    );
    let leaving = context.clone();
    let connection_stream = changes_of(
        watcher(connections, scope.watch()),
        connection_writer,
        listed.connections,
        move |event| match event {
            watcher::Event::Delete(connection) => {
                tokio::spawn(connection::gone(leaving.clone(), connection.clone()));
            }
            watcher::Event::Apply(connection) | watcher::Event::InitApply(connection) => {
                connection::left::note(&leaving, connection);
            }
            watcher::Event::Init | watcher::Event::InitDone => {}
        },
        |_| None,
    );
    let concurrency = context.options.concurrency;
    let config = Config::default().concurrency(concurrency);
    let slots = || Slots::new(concurrency, &scope);
    let queues = context.metrics.queues().clone();
    let deployment_controller = Controller::for_stream(
        deployment_stream.inspect_ok(noted(&queues.deployments)),
        reader,
    )
    .with_config(config.clone())
    .reconcile_on(received(woken_deployments, &queues.deployments))
    .graceful_shutdown_on(shutdown.clone().cancelled_owned())
    .run(
        begun(&queues.deployments, slots(), deployment::reconcile),
        deployment::after_error,
        context.clone(),
    )
    .for_each(ended(&queues.deployments));
    let connection_controller = Controller::for_stream(
        connection_stream.inspect_ok(noted(&queues.connections)),
        connection_reader.clone(),
    )
    .with_config(config)
    .reconcile_on(received(woken_connections, &queues.connections))
    .graceful_shutdown_on(shutdown.clone().cancelled_owned())
    .run(
        begun(&queues.connections, slots(), connection::reconcile),
        connection::after_error,
        context.clone(),
    )
    .for_each(ended(&queues.connections));
    let background = async {
        tokio::select! {
            () = wake::run(&context, changes) => {}
            () = wake::in_each_term(&context, &connection_reader) => {}
            () = connection::secrets::watch(&context, connection_reader.clone()) => {}
            () = shutdown.cancelled() => {}
        }
    };
    let work_has_ended = CancellationToken::new();
    let work = async {
        let steps =
            futures::future::join3(background, deployment_controller, connection_controller);
        // Steps that have not ended are dropped here, and with them their calls.
        tokio::select! {
            _ = steps => {}
            () = time_is_up(&shutdown) => {
                info!("calls are broken off; whoever leads next finds out what came of them");
            }
        }
        work_has_ended.cancel();
    };
    // Whoever must not go on does not end in order either, since nothing more may be written.
    let leading = election.run(work_has_ended.clone());
    tokio::select! {
        ended = async { tokio::try_join!(leading, work.map(Ok)) } => ended?,
        () = context.rewound.notified() => return Err(Lost::SetBack.into()),
    };
    info!("stopped");
    Ok(())
}

/// Returns when what is under way must not be waited for any longer.
async fn time_is_up(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(LAST_STEPS).await;
}

/// The changes of one kind that can matter: of the spec, the finalizers, the annotations and of what is `recorded`, not every one of the
/// status. `follow` sees every event before the cache does; `listed` is given the cache as soon as it holds every object.
fn changes_of<K>(
    watch: impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send + 'static,
    writer: reflector::store::Writer<K>,
    listed: Arc<SetOnce<Store<K>>>,
    follow: impl Fn(&watcher::Event<K>) + Send + 'static,
    recorded: fn(&K) -> Option<u64>,
) -> impl Stream<Item = Result<K, watcher::Error>> + Send + 'static
where
    K: Resource<DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug
        + Send
        + Sync
        + 'static,
{
    let cache = writer.as_reader();
    let hand_over = move |event: &watcher::Event<K>| {
        if matches!(event, watcher::Event::InitDone) {
            // Every list after the first finds it handed over.
            let _ = listed.set(cache.clone());
        }
    };
    let events = watch
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .inspect_ok(follow);
    let meant = predicates::generation.combine(predicates::finalizers);
    let news = meant.combine(predicates::annotations).combine(recorded);
    events
        .reflect(writer)
        .inspect_ok(hand_over)
        .applied_objects()
        .predicate_filter(news, Default::default())
}

fn received<K>(
    receiver: mpsc::UnboundedReceiver<ObjectRef<K>>,
    queue: &Queue,
) -> impl Stream<Item = ObjectRef<K>> + Send + use<K>
where
    K: Resource<DynamicType = ()> + Send + 'static,
{
    let queue = queue.clone();
    let objects = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|object| (object, receiver))
    });
    objects.inspect(move |object| queue.add(object))
}

/// Counts an object that has changed.
fn noted<K: Resource<DynamicType = ()>>(queue: &Queue) -> impl FnMut(&K) + Send + use<K> {
    let queue = queue.clone();
    move |object| queue.add(&ObjectRef::from_obj(object))
}

/// Reconciles an object as soon as there is a place for it. From then on it is not counted any more.
fn begun<K, F>(
    queue: &Queue,
    slots: Slots,
    mut reconcile: impl FnMut(Arc<K>, Arc<Context>) -> F,
) -> impl FnMut(Arc<K>, Arc<Context>) -> BoxFuture<'static, Result<Action, kube::Error>>
where
    K: Resource<DynamicType = ()>,
    F: Future<Output = Result<Action, kube::Error>> + Send + 'static,
{
    let queue = queue.clone();
    move |object, context| {
        let Some(slot) = slots.take(&object.namespace().unwrap_or_default()) else {
            return ready(Ok(Action::requeue(slots::PAUSE))).boxed();
        };
        queue.remove(&ObjectRef::from_obj(&*object));
        let work = reconcile(object, context);
        work.inspect(move |_| drop(slot)).boxed()
    }
}

/// Does not count an object any more that was gone before anybody looked at it.
fn ended<T, E, Q>(
    queue: &Queue,
) -> impl FnMut(Result<T, controller::Error<E, Q>>) -> std::future::Ready<()>
where
    E: std::error::Error + 'static,
    Q: std::error::Error + 'static,
{
    let queue = queue.clone();
    move |outcome| {
        if let Err(controller::Error::ObjectNotFound(object)) = outcome {
            queue.remove(&object);
        }
        ready(())
    }
}

async fn cluster_id(client: &Client, given: Option<String>) -> Result<String, RunError> {
    let id = match given {
        Some(id) => id,
        None => {
            let namespaces: Api<Namespace> = Api::all(client.clone());
            namespaces
                .get("kube-system")
                .await
                .map_err(RunError::ClusterId)?
                .uid()
                .unwrap_or_default()
        }
    };
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
    if id.is_empty() || id.len() > MAXIMUM_CLUSTER_ID || !id.chars().all(allowed) {
        return Err(RunError::InvalidClusterId(id));
    }
    Ok(id)
}
