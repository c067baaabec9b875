//! Deployments that have to go although they are not the recorded one.

use aicore_operator::lifecycle::Step;
use aicore_operator::lifecycle::situation::Goal;

use super::{Worker, Written};
use crate::cluster::Recorded;
use crate::mutant::Mutant;
use crate::process::Stage;

impl Worker<'_> {
    /// Records one more deployment that has to go.
    pub(super) fn retire(&mut self) {
        if let Some(id) = self.plan.id.filter(|id| self.reserve(*id)) {
            let written = self.write(|object| {
                object.status.retires(Recorded::unseen(id));
            });
            if written != Written::Failed {
                self.memory().reserved = None;
            }
        }
        self.end();
    }

    /// Does what comes next about a deployment that is retiring.
    pub(super) fn go_on_retiring(&mut self) {
        if self.plan.step == Step::Forget {
            let gone = self.plan.id;
            let written = self.write(|object| {
                let gone = gone.and_then(|id| object.status.retires_no_more(id));
                object.status.previous.extend(gone.map(|gone| gone.id));
            });
            if written == Written::Done {
                self.forget_all_about(self.plan.id);
            }
            return self.end();
        }
        let Some(object) = self.state.view(self.who, self.name) else {
            return self.end();
        };
        let mut announced = object.status;
        announced.deletion_begun |= object.goal() == Goal::Released;
        let mut retiring = announced.retiring.iter_mut().flatten();
        let ended = retiring.find(|it| Some(it.id) == self.plan.id);
        if let Some(ended) = ended.filter(|_| !self.has(Mutant::FormerStopUnrecorded)) {
            ended.serves = false;
        }
        if announced == object.status {
            return self.send();
        }
        let written = self.write(|object| object.status = announced);
        if written == Written::Done && object.predecessor() == self.plan.id {
            self.state.lets_go(&object, self.plan.id);
        }
        self.then(written, Stage::Send);
    }
}
