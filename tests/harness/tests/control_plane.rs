//! The control plane itself: it behaves like a cluster where tests rely on it, and it leaves nothing behind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use harness::control_plane::{ControlPlane, Revisions};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::{await_condition, conditions::is_deleted};
use kube::{Api, Client, Config, ResourceExt as _};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// The slowest of what is awaited here is the namespace controller, which rests for 5 s between its attempts.
const LIMIT: Duration = Duration::from_secs(20);

const TEST_PROGRAM: &str = env!("CARGO_BIN_EXE_control-plane");

#[tokio::test]
async fn a_deleted_namespace_and_its_objects_are_gone_within_20_seconds() {
    let client = ControlPlane::shared().await.admin_client();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = create_namespace(&client).await;
    let name = namespace.name_any();
    let config_maps: Api<ConfigMap> = Api::namespaced(client, &name);
    config_maps
        .create(&PostParams::default(), &config_map("content", None))
        .await
        .expect("the namespace is there");

    namespaces
        .delete(&name, &DeleteParams::default())
        .await
        .expect("an administrator may delete it");

    let uid = namespace.uid().expect("the server gave it a uid");
    let gone = await_condition(namespaces, &name, is_deleted(&uid));
    timeout(LIMIT, gone)
        .await
        .expect("the namespace controller runs")
        .expect("the watch works");
    assert!(
        config_maps
            .get_opt("content")
            .await
            .expect("an administrator may look")
            .is_none()
    );
}

#[tokio::test]
async fn an_object_goes_with_its_owner() {
    let client = ControlPlane::shared().await.admin_client();
    let namespace = create_namespace(&client).await.name_any();
    let config_maps: Api<ConfigMap> = Api::namespaced(client, &namespace);
    let owner = config_maps
        .create(&PostParams::default(), &config_map("owner", None))
        .await
        .expect("the owner");
    let owned = config_map("owned", Some(&owner));
    let owned = config_maps
        .create(&PostParams::default(), &owned)
        .await
        .expect("the owned object");

    config_maps
        .delete("owner", &DeleteParams::default())
        .await
        .expect("the owner can be deleted");

    let uid = owned.uid().expect("the server gave it a uid");
    let gone = await_condition(config_maps, "owned", is_deleted(&uid));
    timeout(LIMIT, gone)
        .await
        .expect("the garbage collector runs")
        .expect("the watch works");
}

#[tokio::test]
async fn etcd_restored_from_a_backup_has_what_it_had_then_and_its_revisions_go_on_from_there_or_far_beyond()
 {
    let control_plane = ControlPlane::start_with_answers().await;
    let control_plane = control_plane.unwrap_or_else(|error| panic!("{}", error.with_causes()));
    let config_maps: Api<ConfigMap> = Api::namespaced(control_plane.admin_client(), "kube-system");
    let create = async |name| {
        config_maps
            .create(&PostParams::default(), &config_map(name, None))
            .await
            .expect("the namespace is there");
    };
    let revision = async || -> u64 {
        let list = config_maps.list(&ListParams::default().limit(1)).await;
        let version = list
            .expect("the API server answers")
            .metadata
            .resource_version;
        let version = version.and_then(|version| version.parse().ok());
        version.expect("it is a revision of etcd")
    };
    create("before").await;
    let backup = control_plane.back_up().await.expect("etcd runs");
    for (revisions, rises) in [(Revisions::SetBack, false), (Revisions::MovedOn, true)] {
        create("after").await;
        let last = revision().await;
        control_plane
            .set_back(&backup, revisions)
            .await
            .expect("everything starts again");
        let present = async |name| {
            config_maps
                .get_opt(name)
                .await
                .expect("it answers")
                .is_some()
        };
        assert!(present("before").await, "{revisions:?}");
        assert!(!present("after").await, "{revisions:?}");
        // Everything that starts writes something, so a few revisions tell nothing.
        let far_beyond = revision().await > last + 1_000_000;
        assert_eq!(far_beyond, rises, "{revisions:?}");
    }
}

#[tokio::test]
async fn a_service_account_may_do_what_its_role_says_and_nothing_else_and_all_of_it_is_logged() {
    let control_plane = ControlPlane::shared().await;
    let administrator = control_plane.admin_client();
    let namespace = create_namespace(&administrator).await.name_any();
    create_reader(&administrator, &namespace).await;
    let kubeconfig = control_plane
        .kubeconfig_for_service_account(&namespace, "reader")
        .await
        .expect("a token");
    let reader = client_of(kubeconfig).await;

    let config_maps: Api<ConfigMap> = Api::namespaced(reader.clone(), &namespace);
    let secrets: Api<Secret> = Api::namespaced(reader, &namespace);
    allowed_soon(&config_maps).await;
    let refused = secrets
        .list(&ListParams::default())
        .await
        .expect_err("the role does not name secrets");
    assert!(
        matches!(&refused, kube::Error::Api(status) if status.code == 403),
        "{refused}"
    );

    let user = format!("system:serviceaccount:{namespace}:reader");
    until("the refused list is in the audit log", async || {
        control_plane
            .audit_entries()
            .expect("the log can be read")
            .iter()
            .any(|entry| {
                entry.user == user
                    && entry.verb == "list"
                    && entry.resource == "secrets"
                    && entry.code == 403
            })
    })
    .await;
    let entries = control_plane.audit_entries().expect("the log can be read");
    let created = |resource: &str| {
        entries.iter().any(|entry| {
            entry.user == "administrator"
                && entry.verb == "create"
                && entry.resource == resource
                && entry.namespace == namespace
                && entry.code == 201
        })
    };
    assert!(
        created("roles") && created("rolebindings"),
        "writes by others are logged as well"
    );
}

