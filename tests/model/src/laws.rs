//! The laws of the design. Most are noticed at the very moment at which they are broken; the state then says which one it was.

use aicore_operator::lifecycle::situation::{Goal, Order, State as RemoteState, Target};
use stateright::Property;

use crate::cluster::{Configuration, Intent, Name, OBJECTS, Object, Uid};
use crate::ids::{Id, Ids};
use crate::model::Model;
use crate::protocol::Protocol;
use crate::remote::{Call, Creator, Deployment, Verb};
use crate::state::State;

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// 1: a delete was sent for what was seen RUNNING, PENDING or STOPPING.
    DeletedLive,
    /// 2: the finalizer came off while a deployment of the object existed.
    ReleasedEarly,
    /// 2: a create call had its effect after its object was gone.
    Leaked,
    /// 3: a create call was announced for an object that is being deleted.
    CreatedWhileDeleting,
    /// 3: a create call was sent that no intent announces, or without the finalizer.
    CreatedUnannounced,
    /// 3: a create call was sent twice for one intent.
    CreatedTwice,
    /// 3: a second deployment was made while the first still existed.
    Duplicated,
    /// 3: two objects record the same deployment.
    ClaimedTwice,
    /// 4: a call was sent with a lapsed Lease.
    SentWithoutLease,
    /// 4: a stop or delete was sent although the user has changed his mind.
    SentUnwanted,
    /// 5: a call was sent about a deployment that the object neither made nor adopted, or that another object holds.
    TouchedAnothers,
    /// A stop or delete was sent for an object that was protected when it was decided.
    TouchedProtected,
    /// A stop or delete was sent because everything is uninstalled.
    DeletedOnUninstall,
    /// 7: a call was repeated although no list was requested since.
    Repeated,
    /// 8: what was to serve until its successor does was stopped before.
    Unserved,
}

/// The laws, by what the design says of each.
pub(crate) fn properties() -> Vec<Property<Model>> {
    fn keeps(name: &'static str, holds: fn(&Model, &State) -> bool) -> Property<Model> {
        Property::always(name, holds)
    }
    vec![
        keeps(
            "1: never delete what is RUNNING, PENDING or STOPPING",
            |_, state| state.broken != Some(Law::DeletedLive),
        ),
        keeps(
            "2: never release while a deployment of the object may exist",
            |_, state| !matches!(state.broken, Some(Law::ReleasedEarly | Law::Leaked)),
        ),
        keeps("3: never create while deleting", |_, state| {
            state.broken != Some(Law::CreatedWhileDeleting)
        }),
        keeps(
            "3: never create without an announcement and the finalizer",
            |_, state| state.broken != Some(Law::CreatedUnannounced),
        ),
        keeps(
            "3: never create twice for one intent, nor while the first still exists",
            |_, state| !matches!(state.broken, Some(Law::CreatedTwice | Law::Duplicated)),
        ),
        keeps("3: never claim what another object claims", |_, state| {
            state.broken != Some(Law::ClaimedTwice)
        }),
        keeps("4: never send with a lapsed Lease", |_, state| {
            state.broken != Some(Law::SentWithoutLease)
        }),
        keeps("4: never send what nobody wants any more", |_, state| {
            state.broken != Some(Law::SentUnwanted)
        }),
        keeps(
            "5: never touch what is neither made nor adopted",
            |_, state| state.broken != Some(Law::TouchedAnothers),
        ),
        keeps(
            "5: never stop or delete what is protected, or because everything is uninstalled",
            |_, state| {
                !matches!(
                    state.broken,
                    Some(Law::TouchedProtected | Law::DeletedOnUninstall)
                )
            },
        ),
        keeps("6: a fair remote leads to the goal", |model, state| {
            state.broken.is_some() || model.unrest(state).is_none()
        }),
        keeps("7: never repeat a call before looking", |_, state| {
            state.broken != Some(Law::Repeated)
        }),
        keeps(
            "8: one serves all the while a deployment is replaced",
            |_, state| state.broken != Some(Law::Unserved),
        ),
    ]
}

/// The name of an object by its uid.
pub fn name_of(uid: Uid) -> Name {
    uid as usize % OBJECTS
}

impl State {
    /// Notes the first law that was broken.
    pub fn breaks(&mut self, law: Law) {
        self.broken.get_or_insert(law);
    }

    /// Whether nobody asks the object with this uid about a deployment: another object records it, or the user let it go.
    fn is_off_hand(&self, id: Id, but: Uid) -> bool {
        self.let_go.contains(id) || self.recorders(id).any(|other| other.uid != but)
    }

