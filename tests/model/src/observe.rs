//! From a state to the [`Situation`] of one object, as `src/controller/observe` does it: the same questions in the same order.

use aicore_operator::lifecycle::Situation;
use aicore_operator::lifecycle::evidence::{Missing, Past, Settling};
use aicore_operator::lifecycle::situation::{
    Claim, Connection, Ending, Fit, Goal, Look, Order, Others, Preparation, Present, Proof, Record,
    Remote, Replacement, Resolution, Source, State as RemoteState, Target, Uninstall,
};

use crate::cluster::{Name, Object, Recorded, Seen, Wanted};
use crate::ids::{Id, Ids};
use crate::mutant::Mutant;
use crate::process::Memory;
use crate::protocol::Protocol;
use crate::remote::{Listed, Who};
use crate::state::State;

/// What is known of an object.
#[derive(Clone, Debug)]
pub struct Observation {
    /// In the words of the rules.
    pub situation: Situation,
    /// The object that was looked at.
    pub object: Object,
    /// The recorded deployment as AI Core shows it.
    pub remote: Option<Listed>,
    /// Deployments that are or may be this object's.
    pub candidates: Ids,
    /// The deployment that has to go next besides the recorded one.
    pub retiring: Option<Retiring>,
    /// Whether a stop that was recorded can have no effect any more.
    pub stop_is_over: bool,
    /// The serial numbers of the calls that were given up and of which nothing can come any more.
    pub calls_over: Ids,
    /// What is remembered of looking.
    pub memory: Memory,
}

/// A deployment that has to go besides the recorded one.
#[derive(Clone, Copy, Debug)]
pub struct Retiring {
    /// Its id.
    pub id: Id,
    /// Who holds it.
    pub claim: Claim,
    /// In the words of the rules.
    pub seen: Remote,
    /// Whether it serves until the recorded deployment does.
    pub serves: bool,
    /// As AI Core shows it.
    pub remote: Option<Listed>,
}

/// The eyes of one process on one object.
pub(crate) struct Observer<'a> {
    pub(crate) protocol: &'a Protocol,
    pub(crate) state: &'a State,
    pub(crate) who: Who,
    pub(crate) name: Name,
    pub(crate) object: Object,
    pub(crate) memory: Memory,
    pub(crate) candidates: Ids,
}

impl Protocol {
    /// Looks at everything that the next step of an object depends on; nothing, where the process knows of no such object.
    pub fn observe(&self, state: &State, who: Who, name: Name) -> Option<Observation> {
        let observer = Observer {
            protocol: self,
            state,
            who,
            name,
            object: state.view(who, name)?,
            memory: *state.memory(who, name),
            candidates: Ids::default(),
        };
        Some(observer.look_at_everything())
    }
}

