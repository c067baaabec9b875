//! Which deployment is the result of a create call whose answer was lost.

use crate::aicore::Deployment;
use crate::aicore::time_to_live::seconds;

/// What a list says about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// There is nothing that it may have made.
    Nothing,
    /// It has made these. More than one when something on the way has repeated the call.
    Ours(Vec<String>),
    /// It may have made one of these, but so may somebody else.
    CannotTell(Vec<String>),
}

/// How a create call was made.
#[derive(Debug)]
pub(super) struct Sent<'a> {
    /// Its configuration.
    pub(super) configuration_id: &'a str,
    /// Whether this run has made that configuration, so that nobody else creates from it.
    pub(super) is_own_configuration: bool,
    /// Its ttl, which hardly any other deployment has.
    pub(super) ttl: &'a str,
    /// The deployments that there were before.
    pub(super) before: &'a [String],
}

/// Reads it from a complete list.
pub(super) fn resolve(sent: &Sent<'_>, list: &[Deployment]) -> Resolution {
    let new = list
        .iter()
        .filter(|it| it.configuration_id == sent.configuration_id && !sent.before.contains(&it.id));
    let ids = |deployments: &[&Deployment]| deployments.iter().map(|it| it.id.clone()).collect();
    let new: Vec<_> = new.collect();
    if sent.is_own_configuration && !new.is_empty() {
        return Resolution::Ours(ids(&new));
    }
    let ttl_of = |it: &&Deployment| it.ttl.as_deref().and_then(seconds);
    let (marked, other): (Vec<_>, Vec<_>) = new
        .into_iter()
        .partition(|it| ttl_of(it) == seconds(sent.ttl));
    let unmarked: Vec<_> = other
        .into_iter()
        .filter(|it| ttl_of(it).is_none())
        .collect();
    match (&marked[..], &unmarked[..]) {
        ([], []) => Resolution::Nothing,
        ([only], []) => Resolution::Ours(vec![only.id.clone()]),
        _ => Resolution::CannotTell(ids(&[marked, unmarked].concat())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aicore::Status;

    fn deployment(id: &str, configuration: &str, ttl: Option<&str>) -> Deployment {
        Deployment {
            id: id.to_owned(),
            configuration_id: configuration.to_owned(),
            configuration_name: None,
            scenario_id: None,
            executable_id: None,
            status: Status::Unknown,
            status_message: None,
            target_status: None,
            deployment_url: None,
            latest_running_configuration_id: None,
            last_operation: None,
            ttl: ttl.map(str::to_owned),
            created_at: None,
            submission_time: None,
            start_time: None,
            completion_time: None,
            resources: None,
        }
    }

    fn resolved(is_own_configuration: bool, list: &[Deployment]) -> Resolution {
        let before = ["old".to_owned()];
        let sent = Sent {
            configuration_id: "ours",
            is_own_configuration,
            ttl: "247m",
            before: &before,
        };
        resolve(&sent, list)
    }

    #[test]
    fn from_a_configuration_of_its_own_everything_is_its_own() {
        let list = [
            deployment("old", "ours", Some("247m")),
            deployment("d1", "ours", None),
            deployment("d2", "ours", Some("1h")),
            deployment("d3", "theirs", Some("247m")),
        ];
        assert_eq!(
            resolved(true, &list),
            Resolution::Ours(vec!["d1".into(), "d2".into()])
        );
        assert_eq!(resolved(true, &list[..1]), Resolution::Nothing);
    }

    #[test]
    fn from_a_given_configuration_only_the_ttl_tells_and_only_when_nothing_else_comes_into_question()
     {
        let ours = deployment("d1", "ours", Some("247m"));
        let other = deployment("d2", "ours", Some("1h"));
        let silent = deployment("d3", "ours", None);
        let twin = deployment("d4", "ours", Some("247M"));
        let resolved = |list: &[&Deployment]| {
            resolved(
                false,
                &list.iter().map(|it| (*it).clone()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            resolved(&[&ours, &other]),
            Resolution::Ours(vec!["d1".into()])
        );
        assert_eq!(resolved(&[&other]), Resolution::Nothing);
        assert_eq!(
            resolved(&[&silent]),
            Resolution::CannotTell(vec!["d3".into()])
        );
        assert_eq!(
            resolved(&[&ours, &silent]),
            Resolution::CannotTell(vec!["d1".into(), "d3".into()])
        );
        assert_eq!(
            resolved(&[&ours, &twin]),
            Resolution::CannotTell(vec!["d1".into(), "d4".into()])
        );
    }
}
