//! Several that take one Lease of the real API server, within one process: of two that write the same version, one is refused.

use std::time::Duration;

use aicore_operator::lease::{Election, Leadership, LeaseOptions, Lost};
use harness::control_plane::ControlPlane;
use harness::patience::until;
use harness::scene::LIMIT;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Config, ResourceExt as _};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Where the Leases of these tests are.
const NAMESPACE: &str = "default";

/// How long they last.
const LEASE: Duration = Duration::from_secs(5);

/// One that takes part in an election.
struct Candidate {
    leadership: Leadership,
    work_has_ended: CancellationToken,
    outcome: JoinHandle<Result<(), Lost>>,
}

impl Candidate {
    /// Stands for election as soon as this task waits for something.
    fn stand(config: &Config, name: &str) -> Self {
        let leadership = Leadership::default();
        let options = LeaseOptions {
            name: name.to_owned(),
            duration: LEASE,
        };
        let election = Election::new(
            config.clone(),
            NAMESPACE,
            options,
            leadership.clone(),
            false,
        );
        let election = election.expect("a client can be made");
        let work_has_ended = CancellationToken::new();
        Self {
            leadership,
            outcome: tokio::spawn(election.run(work_has_ended.clone())),
            work_has_ended,
        }
    }

    /// Ends in order.
    async fn end(self) {
        self.work_has_ended.cancel();
        let outcome = self.outcome.await.expect("it does not panic");
        assert_eq!(outcome, Ok(()));
        assert!(!self.leadership.is_held());
    }
}

async fn administrator(control_plane: &ControlPlane) -> Config {
    let kubeconfig = Kubeconfig::read_from(control_plane.admin_kubeconfig());
    let kubeconfig = kubeconfig.expect("the administrator has one");
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let mut config = config.expect("it leads to the API server");
    // A proxy of the environment is no way to the loopback interface.
    config.proxy_url = None;
    config
}

/// Makes a Lease that nobody holds, so that everybody finds the same version of it. Returns its name.
async fn free_lease(leases: &Api<Lease>) -> String {
    let lease = json!({
        "metadata": {"generateName": "election-"},
        "spec": {"leaseDurationSeconds": LEASE.as_secs()},
    });
    let lease: Lease = serde_json::from_value(lease).expect("it is a Lease");
    let made = leases.create(&PostParams::default(), &lease).await;
    made.expect("an administrator may make it").name_any()
}

async fn holder(leases: &Api<Lease>, name: &str) -> Option<String> {
    let lease = leases.get(name).await.expect("an administrator may look");
    lease.spec.and_then(|spec| spec.holder_identity)
}

/// Waits until one of the candidates leads, and returns which.
async fn leader_of(candidates: &[Candidate]) -> usize {
    until("a leader", async || {
        let mut all = candidates.iter();
        let leader = all.position(|one| one.leadership.is_held());
        leader.ok_or_else(|| "nobody leads".to_owned())
    })
    .await
}

/// How many writes of a Lease the API server has answered with this status.
fn answered(control_plane: &ControlPlane, name: &str, code: u16) -> usize {
    let entries = control_plane.audit_entries();
    let entries = entries.expect("the control plane is one of the tests' own");
    let answered = entries
        .iter()
        .filter(|entry| entry.resource == "leases" && entry.name == name)
        .filter(|entry| entry.verb == "update" && entry.code == code);
    answered.count()
}

/// Waits until a Lease was renewed so many more times.
async fn until_renewed(control_plane: &ControlPlane, name: &str, times: usize) {
    let before = answered(control_plane, name, 200);
    until("a renewal", async || {
        let renewals = answered(control_plane, name, 200) - before;
        let enough = (renewals >= times).then_some(());
        enough.ok_or_else(|| format!("{renewals} of {times}"))
    })
    .await;
}

