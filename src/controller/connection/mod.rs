//! Reconciling a Connection: hold it and its Secret, see whether the key works, and tell what it sees.

pub(crate) mod grants;
pub(crate) mod reference;
pub(crate) mod secrets;
pub(crate) mod surveys;
pub(crate) mod views;

mod certificate;
pub(crate) mod chain;
mod failures;
pub(crate) mod left;
mod orphans;
pub(crate) mod owner;
mod survey;
pub(crate) mod tenancy;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use tracing::{instrument, warn};

use crate::aicore::{Client, ServiceKey};
use crate::api::{
    Condition, ConditionKind, Connection, ConnectionStatus, IN_USE_FINALIZER, Reason,
};
use crate::controller::act::obstacle::backoff;
use crate::controller::context::Context;
use crate::controller::finalizers;
use crate::controller::problem::Failure;
use crate::controller::tell::events::News;
use crate::controller::wake;
use crate::lease;
use chain::Hold;
use owner::Owner;
use survey::Survey;
use views::{ConnectionName, ConnectionView};

/// How soon a Connection that is being deleted, or whose key does not work, is looked at again.
const SOON: Duration = Duration::from_secs(10);

/// How soon a Connection is looked at again while not all of them are listed.
const LISTING: Duration = Duration::from_millis(50);

/// Looks at a Connection, and says when to look again.
#[instrument(
    skip_all,
    fields(kind = "Connection", namespace = object.namespace(), object = object.name_any(), uid = object.uid())
)]
pub(crate) async fn reconcile(
    object: Arc<Connection>,
    context: Arc<Context>,
) -> Result<Action, kube::Error> {
    if !context.leadership.is_held() {
        return Ok(Action::await_change());
    }
    // What belongs to nobody is known only when every Deployment has been listed.
    let listed = context.metrics.listed().deployments.wait();
    if tokio::time::timeout(SOON, listed).await.is_err() {
        return Ok(Action::requeue(Duration::ZERO));
    }
    // What was left behind through one Connection must not be taken for lost through another one that leads to the same group.
    if !context.metrics.listed().connections.initialized() {
        return Ok(Action::requeue(LISTING));
    }
    let namespace = object.namespace().unwrap_or_default();
    let name = (namespace.clone(), object.name_any());
    // Live, because our own writes of the last round must be in it.
    let Some(connection) = context.connections_in(&namespace).get_opt(&name.1).await? else {
        forget(&context, &name);
        return Ok(Action::await_change());
    };
    match work(&context, &name, &connection).await {
        Err(error) if finalizers::is_stale(&error) => {
            Ok(Action::requeue(Duration::from_millis(200)))
        }
        // Everything is looked at when this process leads again.
        Err(error) if lease::is_refusal(&error) => Ok(Action::await_change()),
        result => result,
    }
}

/// When to try again after the Kubernetes API failed.
pub(crate) fn after_error(object: Arc<Connection>, error: &kube::Error, _: Arc<Context>) -> Action {
    warn!(namespace = object.namespace(), object = object.name_any(), uid = object.uid(), %error, "the Kubernetes API failed");
    Action::requeue(backoff(3))
}

/// A Connection is gone, in order or because somebody took its finalizer off.
pub(crate) async fn gone(context: Arc<Context>, connection: Connection) {
    let namespace = connection.namespace().unwrap_or_default();
    forget(&context, &(namespace.clone(), connection.name_any()));
    // One of the same name may have come already, and what was known of it was forgotten just now.
    wake::connections(&context, [ObjectRef::from_obj(&connection)]);
    for secret in connection
        .status
        .into_iter()
        .flat_map(|status| status.secrets)
    {
        secrets::release_abandoned(&context, &namespace, &secret).await;
    }
}

/// Forgets a Connection that is gone.
fn forget(context: &Context, name: &ConnectionName) {
    context.connections.forget(name);
    context.surveys.forget(name);
    context.inventory.detach(&inventory_name(name));
    wake_users(context, name);
}

