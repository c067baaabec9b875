//! What is to be done for a step, as `src/controller/deployment.rs` and `src/controller/tell/report.rs` do it.

use aicore_operator::lifecycle::situation::Goal;
use aicore_operator::lifecycle::step::Done;
use aicore_operator::lifecycle::{Step, retiring_step};

use crate::cluster::{Configuration, Intent, Name, Object, Recorded, Source, Status, Wanted};
use crate::ids::Ids;
use crate::mutant::Mutant;
use crate::observe::{Observation, Retiring, recorded};
use crate::process::{Plan, Stage};
use crate::protocol::Protocol;
use crate::remote::Who;
use crate::state::State;

impl Protocol {
    /// What the leader would do next with an object, where there is anything to do.
    pub fn decide(&self, state: &State, name: Name) -> Option<Plan> {
        if state.leader.memories[name].plan.is_some() {
            return None;
        }
        let observation = self.observe(state, Who::Leader, name)?;
        let step = self.next_step(&observation.situation);
        plan(&observation, step, name).or_else(|| retire(&observation, step))
    }

    /// Whether the next effect of a plan is a write to Kubernetes.
    pub fn writes_next(&self, plan: &Plan) -> bool {
        match plan.stage {
            Stage::Send | Stage::Wait => false,
            Stage::Tell | Stage::Keep(_) | Stage::Close => true,
            Stage::Act => match plan.step {
                Step::ChangeConfiguration => false,
                Step::Stop => !self.has(Mutant::StopUnrecorded),
                Step::Delete => !self.has(Mutant::DeleteUnrecorded),
                Step::Create | Step::Replace => !self.has(Mutant::PostBeforeIntent),
                _ => true,
            },
        }
    }
}

/// What is to be done for a step, or nothing where there is nothing to do or to tell.
fn plan(observation: &Observation, step: Step, name: Name) -> Option<Plan> {
    let object = &observation.object;
    let about_a_candidate = matches!(step, Step::Take | Step::Retire);
    let id = if about_a_candidate {
        Some(observation.candidates.iter().next()?)
    } else {
        object.recorded_id()
    };
    let told = told(observation, step);
    let news = told != object.status;
    if is_rest(step) && !news {
        return None;
    }
    Some(Plan {
        step,
        stage: if news { Stage::Tell } else { Stage::Act },
        uid: object.uid,
        generation: object.generation,
        version: object.version,
        retiring: false,
        id,
        shown: observation.remote.map(|remote| remote.state),
        told,
        intent: configuration(object, step, name).map(|configuration| Intent {
            serial: 0,
            configuration,
            known: Ids::default(),
            until: None,
        }),
    })
}

/// The configuration that a step is about.
fn configuration(object: &Object, step: Step, name: Name) -> Option<Configuration> {
    let wanted = match step {
        Step::Create | Step::Replace => object.configuration_to_create(name),
        Step::ChangeConfiguration => object.wanted(name),
        Step::PrepareConfiguration => {
            let Source::Inline(content) = object.spec.source else {
                return None;
            };
            return Some(Configuration::Inline(name, content));
        }
        _ => return None,
    };
    match wanted {
        Wanted::Configuration(configuration) => Some(configuration),
        Wanted::Nothing | Wanted::Unprepared => None,
    }
}

/// What is to be done about a deployment that is retiring, while the recorded one needs nothing.
fn retire(observation: &Observation, step: Step) -> Option<Plan> {
    let retiring = observation.retiring.filter(|_| is_rest(step))?;
    let step = retiring_step(
        &observation.situation,
        retiring.claim,
        retiring.seen,
        retiring.serves,
    );
    if !matches!(step, Step::Stop | Step::Delete | Step::Forget) {
        return None;
    }
    let object = &observation.object;
    Some(Plan {
        step,
        stage: Stage::Act,
        uid: object.uid,
        generation: object.generation,
        version: object.version,
        retiring: true,
        id: Some(retiring.id),
        shown: retiring.remote.map(|remote| remote.state),
        told: object.status,
        intent: None,
    })
}

/// The status before a step is taken.
fn told(observation: &Observation, step: Step) -> Status {
    let mut status = observation.object.status;
    let silent = matches!(
        step,
        Step::AddFinalizer | Step::Release(_) | Step::Done(Done::Released)
    );
    if silent {
        return status;
    }
    if let Some((id, remote)) = observation.object.recorded_id().zip(observation.remote) {
        status.deployment = Some(recorded(id, &remote));
    }
    if let Some(Retiring {
        id,
        remote: Some(remote),
        ..
    }) = &observation.retiring
    {
        let mut retiring = status.retiring.iter_mut().flatten();
        if let Some(record) = retiring.find(|it| it.id == *id) {
            *record = Recorded {
                serves: record.serves,
                ..recorded(*id, remote)
            };
        }
    }
    for call in &mut status.lapsed {
        *call = call.filter(|call| !observation.calls_over.contains(call.serial));
    }
    // The oldest comes first.
    status.lapsed.sort_by_key(Option::is_none);
    if step == Step::Done(Done::Running) && observation.stop_is_over {
        status.stop_sent_for = None;
    }
    if matches!(step, Step::Stop | Step::Delete) && observation.situation.goal == Goal::Released {
        status.deletion_begun = true;
    }
    status
}

/// Whether a step changes nothing.
pub fn is_rest(step: Step) -> bool {
    matches!(step, Step::Done(_) | Step::Wait(_) | Step::Stall(_))
}
