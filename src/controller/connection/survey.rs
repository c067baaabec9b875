//! What a key sees: whether it works, which resource groups there are, how many deployments run and how many belong to nobody here.

use std::sync::Arc;

use tokio::time::Instant;

use super::owner::Owner;
use super::surveys::Made;
use super::views::ConnectionName;
use super::{failures, orphans};
use crate::aicore::{Client, Error, Meta, Status, Tenant, Validity};
use crate::api::Orphan;
use crate::controller::context::Context;
use crate::controller::problem::Failure;

/// What a key sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    /// What keeps the Connection from working.
    pub(crate) failure: Option<Failure>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) resource_groups: Vec<String>,
    pub(crate) running: i64,
    pub(crate) unclaimed: i64,
    /// Those of the unclaimed that were made for an object that may use the Connection, ordered by id.
    pub(crate) orphans: Vec<Orphan>,
    /// When the certificate of the key is valid, where it has one.
    pub(crate) certificate: Option<Validity>,
    /// Who may delete the Secret and revoke the key without asking.
    pub(crate) owner: Option<Owner>,
}

impl Survey {
    /// There is no key to look with.
    pub(crate) fn failed(failure: Failure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }

    /// The host name of the API.
    pub(crate) fn host(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.tenant.as_ref()?.api_url).ok()?;
        url.host_str().map(str::to_owned)
    }

    /// What is seen, in words.
    pub(crate) fn message(&self) -> String {
        match self.resource_groups.len() {
            0 => "the key works; it may not list resource groups".to_owned(),
            groups => format!(
                "the key works; resource groups: {groups}, running deployments: {}, unclaimed: {}, orphans: {}",
                self.running,
                self.unclaimed,
                self.orphans.len()
            ),
        }
    }
}

/// Looks through a key, at AI Core where the last look is too old, and otherwise at what is known.
pub(crate) async fn of(context: &Context, name: &ConnectionName, client: &Client) -> Survey {
    if let Some(failure) = context.surveys.failure(name) {
        return Survey::failed(failure);
    }
    let last = context.surveys.made(name);
    if let Some(made) = last
        .as_ref()
        .filter(|made| made.at.elapsed() < context.options.resync)
    {
        return count(context, name, client, &made.resource_groups);
    }
    match make(
        context,
        client,
        last.map(|made| made.resource_groups.clone()),
    )
    .await
    {
        Ok(made) => {
            let made = Arc::new(made);
            context.surveys.keep(name, made.clone());
            count(context, name, client, &made.resource_groups)
        }
        Err(error) => {
            let failure = failures::answered(&error);
            context
                .surveys
                .fail(name, failure.clone(), error.retry_after());
            Survey::failed(failure)
        }
    }
}

async fn make(
    context: &Context,
    client: &Client,
    last: Option<Vec<String>>,
) -> Result<Made, Error> {
    client.check_token().await?;
    let mut resource_groups: Vec<String> = match client.list_resource_groups().await {
        Ok(groups) => groups.into_iter().map(|group| group.id).collect(),
        // A key may work without being allowed to list the groups; then something that every key may do tells.
        Err(error) if is_refused(&error) => {
            judge(error, client.meta().await)?;
            Vec::new()
        }
        // What was seen before is still the best that is known.
        Err(error) if is_odd(&error) => last.ok_or(error)?,
        Err(error) => return Err(error),
    };
    context.inventory.accepted(client);
    resource_groups.sort();
    for group in &resource_groups {
        let key = client.group_key(group);
        // A group that cannot be listed is left out of the counts; whoever lives in it learns why from its own object.
        if let Ok(snapshot) = context.inventory.list_once(&key).await {
            context.surveys.listed(key, snapshot);
        }
    }
    Ok(Made {
        at: Instant::now(),
        resource_groups,
    })
}

