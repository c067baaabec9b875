use std::collections::HashSet;

use super::*;
use crate::api::{Condition, ConditionStatus};
use crate::lifecycle::situation::{
    Goal, Look, Order, Others, Preparation, Record, Source, Uninstall,
};
use crate::lifecycle::step::{Release, Stall};
use crate::lifecycle::{Hand, Situation, next_step, restrain, walk};

fn object(generation: i64) -> Deployment {
    serde_json::from_value(serde_json::json!({
        "apiVersion": "aicore.dev/v1alpha1", "kind": "Deployment",
        "metadata": {"name": "churn", "namespace": "default", "uid": "1", "generation": generation},
        "spec": {"resourceGroup": "team-a", "connectionRef": {"name": "prod"}, "configurationId": "configuration-1"},
        "status": {"observedGeneration": -1, "deployment": {"id": "d0123456789abcde"}},
    }))
    .expect("the object is valid")
}

fn observation(connection: Connection) -> Observation {
    let record = Record::Nothing {
        source: Source::Create(Preparation::Complete),
        look: Look::Pending,
    };
    Observation {
        situation: Situation {
            goal: Goal::Running,
            finalizer: true,
            order: Order::None,
            uninstall: Uninstall::No,
            connection,
            record,
            others: Others::None,
            recreate: false,
        },
        access: None,
        remote: None,
        candidates: vec!["d1".into(), "d2".into()],
        retiring: None,
        predecessor: None,
        unrecorded: Vec::new(),
        call_stays_open: false,
        calls_over: Vec::new(),
        stop_is_over: false,
        missing_configuration: None,
        problem: None,
        endpoint: Default::default(),
        recheck: None,
        moved_to: None,
    }
}

fn steps() -> Vec<Step> {
    let mut steps = vec![
        Step::AddFinalizer,
        Step::Take,
        Step::PrepareConfiguration,
        Step::Create,
        Step::ClearIntent,
        Step::Forget,
        Step::Retire,
        Step::Stop,
        Step::Delete,
        Step::ChangeConfiguration,
        Step::Replace,
        Step::TakeBack,
        Step::RollBack,
    ];
    steps.extend(
        [
            Done::Running,
            Done::Stopped,
            Done::Deleted,
            Done::Expired,
            Done::Observed,
            Done::Released,
        ]
        .map(Step::Done),
    );
    steps.extend(
        [
            Release::Gone,
            Release::NeverSeen,
            Release::NeverCreated,
            Release::Unchecked,
            Release::Orphaned,
            Release::ClaimedByAnother,
            Release::Uninstalled,
            Release::Forced,
        ]
        .map(Step::Release),
    );
    steps.extend(
        [
            Wait::Unreachable,
            Wait::Observation,
            Wait::Chain,
            Wait::Resolution,
            Wait::Starting,
            Wait::Updating,
            Wait::Stopping,
            Wait::Deleting,
            Wait::Absence,
            Wait::UnknownState,
            Wait::Uninstall,
            Wait::Retiring,
        ]
        .map(Step::Wait),
    );
    steps.extend(
        [
            Stall::ConnectionUnusable,
            Stall::TenantChanged,
            Stall::AccessDenied,
            Stall::Claimed,
            Stall::Ambiguous,
            Stall::DeploymentDead,
            Stall::Protected,
            Stall::Paused,
            Stall::Observing,
            Stall::StoppedElsewhere,
            Stall::DeploymentMissing,
            Stall::NeverSeen,
            Stall::NoConfiguration,
            Stall::Overdue,
            Stall::OperatorConflict,
        ]
        .map(Step::Stall),
    );
    steps
}

fn find(status: &DeploymentStatus, kind: ConditionKind) -> Option<&Condition> {
    status
        .conditions
        .iter()
        .find(|condition| condition.kind == kind)
}

#[test]
fn every_step_leaves_conditions_that_kstatus_reads_right() {
    for step in steps() {
        let status = status(
            &object(1),
            &observation(Connection::Ready),
            step,
            Timestamp::UNIX_EPOCH,
        );
        let ready = find(&status, ConditionKind::Ready).expect("Ready is always told");
        let reconciling = find(&status, ConditionKind::Reconciling);
        let stalled = find(&status, ConditionKind::Stalled);
        assert!(
            find(&status, ConditionKind::Available).is_some(),
            "{step:?}"
        );
        let abnormal = [reconciling, stalled]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        assert!(
            abnormal
                .iter()
                .all(|condition| condition.status == ConditionStatus::True),
            "{step:?}: present only when True"
        );
        assert_eq!(
            abnormal.len(),
            usize::from(ready.status == ConditionStatus::False),
            "{step:?}: not ready for exactly one cause"
        );
        assert!(
            ready
                .reason
                .chars()
                .all(|character| character.is_ascii_alphanumeric()),
            "{step:?}: {}",
            ready.reason
        );
        assert!(!ready.message.is_empty(), "{step:?}");
        assert_eq!(status.observed_generation, 1, "{step:?}");
        assert_eq!(
            status.next_step.is_some(),
            ready.status == ConditionStatus::False || step == Step::Done(Done::Observed),
            "{step:?}: what comes next is told until it is reached"
        );
    }
}