    /// Whether a deployment that the object with this uid made but never recorded is another's: a user has named it there, or it is as good as
    /// the result of another's open create call.
    fn is_as_good_as_anothers(&self, id: Id, but: Uid) -> bool {
        let named = self.named.iter().enumerate();
        let mut named = named.filter(|(name, _)| *name != name_of(but));
        let uses = |intent: &Intent| {
            self.deployments[id as usize]
                .is_some_and(|deployment| deployment.configuration == intent.configuration)
        };
        let others = self
            .objects
            .iter()
            .flatten()
            .filter(|other| other.uid != but);
        let mut open = others.filter_map(|other| other.status.intent);
        named.any(|(_, ids)| ids.contains(id))
            || open.any(|intent| uses(&intent) && !intent.known.contains(id))
    }

    /// Whether nobody can know whose a deployment was, because etcd is from an earlier time: it comes from a configuration that anybody may use,
    /// or AI Core is deleting it. It is counted as unclaimed.
    pub(crate) fn is_out_of_time(&self, deployment: &Deployment) -> bool {
        let shared = matches!(deployment.configuration, Configuration::Shared(_));
        self.restored && (shared || deployment.target == Target::Deleted)
    }

    /// Law 2: called when the finalizer of `object` has come off without the user's word.
    pub(crate) fn released(&mut self, object: &Object) {
        let own = self.existing().any(|(id, deployment)| {
            let made = matches!(deployment.creator, Creator::Intent(uid, _) if uid == object.uid)
                && !self.is_as_good_as_anothers(id, object.uid)
                && !self.is_out_of_time(deployment);
            (made || object.records(id)) && !self.is_off_hand(id, object.uid)
        });
        if own {
            self.breaks(Law::ReleasedEarly);
        }
    }

    /// Called when the finalizer of `object` has come off because the user said so.
    pub(crate) fn orphaned(&mut self, object: &Object) {
        self.let_go_uids.insert(object.uid);
        self.left_open |= object
            .status
            .intent
            .is_some_and(|intent| matches!(intent.configuration, Configuration::Shared(_)));
        // The result of a call that is still open looks like anybody's.
        let is_its_own = |id: Id, deployment: &Deployment| {
            let made = matches!(deployment.creator, Creator::Intent(uid, _) if uid == object.uid)
                && deployment.configuration.bears(name_of(object.uid));
            (made || object.records(id)) && !self.is_off_hand(id, object.uid)
        };
        let own: Ids = self
            .existing()
            .filter(|(id, deployment)| is_its_own(*id, deployment))
            .map(|(id, _)| id)
            .collect();
        self.let_go.extend(own.iter());
    }

    /// Called when a user has said which of several deployments is the result of the create call of `uid`: the others are not.
    pub(crate) fn chose(&mut self, uid: Uid) {
        let others: Vec<Id> = self
            .existing()
            .filter(|(_, deployment)| {
                matches!(deployment.creator, Creator::Intent(by, _) if by == uid)
                    && matches!(deployment.configuration, Configuration::Shared(_))
            })
            .map(|(id, _)| id)
            .filter(|id| self.recorders(*id).next().is_none())
            .collect();
        self.let_go.extend(others);
    }

    /// Whether the object with this uid records a deployment as one that has to go.
    fn retires(&self, id: Id, uid: Uid) -> bool {
        let object = self.objects[name_of(uid)].filter(|object| object.uid == uid);
        let retiring = object.map(|object| object.status.retiring);
        retiring.iter().flatten().flatten().any(|it| it.id == id)
    }

    /// Whether an object records a deployment as one that has to go.
    fn is_replaced(&self, id: Id) -> bool {
        let objects = self.objects.iter().flatten();
        objects
            .into_iter()
            .any(|object| self.retires(id, object.uid))
    }

    /// Law 8: called when the object has recorded that the deployment which was to serve until its successor does serves no more.
    pub(crate) fn lets_go(&mut self, object: &Object, id: Option<Id>) {
        let Some(id) = id else {
            return;
        };
        // What the user wished for in a time that etcd has forgotten may have ended it.
        let there = self.deployments[id as usize];
        let serves = there.is_some_and(|there| {
            there.state == RemoteState::Running && there.target == Target::Running
        });
        let ended = self.ended.contains(id) || self.restored && !serves;
        let ended = ended || self.another_serves(object, id);
        if object.goal() == Goal::Running && !ended {
            self.breaks(Law::Unserved);
        }
        self.replaced.remove(id);
    }

    /// Whether another deployment of the object runs, or would, had nobody else ended it.
    fn another_serves(&self, object: &Object, but: Id) -> bool {
        object.recorded_ids().filter(|id| *id != but).any(|id| {
            let there = self.deployments[id as usize];
            let runs =
                |it: Deployment| it.state == RemoteState::Running && it.target == Target::Running;
            there.is_some_and(runs) || self.ended.contains(id)
        })
    }

