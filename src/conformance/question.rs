//! Every call that is made only to see its answer, in one table.

use reqwest::Method;
use serde_json::{Value, json};

use super::shown::Shown;

/// What is asked, each at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::EnumIter)]
pub(crate) enum Question {
    // Before there is a deployment.
    Meta,
    ListUnknownGroup,
    GetUnknownGroup,
    ListWithoutGroup,
    GetUnknownDeployment,
    // The creation, and the look that follows everything else.
    Create,
    Get,
    // What its state does not allow, or what should change nothing.
    StopInUnknown,
    DeleteInPending,
    DeleteInRunning,
    SameConfiguration,
    StopAgain,
    StopInStopping,
    DeleteInStopping,
    StopInStopped,
    DeleteAgain,
    DeleteWhenGone,
    // While it runs.
    FilterUnknownStatus,
    ListWithTop,
    ListWithoutTop,
    SkipWithDollar,
    SkipWithoutDollar,
    SelectStatus,
    Count,
    LogsWithoutGroup,
    Configurations,
    ConfigurationsAgain,
    BulkOfUnknown,
    BulkAsJson,
    // Its end.
    StopInBulk,
    Stop,
    Delete,
}

use Question::*;

/// What is asked before anything is created.
pub(crate) const BEFORE: &[Question] = &[
    Meta,
    ListUnknownGroup,
    GetUnknownGroup,
    ListWithoutGroup,
    GetUnknownDeployment,
];

/// What is asked once it runs. Nothing of it changes anything.
pub(crate) const RUNNING: &[Question] = &[
    FilterUnknownStatus,
    ListWithTop,
    ListWithoutTop,
    SkipWithDollar,
    SkipWithoutDollar,
    SelectStatus,
    Count,
    LogsWithoutGroup,
    Configurations,
    ConfigurationsAgain,
    BulkOfUnknown,
    BulkAsJson,
];

/// Whether a deployment is in a certain state.
pub(crate) type State = fn(&Shown) -> bool;

/// What is asked as soon as the deployment is seen in a state: the first question whose state it is.
pub(crate) const IN_PASSING: &[(Question, State)] = &[
    (StopInUnknown, |it| is(it, "UNKNOWN", "RUNNING")),
    (DeleteInPending, |it| is(it, "PENDING", "RUNNING")),
    (DeleteInRunning, |it| is(it, "RUNNING", "RUNNING")),
    (SameConfiguration, |it| is(it, "RUNNING", "RUNNING")),
    (StopAgain, |it| is(it, "RUNNING", "STOPPED")),
    (StopInStopping, |it| {
        it.status() == "STOPPING" && !it.is_going()
    }),
    (DeleteInStopping, |it| {
        it.status() == "STOPPING" && !it.is_going()
    }),
    (StopInStopped, |it| {
        it.status() == "STOPPED" && !it.is_going()
    }),
    (DeleteAgain, Shown::is_going),
];

/// Without `targetStatus` it is meant to run until something else was asked for.
fn is(shown: &Shown, status: &str, target: &str) -> bool {
    let shown_target = match shown.target() {
        "" => "RUNNING",
        target => target,
    };
    shown.status() == status && shown_target == target
}

/// What the calls are about.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The resource group.
    pub(crate) group: String,
    /// A resource group that does not exist.
    pub(crate) unknown_group: String,
    /// The deployment that was created; empty before that.
    pub(crate) id: String,
    /// A deployment that does not exist.
    pub(crate) unknown_id: String,
    /// The configuration that it is created from.
    pub(crate) configuration_id: String,
    /// The time to live that it is created with.
    pub(crate) ttl: String,
}

/// A call that puts a question.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) path: Vec<&'a str>,
    pub(crate) query: Vec<(&'a str, &'a str)>,
    pub(crate) group: Option<&'a str>,
    pub(crate) body: Option<Value>,
    pub(crate) media_type: &'static str,
}

const DEPLOYMENTS: [&str; 2] = ["lm", "deployments"];
const CONFIGURATIONS: [&str; 2] = ["lm", "configurations"];
/// The largest `$top` that the contract allows.
const TOP: (&str, &str) = ("$top", "100000");
const MERGE_PATCH: &str = "application/merge-patch+json";

impl Question {
    /// The call that puts the question.
    pub(crate) fn request(self, names: &Names) -> Request<'_> {
        let get = |path: &[&'static str]| Request::new(Method::GET, path.to_vec(), names);
        // A server may have a small `$top` of its own.
        let list = |query| Request {
            query: vec![TOP, query],
            ..get(&DEPLOYMENTS)
        };
        let one = |method| Request::new(method, vec!["lm", "deployments", &names.id], names);
        let bulk = |ids: &[&str], media_type| {
            let items = ids
                .iter()
                .map(|id| json!({"id": id, "targetStatus": "STOPPED"}));
            Request {
                body: Some(json!({"deployments": items.collect::<Vec<_>>()})),
                media_type,
                ..Request::new(Method::PATCH, DEPLOYMENTS.to_vec(), names)
            }
        };
        match self {
            Meta => Request {
                group: None,
                ..get(&["lm", "meta"])
            },
            ListUnknownGroup => Request {
                group: Some(&names.unknown_group),
                ..get(&DEPLOYMENTS)
            },
            GetUnknownGroup => Request {
                path: vec!["admin", "resourceGroups", &names.unknown_group],
                group: None,
                ..get(&[])
            },
            ListWithoutGroup => Request {
                group: None,
                ..get(&DEPLOYMENTS)
            },
            GetUnknownDeployment => Request {
                path: vec!["lm", "deployments", &names.unknown_id],
                ..get(&[])
            },
            FilterUnknownStatus => list(("status", "NO_SUCH_STATUS")),
            Create => Request {
                body: Some(json!({"configurationId": names.configuration_id, "ttl": names.ttl})),
                ..Request::new(Method::POST, DEPLOYMENTS.to_vec(), names)
            },
            StopInUnknown | StopAgain | StopInStopping | StopInStopped | Stop => Request {
                body: Some(json!({"targetStatus": "STOPPED"})),
                ..one(Method::PATCH)
            },
            Get => one(Method::GET),
            SameConfiguration => Request {
                body: Some(json!({"configurationId": names.configuration_id})),
                ..one(Method::PATCH)
            },
            DeleteInPending | DeleteInRunning | DeleteInStopping | DeleteAgain | DeleteWhenGone
            | Delete => one(Method::DELETE),
            ListWithTop => Request {
                query: vec![TOP],
                ..get(&DEPLOYMENTS)
            },
            ListWithoutTop => get(&DEPLOYMENTS),
            SkipWithDollar => list(("$skip", "1")),
            SkipWithoutDollar => list(("skip", "1")),
            SelectStatus => list(("$select", "status")),
            Count => get(&["lm", "deployments", "$count"]),
            LogsWithoutGroup => Request {
                path: vec!["lm", "deployments", &names.id, "logs"],
                group: None,
                ..get(&[])
            },
            Configurations | ConfigurationsAgain => Request {
                query: vec![TOP],
                ..get(&CONFIGURATIONS)
            },
            BulkOfUnknown => bulk(&[&names.unknown_id], MERGE_PATCH),
            BulkAsJson => bulk(&[&names.unknown_id], "application/json"),
            StopInBulk => bulk(&[&names.id, &names.unknown_id], MERGE_PATCH),
        }
    }
}

impl<'a> Request<'a> {
    fn new(method: Method, path: Vec<&'a str>, names: &'a Names) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            group: Some(&names.group),
            body: None,
            media_type: "application/json",
        }
    }
}
