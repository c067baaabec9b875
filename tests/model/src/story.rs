//! States and actions in few words, for whoever has to understand how a law was broken.

use std::fmt;

use crate::cluster::Object;
use crate::process::Process;
use crate::state::State;

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, object) in self.objects.iter().enumerate() {
            if let Some(object) = object {
                write!(formatter, "o{name} ")?;
                tell(formatter, object)?;
                write!(formatter, "; ")?;
            }
        }
        for (id, deployment) in self.existing() {
            write!(
                formatter,
                "d{id} {:?}/{:?} {:?} by {:?} {:?}; ",
                deployment.state,
                deployment.target,
                deployment.configuration,
                deployment.creator,
                deployment.listing
            )?;
        }
        for call in &self.calls {
            write!(
                formatter,
                "call of o{} {:?} answer {:?}; ",
                call.name, call.verb, call.answer
            )?;
        }
        plans(formatter, "leader", &self.leader)?;
        if let Some(former) = &self.former {
            plans(formatter, "former", former)?;
        }
        Ok(())
    }
}

fn tell(formatter: &mut fmt::Formatter<'_>, object: &Object) -> fmt::Result {
    write!(formatter, "{:?}", object.goal())?;
    if !object.finalizer {
        write!(formatter, " unheld")?;
    }
    let status = &object.status;
    if let Some(recorded) = status.deployment {
        write!(formatter, " has d{} {:?}", recorded.id, recorded.seen)?;
    }
    if let Some(intent) = status.intent {
        write!(
            formatter,
            " intends {} knowing {:?}",
            intent.serial, intent.known
        )?;
    }
    for retiring in status.retiring.iter().flatten() {
        write!(formatter, " retires d{}", retiring.id)?;
    }
    for lapsed in status.lapsed.iter().flatten() {
        write!(formatter, " gave up {}", lapsed.serial)?;
    }
    if let Some(id) = status.stop_sent_for {
        write!(formatter, " stops d{id}")?;
    }
    Ok(())
}

fn plans(formatter: &mut fmt::Formatter<'_>, who: &str, process: &Process) -> fmt::Result {
    for (name, memory) in process.memories.iter().enumerate() {
        if let Some(plan) = memory.plan {
            write!(
                formatter,
                "{who}: o{name} {:?} {:?}; ",
                plan.step, plan.stage
            )?;
        }
    }
    Ok(())
}
