//! Two namespaces, of which one owns a Connection and the other may want to use it, and an operator that looks at both.

use std::ops::{Deref, DerefMut};

use harness::scene::{CONNECTION, Scene, Setting};
use serde_json::{Value, json};

use crate::OPERATOR;
use crate::{Turn, scene_alone};

/// Another resource group of the same tenant.
pub const OTHER_GROUP: &str = "team-b";

/// The scene is about the neighbour of the Connection's owner, except where a test enters the owner's namespace.
pub struct Neighbours {
    scene: Scene,
    /// The namespace of the Connection.
    pub owner: String,
    /// The other namespace. It has the label `team: a`.
    pub neighbour: String,
}

impl Neighbours {
    /// The Connection grants this access.
    pub async fn with(access: Value) -> (Turn, Self) {
        Self::start(access, false).await
    }

    /// The same, and the test takes rights from the operator.
    pub async fn with_an_operator_that_may_lack_rights(access: Value) -> (Turn, Self) {
        Self::start(access, true).await
    }

    async fn start(access: Value, may_lack_rights: bool) -> (Turn, Self) {
        let setting = Setting {
            everywhere: true,
            may_lack_rights,
            ..Setting::of(OPERATOR)
        };
        let (turn, mut scene) = scene_alone(setting).await;
        scene.ai_core.add_group(OTHER_GROUP).await;
        let owner = scene.namespace.clone();
        let neighbour = scene.found(json!({"team": "a"})).await;
        scene.enter(&neighbour);
        let mut neighbours = Self {
            scene,
            owner,
            neighbour,
        };
        neighbours.grant(access).await;
        (turn, neighbours)
    }

    /// The scene is about the neighbour again.
    pub fn enter_neighbour(&mut self) {
        let neighbour = self.neighbour.clone();
        self.enter(&neighbour);
    }

    /// The owner changes whom the Connection grants access, and the operator has seen it.
    pub async fn grant(&mut self, access: Value) {
        let place = self.namespace.clone();
        let owner = self.owner.clone();
        self.enter(&owner);
        let change = json!({"spec": {"access": access}});
        self.change("Connection", CONNECTION, change).await;
        self.until_reason("Connection", CONNECTION, "Connected")
            .await;
        self.enter(&place);
    }

    /// Ends the test; see [`Scene::finish`].
    pub async fn finish(self, creations: usize) {
        self.scene.finish(creations).await;
    }
}

impl Deref for Neighbours {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}

impl DerefMut for Neighbours {
    fn deref_mut(&mut self) -> &mut Scene {
        &mut self.scene
    }
}

/// Access for every namespace of team a to these groups.
pub fn access(groups: &[&str]) -> Value {
    json!([{"namespaceSelector": {"matchLabels": {"team": "a"}}, "resourceGroups": groups}])
}

/// The same Deployment, through the Connection of the owner.
pub fn elsewhere(scene: &Neighbours, object: Value) -> Value {
    elsewhere_in(&scene.owner, object)
}

/// The same Deployment, through the Connection of another namespace.
pub fn elsewhere_in(namespace: &str, mut object: Value) -> Value {
    object["spec"]["connectionRef"] = json!({"name": CONNECTION, "namespace": namespace});
    object
}
