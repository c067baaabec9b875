//! What users and strangers do.

use aicore_operator::lifecycle::situation::{Order, State as RemoteState, Target};

use crate::action::Action;
use crate::cluster::{Configuration, Desired, Name, OBJECTS, Object, Source};
use crate::ids::Id;
use crate::model::Model;
use crate::remote::{Call, Creator, Deployment, Verb};
use crate::state::{Backup, State};

/// What the users may do.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// The desired states that they may ask for.
    pub desired: &'static [Desired],
    /// The configurations that they may ask for.
    pub sources: &'static [Source],
    /// Whether they may name deployments.
    pub adopt: bool,
    /// Whether they may say Orphan.
    pub orphan: bool,
    /// What they may order by annotation.
    pub orders: &'static [Order],
}

impl Wishes {
    /// They may change nothing.
    pub const NONE: Self = Self {
        desired: &[],
        sources: &[],
        adopt: false,
        orphan: false,
        orders: &[],
    };
}

impl Model {
    /// What users and strangers may do.
    pub(crate) fn of_others(&self, state: &State, actions: &mut Vec<Action>) {
        let budget = &state.budget;
        for name in 0..OBJECTS {
            match state.objects[name] {
                Some(object) => self.of_a_user(state, name, &object, actions),
                None if budget.applications > 0 && self.specs[name].is_some() => {
                    actions.push(Action::Apply(name));
                }
                None => {}
            }
        }
        if budget.uninstalls > 0 {
            actions.push(Action::Uninstall);
        }
        if budget.strangers > 0 {
            actions.push(Action::StrangerCreates);
        }
        if budget.hours > 0 {
            actions.push(Action::Hour);
        }
        if budget.copies > 0 {
            let copied = (0..OBJECTS).filter(|name| state.copied(*name).is_some());
            actions.extend(copied.map(Action::StrangerCopies));
        }
        for (id, deployment) in state.existing() {
            let runs =
                deployment.state == RemoteState::Running && deployment.target == Target::Running;
            if budget.meddling > 0 && runs {
                actions.push(Action::StrangerStops(id));
            }
            if budget.meddling > 0 && !deployment.is_live() {
                actions.push(Action::StrangerDeletes(id));
            }
            if budget.deaths > 0 && runs {
                actions.push(Action::Die(id));
            }
            if budget.expiries > 0 && runs {
                actions.push(Action::Expire(id));
            }
        }
        if budget.restores > 0 {
            of_time(state, actions);
        }
    }

    fn of_a_user(&self, state: &State, name: Name, object: &Object, actions: &mut Vec<Action>) {
        if state.uninstalling && !object.terminating {
            actions.push(Action::Sweep(name));
        }
        if state.budget.deletions > 0 && !object.terminating {
            actions.push(Action::DeleteObject(name));
        }
        if state.budget.edits == 0 {
            return;
        }
        let (wishes, spec) = (&self.wishes, &object.spec);
        let desired = wishes.desired.iter().filter(|it| **it != spec.desired);
        actions.extend(desired.map(|desired| Action::Desire(name, *desired)));
        let sources = wishes.sources.iter().filter(|it| **it != spec.source);
        actions.extend(sources.map(|source| Action::Configure(name, *source)));
        let orders = wishes.orders.iter().filter(|it| **it != spec.order);
        actions.extend(orders.map(|order| Action::Annotate(name, *order)));
        if wishes.adopt {
            let ids = state.existing().map(|(id, _)| id);
            let others = ids.filter(|id| spec.adopt != Some(*id));
            actions.extend(others.map(|id| Action::Adopt(name, id)));
        }
        if wishes.orphan && !spec.orphan {
            actions.push(Action::Orphan(name));
        }
    }