impl Observer<'_> {
    fn look_at_everything(mut self) -> Observation {
        let mut situation = self.unasked();
        let (mut remote, mut retiring) = (None, None);
        if self.may_ask(&situation) {
            situation.connection = self.state.connection;
            if situation.connection == Connection::Ready {
                (situation.record, remote) = self.record(situation.goal);
                retiring = self.retiring();
                let (unrecorded, others) = self.unrecorded(situation.goal, &situation.record);
                if let Some(others) = others {
                    situation.others = others;
                } else if self.serving().is_some() {
                    situation.others = Others::Serving;
                }
                if matches!(situation.record, Record::Deployment { .. }) {
                    self.candidates = unrecorded;
                }
            }
        }
        let calls_over = match situation.connection {
            Connection::Ready if self.may_ask(&situation) => self.calls_over(),
            _ => Ids::default(),
        };
        let stop = self.object.status.stop_sent_for;
        self.memory.stop = stop.map(|id| match self.memory.stop {
            Some((known, ticks)) if known == id => (id, ticks),
            _ => (id, 0),
        });
        Observation {
            situation,
            object: self.object,
            stop_is_over: self.stop_settling() == Settling::Over,
            calls_over,
            remote,
            candidates: self.candidates,
            retiring,
            memory: self.memory,
        }
    }

    /// How far a stop that is recorded has settled.
    fn stop_settling(&self) -> Settling {
        let settle = self.protocol.timing.settle();
        let going = self.memory.stop.is_some_and(|(_, ticks)| ticks < settle);
        if going && !self.protocol.has(Mutant::StopForgottenEarly) {
            Settling::Going
        } else if self.memory.stop_unsettled && !self.protocol.has(Mutant::StopForgottenUnseen) {
            Settling::Unseen
        } else {
            Settling::Over
        }
    }

    /// What is known when AI Core was not asked.
    fn unasked(&self) -> Situation {
        let goal = self.object.goal();
        let begun = self.object.status.deletion_begun;
        let status = &self.object.status;
        let record = if status.deployment.is_some() {
            Record::Deployment {
                claim: Claim::Ours,
                remote: Remote::Unobserved,
            }
        } else if status.intent.is_some() {
            Record::Intent(Resolution::Pending)
        } else {
            Record::Nothing {
                source: self.source(),
                look: Look::Pending,
            }
        };
        Situation {
            goal,
            finalizer: self.object.finalizer || self.protocol.has(Mutant::CreateWithoutFinalizer),
            order: self.object.spec.order,
            uninstall: if goal.is_terminating() && !begun && self.state.uninstalling {
                Uninstall::Yes
            } else {
                Uninstall::No
            },
            connection: Connection::Ready,
            record,
            others: if self.object.status.retiring[0].is_some() {
                Others::Retiring
            } else {
                Others::None
            },
            recreate: self.object.spec.recreate,
        }
    }

    /// Whether anything is asked, before the object goes or while it is not held yet.
    fn may_ask(&self, situation: &Situation) -> bool {
        let forced = situation.goal.is_terminating() && situation.order == Order::LetGo;
        let orphaned = situation.goal == Goal::Orphaned
            && situation.order != Order::Hold
            && !matches!(situation.record, Record::Intent(_));
        situation.finalizer && !forced && !orphaned && situation.uninstall == Uninstall::No
    }

    fn record(&mut self, goal: Goal) -> (Record, Option<Listed>) {
        let status = self.object.status;
        if let Some(recorded) = status.deployment {
            let claim = self.claim(recorded.id);
            let (remote, listed) = self.recorded(recorded);
            return (Record::Deployment { claim, remote }, listed);
        }
        if let Some(intent) = status.intent {
            return (Record::Intent(self.resolution(&intent)), None);
        }
        let look = self.look(goal);
        let source = self.source();
        (Record::Nothing { source, look }, None)
    }

    fn retiring(&mut self) -> Option<Retiring> {
        let serving = self.serving();
        let all = self.object.status.retiring.into_iter().flatten();
        let first = all.min_by_key(|it| serving == Some(it.id))?;
        let (seen, remote) = self.recorded(first);
        Some(Retiring {
            id: first.id,
            claim: self.claim(first.id),
            seen,
            serves: serving == Some(first.id) && !self.is_let_go_early(),
            remote,
        })
    }

    fn is_let_go_early(&self) -> bool {
        let created = self.object.recorded_id().is_some();
        self.protocol.has(Mutant::FormerNotHeld)
            || created && self.protocol.has(Mutant::FormerHeldUntilCreated)
    }

    /// The deployment that serves until the recorded one does, as far as is known.
    fn serving(&self) -> Option<Id> {
        let id = self.object.predecessor()?;
        let listed = self.state.list(self.who)[id as usize];
        let lives = listed.is_some_and(|listed| {
            matches!(listed.state, RemoteState::Running | RemoteState::Pending)
                && listed.target == Target::Running
        });
        (lives || self.is_outdated()).then_some(id)
    }

    fn claim(&self, id: Id) -> Claim {
        if self.holder(id).is_none_or(|holder| holder == self.name) {
            Claim::Ours
        } else {
            Claim::Another
        }
    }

    fn source(&self) -> Source {
        if self.object.adopts().is_some() {
            return Source::Adopt;
        }
        Source::Create(match self.object.configuration_to_create(self.name) {
            Wanted::Nothing => Preparation::NoConfiguration,
            Wanted::Unprepared => Preparation::ConfigurationMissing,
            Wanted::Configuration(_) => Preparation::Complete,
        })
    }

    /// Whether there is no list yet that was requested after our last remote write.
    pub(crate) fn is_outdated(&self) -> bool {
        self.memory.outdated && !self.protocol.has(Mutant::OldListsCount)
    }

    /// What AI Core says of a recorded deployment.
    fn recorded(&mut self, recorded: Recorded) -> (Remote, Option<Listed>) {
        let id = recorded.id;
        if self.is_outdated() {
            return (Remote::Unobserved, None);
        }
        if let Some(listed) = self.state.list(self.who)[id as usize] {
            self.memory.missing[id as usize] = None;
            self.memory.gone.remove(id);
            return (self.present(id, &listed), Some(listed));
        }
        match self.prove_absence(recorded) {
            Err(there) => (self.present(id, &there), Some(there)),
            Ok(proof) => {
                let ending = self.ending(recorded);
                (Remote::Absent { proof, ending }, None)
            }
        }
    }

    fn present(&self, id: Id, listed: &Listed) -> Remote {
        Remote::Present(Present {
            state: listed.state,
            target: listed.target,
            configuration: match self.object.wanted(self.name) {
                Wanted::Nothing => Fit::Wanted,
                Wanted::Unprepared => Fit::Unprepared,
                Wanted::Configuration(wanted) if wanted == listed.configuration => Fit::Wanted,
                Wanted::Configuration(wanted)
                    if wanted.program() == listed.configuration.program() =>
                {
                    Fit::Other
                }
                Wanted::Configuration(_) if self.object.spec.create_first => {
                    Fit::Foreign(Replacement::CreateFirst)
                }
                Wanted::Configuration(_) => Fit::Foreign(Replacement::DeleteFirst),
            },
            stop_sent: self.object.status.stop_sent_for == Some(id),
            expired: listed.expired,
            overdue: false,
        })
    }

    /// Whether a deployment that the list lacks is proven to be gone; or the deployment, where it answers all the same.
    fn prove_absence(&mut self, recorded: Recorded) -> Result<Proof, Listed> {
        let id = recorded.id;
        if self.memory.gone.contains(id) {
            return Ok(Proof::Gone);
        }
        let missing_for = *self.memory.missing[id as usize].get_or_insert(0);
        let missing = Missing {
            delete_accepted: self.memory.accepted.contains(id) || recorded.deleting,
            for_long: missing_for >= self.protocol.timing.create_grace()
                || self.protocol.has(Mutant::NotFoundIsProofAtOnce),
            ever_seen: recorded.seen != Seen::Never,
        };
        if !missing.is_worth_asking() {
            return Ok(Proof::None);
        }
        let answer = self.state.deployments[id as usize].and_then(|there| there.get());
        if let Some(there) = answer.filter(|_| !self.protocol.has(Mutant::ListIsProof)) {
            return Err(there);
        }
        let proof = missing.proof();
        if proof == Proof::Gone {
            self.memory.gone.insert(id);
        }
        Ok(proof)
    }

    fn ending(&self, recorded: Recorded) -> Ending {
        let id = recorded.id;
        let past = Past {
            ended_by_us: self.object.status.stop_sent_for == Some(id),
            delete_accepted: self.memory.accepted.contains(id),
            expired: recorded.seen != Seen::Never && self.state.expired.contains(id),
            inactive: recorded.seen == Seen::Inactive,
        };
        past.ending()
    }
}

/// How a deployment is recorded that AI Core shows like this.
pub fn recorded(id: Id, listed: &Listed) -> Recorded {
    let inactive = matches!(
        listed.state,
        RemoteState::Stopped | RemoteState::Dead | RemoteState::Completed
    );
    Recorded {
        id,
        seen: if inactive {
            Seen::Inactive
        } else {
            Seen::Active
        },
        deleting: listed.target == Target::Deleted,
        configuration: Some(listed.configuration),
        serves: false,
    }
}