async fn work(
    context: &Context,
    name: &ConnectionName,
    connection: &Connection,
) -> Result<Action, kube::Error> {
    // A grant that is withdrawn counts at once, whatever becomes of the rest.
    if context.connections.grant(name, &connection.spec.access) {
        wake_users(context, name);
    }
    let mut users = None;
    if finalizers::is_terminating(connection) {
        if !finalizers::has(connection, IN_USE_FINALIZER) {
            return Ok(Action::await_change());
        }
        users = chain::described(&chain::users(context, connection).await?, &name.0);
        if users.is_none() {
            chain::release(context, connection).await?;
            forget(context, name);
            return Ok(Action::await_change());
        }
    }
    let (client, owner) = client(context, connection).await?;
    let news = note(context, name, connection, &client, owner.as_ref());
    let hold = chain::hold(context, connection).await?;
    if hold == Hold::Changed {
        // What our own write has made of the Connection is looked at next.
        return Ok(Action::requeue(Duration::ZERO));
    }
    let certificate = client.as_ref().ok().and_then(Client::certificate);
    let mut survey = match client {
        Ok(client) => survey::of(context, name, &client).await,
        Err(failure) => Survey::failed(failure),
    };
    let now = Timestamp::now();
    survey.owner = owner;
    survey.certificate = certificate;
    survey.failure = failure(context, name, connection, &survey, hold, now);
    let pause = match survey.failure {
        Some(_) => SOON,
        None => context.options.resync,
    };
    let next_news = certificate.and_then(|it| certificate::next_news(it, now));
    if news || !verdict::first_cause_stays(connection, &survey) {
        tell(context, connection, survey, users.as_deref(), now).await?;
    }
    Ok(Action::requeue(
        next_news.map_or(pause, |next| next.min(pause)),
    ))
}

/// What keeps a Connection from working: what is certain for good before what was answered, and that before what is told although it works.
fn failure(
    context: &Context,
    name: &ConnectionName,
    connection: &Connection,
    survey: &Survey,
    hold: Hold,
    now: Timestamp,
) -> Option<Failure> {
    let secret = &connection.spec.secret_ref.name;
    let expired = |validity| failures::certificate_expired(validity, secret, now);
    let answered = || {
        let Failure { problem, stalled } = survey.failure.clone()?;
        let revoker = survey.owner.as_ref().and_then(Owner::revoker);
        let problem = owner::explained(problem, revoker.as_deref());
        Some(Failure { problem, stalled })
    };
    let tenant_changed = || {
        let tenant = survey.tenant.as_ref()?;
        let cut_off = tenancy::cut_off(context, name, tenant);
        let cut_off = chain::described(cut_off.iter().map(|it| &**it), &name.0)?;
        Some(failures::tenant_changed(tenant, &cut_off))
    };
    let certificate = survey.certificate.and_then(expired);
    certificate
        .or_else(answered)
        .or_else(tenant_changed)
        .or_else(|| failures::terminating(connection, hold))
}

/// The client with the Connection's present key, and who owns the Secret. An unchanged key keeps its client, and with it its token.
async fn client(
    context: &Context,
    connection: &Connection,
) -> Result<(Result<Client, Failure>, Option<Owner>), kube::Error> {
    let reference = &connection.spec.secret_ref;
    let namespace = connection.namespace().unwrap_or_default();
    if !context.options.reaches_secrets_of(&namespace) {
        let failure = failures::out_of_reach(&context.options, &reference.name);
        return Ok((Err(failure), None));
    }
    let secrets: Api<Secret> = Api::namespaced(context.kube.clone(), &namespace);
    let Some(secret) = secrets.get_opt(&reference.name).await? else {
        let failure = failures::secret_missing(connection, Timestamp::now());
        return Ok((Err(failure), None));
    };
    let owner = owner::of(&secret);
    let key = ServiceKey::from_secret(&secret.data.unwrap_or_default(), reference.key.as_deref());
    let unusable = |error| failures::unusable(&reference.name, &error);
    let name = (namespace, connection.name_any());
    let client = match key {
        Err(error) => Err(unusable(error)),
        Ok(key) => match context.connections.get(&name) {
            Some(ConnectionView::Usable { client, .. })
                if client.fingerprint() == key.fingerprint() =>
            {
                Ok(client)
            }
            _ => Client::new(key, &context.options.client).map_err(unusable),
        },
    };
    Ok((client, owner))
}