#[test]
fn only_a_stall_asks_for_a_person() {
    for step in steps() {
        let status = status(
            &object(1),
            &observation(Connection::Ready),
            step,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(
            find(&status, ConditionKind::Stalled).is_some(),
            matches!(step, Step::Stall(_)),
            "{step:?}"
        );
    }
}

#[test]
fn a_reached_goal_stays_reached_while_ai_core_does_not_answer() {
    let mut ready = object(1);
    ready.status = Some(status(
        &ready,
        &observation(Connection::Ready),
        Step::Done(Done::Running),
        Timestamp::UNIX_EPOCH,
    ));
    let unreachable = observation(Connection::Unreachable);
    let step = Step::Wait(Wait::Unreachable);
    assert_eq!(
        Some(status(&ready, &unreachable, step, Timestamp::now())),
        ready.status
    );
    ready.metadata.generation = Some(2);
    let edited = status(&ready, &unreachable, step, Timestamp::now());
    assert!(
        find(&edited, ConditionKind::Reconciling).is_some(),
        "an edit that could not be looked at is not reached"
    );
}

#[test]
fn the_same_news_twice_is_no_write() {
    let mut object = object(1);
    for step in steps() {
        let first = status(
            &object,
            &observation(Connection::Ready),
            step,
            Timestamp::UNIX_EPOCH,
        );
        object.status = Some(first.clone());
        assert_eq!(
            status(
                &object,
                &observation(Connection::Ready),
                step,
                Timestamp::now()
            ),
            first,
            "{step:?}"
        );
    }
}

#[test]
fn a_busy_server_does_not_hide_the_first_cause() {
    let failure = |reason: Reason, stalled| Failure {
        problem: crate::controller::problem::Problem {
            reason,
            message: reason.to_string(),
        },
        stalled,
    };
    let mut object = object(1);
    object.status = Some(failed(
        &object,
        &failure(Reason::InvalidConfiguration, true),
        Timestamp::UNIX_EPOCH,
    ));
    let later = failed(
        &object,
        &failure(Reason::RateLimited, false),
        Timestamp::now(),
    );
    assert_eq!(
        find(&later, ConditionKind::Ready).map(|ready| ready.reason.as_str()),
        Some("InvalidConfiguration")
    );
}

#[test]
fn a_call_that_is_over_is_kept_no_longer() {
    let mut object = object(1);
    let calls = serde_json::json!([{"serial": 1, "configurationId": "c1"}, {"serial": 2, "configurationId": "c1"}]);
    let lapsed = serde_json::from_value(calls).expect("they are calls");
    object.status.as_mut().expect("it has one").lapsed = lapsed;
    let mut observation = observation(Connection::Ready);
    observation.calls_over = vec![(1, String::new())];
    let step = Step::Done(Done::Running);
    let kept = status(&object, &observation, step, Timestamp::UNIX_EPOCH).lapsed;
    let serials: Vec<i64> = kept.iter().map(|call| call.serial).collect();
    assert_eq!(serials, [2]);
}

#[test]
fn whatever_is_held_back_is_told_as_what_would_be_done() {
    let mut told = HashSet::new();
    for situation in walk::situations() {
        let wish = next_step(&situation);
        for hand in [Hand::Observe, Hand::Paused] {
            let step = restrain(hand, &situation, true, wish);
            if step == wish || !told.insert((hand, wish, step)) {
                continue;
            }
            let observation = Observation {
                situation,
                ..observation(situation.connection)
            };
            let status = status(&object(1), &observation, step, Timestamp::UNIX_EPOCH);
            let next = status.next_step.clone().unwrap_or_default();
            let plan = next.strip_prefix("would ").unwrap_or_default();
            let plan = plan.split(", but waits").next().unwrap_or_default();
            assert!(plan.contains(' '), "{hand:?}, {wish:?}: {next}");
            let ready = find(&status, ConditionKind::Ready).expect("Ready is always told");
            assert!(ready.message.contains(plan), "{plan}: {}", ready.message);
            let reason = match step {
                Step::Done(Done::Observed) => "Observed",
                Step::Stall(Stall::Observing) => "Observing",
                _ => "Paused",
            };
            assert_eq!(ready.reason, reason, "{hand:?}, {wish:?}");
        }
    }
    let wishes: HashSet<Step> = told.iter().map(|(_, wish, _)| *wish).collect();
    for step in [Step::Stop, Step::Delete, Step::Create, Step::Take] {
        assert!(wishes.contains(&step), "{step:?} is never held back");
    }
}