/// Whether the API has let nobody in with this key to see the groups.
fn is_refused(error: &Error) -> bool {
    matches!(
        error,
        Error::Unauthorized(_) | Error::Forbidden(_) | Error::NotFound(_) | Error::Rejected(_)
    )
}

/// Whether the API has answered in a way that says nothing about the key.
fn is_odd(error: &Error) -> bool {
    matches!(
        error,
        Error::Throttled { .. }
            | Error::Crowded { .. }
            | Error::Malformed { .. }
            | Error::Incomplete { .. }
    )
}

/// Whether a key works that got this failure for the list of groups, and this answer for the description of the API.
///
/// A server need not have the description (404), nor give it without a resource group (400): the key was let in all the same. A token
/// counts as refused only when both calls say so.
fn judge(groups: Error, meta: Result<Meta, Error>) -> Result<(), Error> {
    match meta {
        Ok(_) | Err(Error::NotFound(_) | Error::Rejected(_)) => Ok(()),
        Err(Error::Unauthorized(_)) => Err(groups),
        Err(error) => Err(error),
    }
}

fn count(
    context: &Context,
    name: &ConnectionName,
    client: &Client,
    resource_groups: &[String],
) -> Survey {
    let mut survey = Survey {
        tenant: Some(client.tenant().clone()),
        resource_groups: resource_groups.to_vec(),
        ..Survey::default()
    };
    for group in resource_groups {
        let key = client.group_key(group);
        let Some(snapshot) = context.surveys.newest(&key) else {
            continue;
        };
        survey.running += snapshot
            .iter()
            .filter(|deployment| deployment.status == Status::Running)
            .count() as i64;
        let unclaimed = context.unclaimed(&key, &snapshot);
        survey.unclaimed += unclaimed.len() as i64;
        let orphans = orphans::among(&unclaimed, context, name, &key, &snapshot);
        survey.orphans.extend(orphans);
    }
    survey.orphans.sort_by(|a, b| a.id.cmp(&b.id));
    survey
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aicore::Rejection;
    use crate::api::Reason;

    fn rejection(status: u16) -> Rejection {
        Rejection {
            status,
            code: None,
            message: String::new(),
        }
    }

    fn refused(status: u16) -> Error {
        match status {
            401 => Error::Unauthorized(rejection(status)),
            403 => Error::Forbidden(rejection(status)),
            404 => Error::NotFound(rejection(status)),
            _ => Error::Rejected(rejection(status)),
        }
    }

    #[test]
    fn a_key_works_that_may_not_list_groups_but_is_let_in_elsewhere() {
        for groups in [400, 401, 403, 404, 405] {
            assert!(is_refused(&refused(groups)));
            for meta in [Ok(Meta::default()), Err(refused(404)), Err(refused(400))] {
                let what = format!("{groups}, {meta:?}");
                assert!(judge(refused(groups), meta).is_ok(), "{what}");
            }
        }
    }

    #[test]
    fn only_a_token_that_is_refused_twice_is_unauthorized() {
        let reason = |groups, meta| {
            judge(refused(groups), Err(refused(meta)))
                .unwrap_err()
                .reason()
        };
        assert_eq!(reason(401, 401), Reason::Unauthorized);
        assert_eq!(reason(403, 401), Reason::AccessDenied);
        assert_eq!(reason(401, 403), Reason::AccessDenied);
    }

    #[test]
    fn an_answer_that_says_nothing_about_the_key_leaves_what_was_seen_before() {
        let throttled = Error::Throttled {
            retry_after: None,
            message: rejection(429),
        };
        assert!(is_odd(&throttled) && !is_refused(&throttled));
    }

    #[test]
    fn no_answer_and_no_token_are_no_reason_to_ask_for_anything_else() {
        let down = Error::Unavailable {
            status: 503,
            retry_after: None,
            message: rejection(503),
        };
        for error in [down, Error::TokenRejected(rejection(401))] {
            assert!(!is_refused(&error) && !is_odd(&error), "{error}");
        }
    }
}