#[tokio::test]
async fn kubectl_speaks_to_the_control_plane_as_administrator() {
    let control_plane = ControlPlane::shared().await;
    let output = control_plane
        .kubectl()
        .args(["auth", "whoami", "-o", "json"])
        .output()
        .await
        .expect("kubectl runs");
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("kubectl prints JSON");
    assert_eq!(answer["status"]["userInfo"]["username"], "administrator");
}

#[tokio::test]
async fn data_survive_a_restart_of_the_api_server_and_nothing_survives_a_stop() {
    let control_plane = ControlPlane::start()
        .await
        .expect("a second control plane runs beside the shared one");
    let before = control_plane.process_ids().await;
    let namespace = create_namespace(&control_plane.admin_client()).await;

    control_plane
        .restart_api_server()
        .await
        .expect("it starts again");

    let after = control_plane.process_ids().await;
    assert_eq!(
        (before[0], before[2]),
        (after[0], after[2]),
        "only the API server is a new process"
    );
    assert_ne!(before[1], after[1]);
    let namespaces: Api<Namespace> = Api::all(control_plane.admin_client());
    assert_eq!(
        namespaces
            .get(&namespace.name_any())
            .await
            .expect("it is still there")
            .uid(),
        namespace.uid()
    );

    let folder = control_plane.data_dir().to_owned();
    control_plane
        .stop()
        .await
        .expect("the folder can be removed");
    assert!(!folder.exists());
    assert!(!after.iter().any(is_running));
}

#[tokio::test]
async fn a_test_process_that_is_killed_leaves_no_process_and_no_folder() {
    let mut test_process = Command::new(TEST_PROGRAM)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program is built with this test");
    let mut lines =
        BufReader::new(test_process.stdout.take().expect("its output is piped")).lines();
    let mut line_after = async |prefix: &str| {
        let line = lines
            .next_line()
            .await
            .expect("its output is text")
            .expect("it says what it has started");
        line.strip_prefix(prefix)
            .expect("the lines have an order")
            .to_owned()
    };
    let pids: Vec<u32> =
        serde_json::from_str(&line_after("processes ").await).expect("a list of numbers");
    let folder = PathBuf::from(line_after("folder ").await);
    assert_eq!(
        pids.len(),
        3,
        "etcd, the API server and the controller manager"
    );
    assert!(pids.iter().all(is_running) && folder.is_dir());

    test_process.kill().await.expect("it can be killed");

    until("its processes are gone", async || {
        !pids.iter().any(is_running)
    })
    .await;
    until("its folder is gone", async || !folder.exists()).await;
}

async fn create_namespace(client: &Client) -> Namespace {
    let namespace = Namespace {
        metadata: ObjectMeta {
            generate_name: Some("control-plane-".to_owned()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .expect("an administrator may do this")
}

fn config_map(name: &str, owner: Option<&ConfigMap>) -> ConfigMap {
    let owner = owner.map(|owner| OwnerReference {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        name: owner.name_any(),
        uid: owner.uid().expect("the server gave it a uid"),
        ..OwnerReference::default()
    });
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("key".to_owned(), "value".to_owned())])),
        ..ConfigMap::default()
    }
}

/// A service account that may list config maps.
async fn create_reader(administrator: &Client, namespace: &str) {
    let metadata = json!({"name": "reader"});
    let account: ServiceAccount = from_json(json!({"metadata": metadata}));
    let role: Role = from_json(json!({
        "metadata": metadata,
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
    }));
    let binding: RoleBinding = from_json(json!({
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}],
    }));
    let parameters = PostParams::default();
    let client = || administrator.clone();
    Api::namespaced(client(), namespace)
        .create(&parameters, &account)
        .await
        .expect("the service account");
    Api::namespaced(client(), namespace)
        .create(&parameters, &role)
        .await
        .expect("the role");
    Api::namespaced(client(), namespace)
        .create(&parameters, &binding)
        .await
        .expect("the binding");
}

fn from_json<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).expect("the literal has the fields of its type")
}

async fn client_of(kubeconfig: PathBuf) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("it was written by the harness");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("it is complete")).expect("it is valid")
}

/// The authorizer learns of a new binding from a watch, so the first requests may still be refused.
async fn allowed_soon(config_maps: &Api<ConfigMap>) {
    until("the role allows to list config maps", async || {
        config_maps.list(&ListParams::default()).await.is_ok()
    })
    .await;
}

/// A process that has ended and waits for its parent to notice has no command line any more.
fn is_running(pid: &u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command_line| !command_line.is_empty())
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let repeated = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, repeated)
        .await
        .unwrap_or_else(|_| panic!("not within {LIMIT:?}: {what}"));
}