#[tokio::test]
async fn of_several_that_take_a_lease_at_once_one_leads_and_whoever_is_refused_stands_by() {
    let control_plane = ControlPlane::shared().await;
    let config = administrator(control_plane).await;
    let leases: Api<Lease> = Api::namespaced(control_plane.admin_client(), NAMESPACE);
    let mut refused = 0;
    // Whether two meet is chance, and nearly certain each time.
    for _ in 0..10 {
        let name = free_lease(&leases).await;
        let mut candidates: Vec<Candidate> =
            (0..8).map(|_| Candidate::stand(&config, &name)).collect();
        let leader = leader_of(&candidates).await;
        // It is renewed five times in its duration, in which everybody has looked, and looked again.
        until_renewed(control_plane, &name, 5).await;
        for (number, candidate) in candidates.iter().enumerate() {
            let leads = candidate.leadership.is_held();
            assert_eq!(leads, number == leader, "candidate {number}, not {leader}");
            assert!(!candidate.outcome.is_finished(), "{number} has ended");
        }
        refused += answered(control_plane, &name, 409);
        candidates.remove(leader).end().await;
        leader_of(&candidates).await;
        for candidate in candidates {
            candidate.end().await;
        }
        assert_eq!(holder(&leases, &name).await, None);
        if refused > 0 {
            break;
        }
    }
    println!("{refused} writes of an old version were refused");
    assert!(refused > 0, "no two ever met");
}

/// A candidate that leads, and the name of its Lease.
async fn leading(config: &Config, leases: &Api<Lease>) -> (Candidate, String) {
    let name = free_lease(leases).await;
    let candidate = Candidate::stand(config, &name);
    leader_of(std::slice::from_ref(&candidate)).await;
    (candidate, name)
}

/// Changes a Lease behind the back of its holder.
async fn change(leases: &Api<Lease>, name: &str, fields: Value) -> Lease {
    let (parameters, patch) = (PatchParams::default(), Patch::Merge(fields));
    let changed = leases.patch(name, &parameters, &patch).await;
    changed.expect("an administrator may change it")
}

#[tokio::test]
async fn a_renewal_of_an_old_version_changes_nothing_of_what_another_holder_has_written() {
    let control_plane = ControlPlane::shared().await;
    let config = administrator(control_plane).await;
    let leases: Api<Lease> = Api::namespaced(control_plane.admin_client(), NAMESPACE);
    let (candidate, name) = leading(&config, &leases).await;
    let taken = change(
        &leases,
        &name,
        json!({"spec": {"holderIdentity": "another"}}),
    )
    .await;
    let outcome = tokio::time::timeout(LIMIT, candidate.outcome).await;
    let outcome = outcome.expect("it ends").expect("it does not panic");
    let lost = Lost::Taken {
        lease: format!("{NAMESPACE}/{name}"),
        holder: "another".to_owned(),
    };
    assert_eq!(outcome, Err(lost));
    assert!(!candidate.leadership.is_held());
    let found = leases.get(&name).await.expect("an administrator may look");
    assert_eq!(found.resource_version(), taken.resource_version());
}

#[tokio::test]
async fn a_renewal_of_a_version_that_somebody_has_only_labelled_is_made_again() {
    let control_plane = ControlPlane::shared().await;
    let config = administrator(control_plane).await;
    let leases: Api<Lease> = Api::namespaced(control_plane.admin_client(), NAMESPACE);
    let (candidate, name) = leading(&config, &leases).await;
    let labels = json!({"metadata": {"labels": {"team": "a"}}});
    let labelled = change(&leases, &name, labels).await;
    let renewed = until("a renewal", async || {
        let found = leases.get(&name).await.expect("an administrator may look");
        let is_new = found.resource_version() != labelled.resource_version();
        is_new.then_some(found).ok_or_else(String::new)
    })
    .await;
    assert_eq!(renewed.labels(), labelled.labels());
    assert!(answered(control_plane, &name, 409) > 0);
    assert!(candidate.leadership.is_held());
    candidate.end().await;
}
