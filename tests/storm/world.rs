//! Everything that the storm rages in: a control plane of its own, an AI Core, and what is there before it begins.

use std::time::Duration;

use aicore_emulator::{BulkUpdates, Settings};
use harness::control_plane::ControlPlane;
use harness::emulated::{Emulated, TENANT};
use harness::manifests::exclusive_connection;
use harness::operator::Operator;
use harness::proxy::Proxy;
use harness::scene::{Setting, condition, connection, secret};
use serde_json::json;

use crate::kubernetes::Kubernetes;
use crate::objects::{EXCLUSIVE, GROUPS, Ground, NAMESPACES, PLAIN, Plan, SHARED, Source};
use crate::tally::Tally;

/// How many deployments strangers have made from each shared configuration, and how many from others, in each group.
const STRANGERS: usize = 3;

/// How long the Connections may take to be ready.
const LIMIT: Duration = Duration::from_secs(60);

/// The program under test.
const OPERATOR: &str = env!("CARGO_BIN_EXE_aicore-operator");

/// Everything but the operator.
pub struct World {
    /// The Kubernetes control plane.
    pub control_plane: ControlPlane,
    /// AI Core.
    pub ai_core: Emulated,
    /// Kubernetes as its users see it.
    pub kubernetes: Kubernetes,
    /// The operator's way to the API server.
    pub proxy: Proxy,
    /// What each object finds in AI Core, in the order of the objects.
    pub ground: Vec<Ground>,
    /// The shared configuration of each group.
    pub shared: [String; GROUPS.len()],
    /// What users did.
    pub deeds: Tally,
    /// What went wrong, besides the faults of AI Core, which its own log counts.
    pub trouble: Tally,
}

impl World {
    /// Makes everything that is there before the storm, and starts the operator with these environment variables.
    pub async fn begin(objects: &[Plan], variables: &[(String, String)]) -> (Self, Operator) {
        let control_plane = match ControlPlane::start_with_answers().await {
            Ok(control_plane) => control_plane,
            Err(error) => panic!("{}", error.with_causes()),
        };
        let settings = Settings {
            bulk_updates: BulkUpdates::Present,
            fresh_not_found_ms: 300,
            ..Settings::fast()
        };
        let ai_core = Emulated::start(settings.clone()).await;
        let proxy = Proxy::to(&control_plane.server()).await;
        let setting = Setting {
            variables,
            api_server: Some(proxy.url()),
            ..Setting::of(OPERATOR)
        };
        let operator = Operator::start_everywhere(&control_plane, &setting).await;
        let shared = [
            ai_core.add_configuration(GROUPS[0]).await,
            ai_core.add_configuration(GROUPS[1]).await,
        ];
        let world = Self {
            kubernetes: Kubernetes::new(control_plane.admin_client()),
            ground: ground(&ai_core, &shared, objects).await,
            control_plane,
            ai_core,
            proxy,
            shared,
            deeds: Tally::default(),
            trouble: Tally::default(),
        };
        world.settle_strangers().await;
        for namespace in NAMESPACES {
            world.connect(namespace).await;
        }
        (world, operator)
    }

    /// The shared configuration of a group.
    pub fn shared_of(&self, group: &str) -> Option<&str> {
        let place = GROUPS.iter().position(|other| *other == group)?;
        Some(&self.shared[place])
    }

    /// Somebody else's deployments.
    async fn settle_strangers(&self) {
        for (group, shared) in GROUPS.iter().zip(&self.shared) {
            let own = self.ai_core.add_configuration(group).await;
            for _ in 0..STRANGERS {
                self.ai_core.add_deployment(group, shared).await;
                self.ai_core.add_deployment(group, &own).await;
            }
        }
    }

    /// A namespace with its Connections: two share a Secret.
    async fn connect(&self, namespace: &str) {
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        self.kubernetes.apply(namespace, &object).await;
        let key = self.ai_core.service_key(TENANT).await.to_string();
        for name in ["key", "other-key"] {
            self.kubernetes
                .apply(namespace, &secret(name, &json!({"key": key})))
                .await;
        }
        let connections = [
            connection(PLAIN, "key"),
            exclusive_connection(EXCLUSIVE, "key"),
            connection(SHARED, "other-key"),
        ];
        for connection in &connections {
            self.kubernetes.apply(namespace, connection).await;
        }
        let started = std::time::Instant::now();
        for name in [PLAIN, EXCLUSIVE, SHARED] {
            while !self.is_ready(namespace, name).await {
                assert!(
                    started.elapsed() < LIMIT,
                    "Connection {name} is not ready before the storm"
                );
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    async fn is_ready(&self, namespace: &str, connection: &str) -> bool {
        let found = self
            .kubernetes
            .get("Connection", namespace, connection)
            .await;
        found.is_some_and(|found| condition(&found, "Ready")["status"] == "True")
    }
}

/// Makes what the objects name: the existing configurations, and the deployments to adopt, each from a configuration of its own.
async fn ground(ai_core: &Emulated, shared: &[String], objects: &[Plan]) -> Vec<Ground> {
    let mut exclusive = Vec::new();
    for group in GROUPS {
        exclusive.push([
            ai_core.add_configuration(group).await,
            ai_core.add_configuration(group).await,
        ]);
    }
    let mut ground = Vec::new();
    for plan in objects {
        ground.push(match plan.source {
            Source::Inline => Ground::default(),
            Source::Exclusive(number) => Ground {
                configuration: Some(exclusive[plan.group][number].clone()),
                deployment: None,
            },
            Source::Shared => Ground {
                configuration: Some(shared[plan.group].clone()),
                deployment: None,
            },
            Source::Adopted => {
                let configuration = ai_core.add_configuration(plan.group()).await;
                let deployment = ai_core.add_deployment(plan.group(), &configuration).await;
                Ground {
                    configuration: Some(configuration),
                    deployment: Some(deployment),
                }
            }
        });
    }
    ground
}