    /// One of these things happens.
    pub(crate) fn others(&self, state: &mut State, action: Action) {
        match action {
            Action::Desire(name, desired) => {
                state.edit(name, |object| object.spec.desired = desired);
            }
            Action::Configure(name, source) => {
                state.edit(name, |object| object.spec.source = source);
            }
            Action::Adopt(name, id) => {
                state.named[name].insert(id);
                state.edit(name, |object| object.spec.adopt = Some(id));
            }
            Action::Orphan(name) => state.edit(name, |object| object.spec.orphan = true),
            Action::Annotate(name, order) => state.edit(name, |object| object.spec.order = order),
            Action::DeleteObject(name) => state.edit(name, |object| object.terminating = true),
            Action::Apply(name) => self.apply_again(state, name),
            Action::Uninstall => state.uninstalling = true,
            Action::Sweep(name) => state.edit(name, |object| {
                object.terminating = true;
                object.uninstalled = true;
            }),
            Action::Save => {
                state.backup = Some(Box::new(Backup {
                    objects: state.objects,
                    next_id: state.next_id,
                }));
            }
            Action::Hour => state.age(),
            Action::Restore => state.restore(),
            Action::StrangerCreates => {
                state.create(Configuration::Shared(0), Creator::Stranger, true);
            }
            Action::StrangerCopies(name) => {
                if let Some(configuration) = state.copied(name) {
                    state.create(configuration, Creator::Stranger, true);
                }
            }
            Action::StrangerStops(id) => {
                state.ended.insert(id);
                state.alter(id, |it| it.target = Target::Stopped);
            }
            Action::StrangerDeletes(id) => state.deployments[id as usize] = None,
            Action::Die(id) => {
                state.ended.insert(id);
                state.alter(id, |it| it.state = RemoteState::Dead);
            }
            Action::Expire(id) => {
                state.expired.insert(id);
                state.ended.insert(id);
                state.alter(id, |it| {
                    it.expired = true;
                    it.target = Target::Stopped;
                });
            }
            _ => {}
        }
    }

    /// A user applies an object again, which gets a uid that was never used.
    fn apply_again(&self, state: &mut State, name: Name) {
        let uid = (state.next_uid as usize).div_ceil(OBJECTS) * OBJECTS + name;
        state.next_uid = uid as u8 + 1;
        let born = state.next_id;
        state.objects[name] = self.specs[name].map(|spec| Object::new(uid as u8, born, spec));
    }
}

/// A backup of etcd is made once, of objects that are held, and is restored while the operator does nothing. A stop or a delete may be on its
/// way then.
fn of_time(state: &State, actions: &mut Vec<Action>) {
    let mut objects = state.objects.iter().flatten();
    let creating = |call: &Call| matches!(call.verb, Verb::Create(..));
    let at_rest = !state.calls.iter().any(creating) && state.leader.is_idle();
    match &state.backup {
        None if objects.all(|object| object.finalizer) => actions.push(Action::Save),
        Some(_) if at_rest => actions.push(Action::Restore),
        _ => {}
    }
}

impl State {
    /// The configuration that somebody can copy from an object whose deployment runs. All its create calls are too old by then.
    fn copied(&self, name: Name) -> Option<Configuration> {
        let object = self.objects[name]?;
        let deployment = self.deployments[object.recorded_id()? as usize]?;
        let runs = deployment.state == RemoteState::Running && deployment.target == Target::Running;
        let mut lapsed = object.status.lapsed.iter().flatten();
        let too_old = lapsed.all(|call| call.until.is_some());
        (runs && too_old).then_some(deployment.configuration)
    }

    /// No create call that was announced by now can have its effect later.
    fn age(&mut self) {
        let next_id = self.next_id;
        for object in self.objects.iter_mut().flatten() {
            let status = &mut object.status;
            let calls = status.intent.iter_mut();
            for call in calls.chain(status.lapsed.iter_mut().flatten()) {
                call.until.get_or_insert(next_id);
            }
        }
    }

    fn alter(&mut self, id: Id, change: impl FnOnce(&mut Deployment)) {
        if let Some(deployment) = &mut self.deployments[id as usize] {
            change(deployment);
        }
    }
}
