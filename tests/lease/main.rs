//! The Lease by which one of several processes works, each test on a real control plane: how it goes from one to another, that nobody writes
//! without it, and what becomes of open calls when its name changes.

mod election;
mod handover;
mod history;
mod leadership;
mod names;

use harness::operator::Operator;
use harness::scene::{Scene, Setting};

/// The program under test.
const OPERATOR: &str = env!("CARGO_BIN_EXE_aicore-operator");

/// What a process says when it begins to lead, and when it finds that somebody else does.
const LEADING: &str = "leading lease=";
const STANDING_BY: &str = "standing by";

/// A scene whose operator leads, and another process that stands by.
async fn two(setting: Setting<'static>) -> (Scene, Operator) {
    let scene = Scene::start(setting.clone()).await;
    scene.operator.says(LEADING).await;
    let other = Operator::start_beside(scene.control_plane(), &scene.namespace, &setting).await;
    other.says(STANDING_BY).await;
    (scene, other)
}
