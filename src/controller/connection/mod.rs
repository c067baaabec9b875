//! Reconciling a Connection: hold it and its Secret, see whether the key works, and tell what it sees.

pub(crate) mod grants;
pub(crate) mod reference;
pub(crate) mod secrets;
pub(crate) mod surveys;
pub(crate) mod views;

pub(crate) mod chain;
pub(crate) mod left;
mod orphans;
mod owner;
mod survey;

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
    set_conditions,
};
use crate::controller::act::obstacle::backoff;
use crate::controller::context::{Context, Mode};
use crate::controller::finalizers;
use crate::controller::problem::Problem;
use crate::controller::tell::events::{News, shortened};
use crate::controller::wake;
use crate::lease;
use chain::Hold;
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
    note(context, name, connection, &client);
    let hold = chain::hold(context, connection).await?;
    if hold == Hold::Changed {
        // What our own write has made of the Connection is looked at next.
        return Ok(Action::requeue(Duration::ZERO));
    }
    let mut survey = match client {
        Ok(client) => survey::of(context, name, &client).await,
        Err(problem) => Survey::failed(problem),
    };
    survey.problem = survey.problem.or_else(|| terminating(connection, hold));
    survey.owner = owner;
    let soon = survey.problem.is_some();
    tell(context, connection, survey, users.as_deref()).await?;
    Ok(Action::requeue(if soon {
        SOON
    } else {
        context.options.resync
    }))
}

/// A Connection on its way out still serves to stop and delete what it has made, but nothing new is created through it.
fn terminating(connection: &Connection, hold: Hold) -> Option<Problem> {
    let secret = &connection.spec.secret_ref.name;
    let (reason, what) = match hold {
        Hold::ConnectionTerminating => (Reason::Terminating, "this Connection".to_owned()),
        Hold::SecretTerminating => (Reason::SecretTerminating, format!("Secret {secret}")),
        Hold::Both | Hold::Changed | Hold::SecretMissing => return None,
    };
    let message = format!(
        "{what} is being deleted: it goes on being used for the deployments there are, and no new one is created"
    );
    Some(Problem { reason, message })
}

/// The client with the Connection's present key, and who owns the Secret. An unchanged key keeps its client, and with it its token.
async fn client(
    context: &Context,
    connection: &Connection,
) -> Result<(Result<Client, Problem>, Option<String>), kube::Error> {
    let reference = &connection.spec.secret_ref;
    let namespace = connection.namespace().unwrap_or_default();
    if !context.options.reaches_secrets_of(&namespace) {
        return Ok((Err(out_of_reach(context, &reference.name)), None));
    }
    let secrets: Api<Secret> = Api::namespaced(context.kube.clone(), &namespace);
    let Some(secret) = secrets.get_opt(&reference.name).await? else {
        let message = format!(
            "there is no Secret {} in this namespace; create it with a SAP AI Core service key",
            reference.name
        );
        let problem = Problem {
            reason: Reason::SecretMissing,
            message,
        };
        return Ok((Err(problem), None));
    };
    let owner = owner::of(&secret);
    let key = ServiceKey::from_secret(&secret.data.unwrap_or_default(), reference.key.as_deref());
    let unusable = |error: crate::aicore::ServiceKeyError| Problem {
        reason: Reason::InvalidSecret,
        message: format!("Secret {}: {error}", reference.name),
    };
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

/// The operator is installed so that it reads Secrets elsewhere.
fn out_of_reach(context: &Context, secret: &str) -> Problem {
    let message = format!(
        "Secret {secret} cannot be used: the operator reads Secrets in {} only. Have this namespace added (secrets.namespaces of the chart), or use a \
         Connection there that grants this namespace access",
        context.options.secret_namespaces.join(", ")
    );
    Problem {
        reason: Reason::SecretOutOfReach,
        message,
    }
}

/// Makes the outcome known to the Deployments that use the Connection.
fn note(
    context: &Context,
    name: &ConnectionName,
    connection: &Connection,
    client: &Result<Client, Problem>,
) {
    let view = match client {
        Ok(client) => ConnectionView::Usable {
            client: client.clone(),
            exclusive: connection.spec.exclusive,
        },
        Err(problem) => ConnectionView::Unusable {
            reason: problem.reason,
            message: format!("Connection {}: {}", name.1, problem.message),
        },
    };
    let news = context
        .connections
        .get(name)
        .is_none_or(|before| before.differs_from(&view));
    if !news {
        return;
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
) -> Result<(), kube::Error> {
    let mut changed = connection.clone();
    let status = changed.status.get_or_insert_default();
    let ready = ready(context.options.mode, connection, &survey, users);
    let mut conditions = status.conditions.iter();
    let before = conditions.find(|condition| condition.kind == ConditionKind::Ready);
    let owned = owner::news(before, &survey, &connection.spec.secret_ref.name);
    let before = before.map(|condition| condition.reason.clone());
    let news = (before.as_ref() != Some(&ready.reason)).then(|| match survey.problem {
        None => News::good(Reason::Ready, "", ready.message.clone()),
        Some(Problem { reason, .. }) => News::bad(reason, "", ready.message.clone()),
    });
    let orphans = survey
        .problem
        .is_none()
        .then(|| orphans::news(status, &survey.orphans))
        .flatten();
    let works = survey.tenant.as_ref().filter(|_| survey.problem.is_none());
    if let Some(tenant) = works.filter(|_| status.secrets.len() > 1) {
        status.secrets = chain::release_former(context, connection, tenant).await?;
    }
    if works.is_some() {
        left::prune(context, connection, status);
    }
    fill(status, connection, survey, ready);
    if changed.status == connection.status {
        return Ok(());
    }
    let api = context.connections_in(&connection.namespace().unwrap_or_default());
    api.replace_status(&connection.name_any(), &PostParams::default(), &changed)
        .await?;
    for news in orphans.into_iter().chain(owned) {
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

fn ready(mode: Mode, connection: &Connection, survey: &Survey, users: Option<&str>) -> Condition {
    let (reason, mut message) = match &survey.problem {
        None => (Reason::Connected, survey.message()),
        Some(problem) => (problem.reason, problem.message.clone()),
    };
    if let Some(owner) = &survey.owner {
        let secret = &connection.spec.secret_ref.name;
        message = format!("{message}. {}", owner::warning(owner, secret));
    }
    if mode == Mode::Observe {
        message =
            format!("{message}. The operator runs with --mode=observe and writes nothing there");
    }
    if let Some(users) = users {
        message = format!("{message}. It stays until these Deployments are gone: {users}");
    }
    Condition {
        kind: ConditionKind::Ready,
        status: survey.problem.is_none().into(),
        reason: reason.to_string(),
        message: shortened(&message, 1024),
        last_transition_time: Timestamp::now(),
        observed_generation: connection.metadata.generation.unwrap_or_default(),
    }
}

fn fill(status: &mut ConnectionStatus, connection: &Connection, survey: Survey, ready: Condition) {
    status.observed_generation = connection.metadata.generation.unwrap_or_default();
    status.conditions = set_conditions(&status.conditions, vec![ready]);
    if survey.problem.is_none() {
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