    /// Called when the create call of `uid` has its effect.
    pub(crate) fn creates(&mut self, uid: Uid, configuration: Configuration) {
        // Results of a shared configuration are interchangeable, so there must not be more of them than objects.
        let is_ours = |id: Id, creator: Creator| {
            let named = self.named.iter().any(|ids| ids.contains(id));
            let asked_for =
                matches!(creator, Creator::Intent(by, _) if !self.let_go_uids.contains(by));
            asked_for && !named && !self.let_go.contains(id)
        };
        let shared = matches!(configuration, Configuration::Shared(_));
        let again = if shared {
            let ours = self
                .existing()
                .filter(|(id, deployment)| is_ours(*id, deployment.creator))
                .filter(|(_, deployment)| deployment.target != Target::Deleted)
                .filter(|(id, _)| !self.is_replaced(*id))
                .filter(|(id, deployment)| {
                    // What etcd has forgotten is recognised by the configuration that the spec names.
                    deployment.configuration == configuration || !self.forgotten.contains(*id)
                });
            ours.count() >= self.objects.iter().flatten().count()
        } else {
            self.existing().any(|(id, deployment)| {
                matches!(deployment.creator, Creator::Intent(before, _) if before == uid)
                    && !self.is_off_hand(id, uid)
                    && !self.retires(id, uid)
                    && !self.is_as_good_as_anothers(id, uid)
                    && !self.is_out_of_time(deployment)
            })
        };
        let held =
            self.objects[name_of(uid)].is_some_and(|object| object.uid == uid && object.finalizer);
        // What is still to come of an object that the user let go is nobody's business.
        if self.let_go_uids.contains(uid) {
        } else if again {
            self.breaks(Law::Duplicated);
        } else if !held {
            self.breaks(Law::Leaked);
        }
    }
}

impl Protocol {
    /// Laws 3, 4, 5 and 7: called when a call is sent that was decided on this version of the object.
    pub(crate) fn sends(&self, state: &mut State, call: &Call, version: u8) {
        let object = state.objects[call.name].filter(|object| object.uid == call.uid);
        let Some(object) = object else {
            return;
        };
        match call.verb {
            Verb::Create(configuration, serial) => {
                let announced = object.status.intent.is_some_and(|intent| {
                    intent.serial == serial && intent.configuration == configuration
                });
                let posted = &mut state.posted[call.uid as usize];
                let again = *posted >= serial;
                *posted = serial;
                if again {
                    state.breaks(Law::CreatedTwice);
                } else if !announced || !object.finalizer {
                    state.breaks(Law::CreatedUnannounced);
                }
            }
            Verb::Stop(id) | Verb::Delete(id) | Verb::Change(id, _) => {
                let Some(deployment) = state.deployments[id as usize] else {
                    return;
                };
                let ours = match deployment.creator {
                    Creator::Stranger => false,
                    // Results of one configuration are interchangeable.
                    Creator::Intent(uid, _) => name_of(uid) == call.name || self.exclusive,
                };
                let adopted = object.spec.adopt == Some(id);
                let held =
                    !object.records(id) && state.recorders(id).any(|other| other.uid != object.uid);
                let left_alone = state.let_go.contains(id)
                    && matches!(deployment.configuration, Configuration::Shared(_));
                if ((!ours || left_alone) && !adopted) || held {
                    state.breaks(Law::TouchedAnothers);
                }
                let live = matches!(
                    call.shown,
                    Some(RemoteState::Running | RemoteState::Pending | RemoteState::Stopping)
                );
                if matches!(call.verb, Verb::Delete(_)) && live {
                    state.breaks(Law::DeletedLive);
                }
                let ends = !matches!(call.verb, Verb::Change(..));
                let knowingly = object.version == version;
                let served = state.replaced.contains(id)
                    && deployment.state == RemoteState::Running
                    && deployment.target == Target::Running
                    && object.goal() == Goal::Running;
                if ends && knowingly && served && !state.another_serves(&object, id) {
                    state.breaks(Law::Unserved);
                }
                if ends && knowingly && object.spec.order == Order::Hold {
                    state.breaks(Law::TouchedProtected);
                }
                if ends && knowingly && object.uninstalled && !object.status.deletion_begun {
                    state.breaks(Law::DeletedOnUninstall);
                }
            }
        }
    }

    /// Laws that can be seen at any moment.
    pub(crate) fn look_over(&self, state: &mut State) {
        let [Some(one), Some(other)] = state.objects else {
            return;
        };
        if state
            .existing()
            .any(|(id, _)| one.records(id) && other.records(id))
        {
            state.breaks(Law::ClaimedTwice);
        }
    }
}