/// Makes the outcome known to the Deployments that use the Connection. Tells whether it is news.
fn note(
    context: &Context,
    name: &ConnectionName,
    connection: &Connection,
    client: &Result<Client, Failure>,
    owner: Option<&Owner>,
) -> bool {
    let view = match client {
        Ok(client) => ConnectionView::Usable {
            client: client.clone(),
            exclusive: connection.spec.exclusive,
            revoker: owner.and_then(Owner::revoker),
        },
        Err(Failure { problem, .. }) => ConnectionView::Unusable {
            reason: problem.reason,
            message: format!("Connection {}: {}", name.1, problem.message),
        },
    };
    let news = context
        .connections
        .get(name)
        .is_none_or(|before| before.differs_from(&view));
    if !news {
        return false;
    }
    match client {
        Ok(client) => context
            .inventory
            .attach(&inventory_name(name), client.clone()),
        Err(_) => context.inventory.detach(&inventory_name(name)),
    }
    context.surveys.forget(name);
    context.connections.set(name.clone(), view);
    wake_users(context, name);
    true
}

fn wake_users(context: &Context, name: &ConnectionName) {
    for deployment in context.deployments.state() {
        let used = reference::used(&deployment);
        if reference::named(&deployment) == *name || used.as_ref() == Some(name) {
            // The receiver lives as long as the operator runs.
            let _ = context
                .wake_deployment
                .send(ObjectRef::from_obj(&*deployment));
        }
    }
}

fn inventory_name(name: &ConnectionName) -> String {
    format!("{}/{}", name.0, name.1)
}

/// Writes what was found out, where it differs from what is written.
async fn tell(
    context: &Context,
    connection: &Connection,
    survey: Survey,
    users: Option<&str>,
    now: Timestamp,
) -> Result<(), kube::Error> {
    let mut changed = connection.clone();
    let status = changed.status.get_or_insert_default();
    let mode = context.options.mode;
    let conditions = verdict::conditions(mode, connection, &survey, users, now);
    let ready = |all: &[Condition]| {
        all.iter()
            .find(|it| it.kind == ConditionKind::Ready)
            .cloned()
    };
    let before = ready(&status.conditions);
    let secret = &connection.spec.secret_ref.name;
    let owned = owner::news(before.as_ref(), &survey, secret);
    let ending = survey.certificate;
    let ending = ending.and_then(|it| certificate::news(before.as_ref(), it, secret, now));
    let news = ready(&conditions).filter(|now| before.is_none_or(|it| it.reason != now.reason));
    let news = news.map(|ready| match &survey.failure {
        None => News::good(Reason::Ready, "", ready.message),
        Some(failure) => News::bad(failure.problem.reason, "", ready.message),
    });
    let orphans = survey
        .failure
        .is_none()
        .then(|| orphans::news(status, &survey.orphans))
        .flatten();
    let works = survey.tenant.as_ref().filter(|_| survey.failure.is_none());
    if let Some(tenant) = works.filter(|_| status.secrets.len() > 1) {
        status.secrets = chain::release_former(context, connection, tenant).await?;
    }
    if works.is_some() {
        left::prune(context, connection, status);
    }
    status.observed_generation = connection.metadata.generation.unwrap_or_default();
    status.conditions = conditions;
    fill(status, survey);
    if changed.status == connection.status {
        return Ok(());
    }
    let api = context.connections_in(&connection.namespace().unwrap_or_default());
    api.replace_status(&connection.name_any(), &PostParams::default(), &changed)
        .await?;
    for news in orphans.into_iter().chain(owned).chain(ending) {
        context.events.publish(connection, news).await;
    }
    if let Some(news) = news {
        context.events.publish(connection, news).await;
        wake_users(
            context,
            &(
                connection.namespace().unwrap_or_default(),
                connection.name_any(),
            ),
        );
    }
    Ok(())
}

/// Writes down what was seen. While nothing can be seen, what was seen last stays.
fn fill(status: &mut ConnectionStatus, survey: Survey) {
    status.certificate = survey.certificate;
    if survey.tenant.is_some() {
        status.host = survey.host();
        status.tenant = survey.tenant;
        status.resource_groups = survey.resource_groups;
        status.running = Some(survey.running);
        status.unclaimed = Some(survey.unclaimed);
        status.orphan_count = Some(survey.orphans.len() as i64);
        status.orphans = survey.orphans;
        status.orphans.truncate(orphans::MAXIMUM_LISTED);
    }
}
