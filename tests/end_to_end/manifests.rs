//! What the tests begin with, and the objects that they apply.

use harness::scene::{Scene, Setting};

pub use harness::manifests::{
    adoption, configuration, configuration_of, deployment, deployment_from, deployment_that_ends,
    make_exclusive, wish, with,
};

/// The program under test.
pub const OPERATOR: &str = env!("CARGO_BIN_EXE_aicore-operator");

/// A scene where everything is fast and the Connection is ready.
pub async fn scene() -> Scene {
    Scene::start(Setting::of(OPERATOR)).await
}
