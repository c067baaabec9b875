//! Deployments that have to go although they are not the recorded one.

use aicore_operator::lifecycle::Step;
use aicore_operator::lifecycle::situation::Goal;

use super::{Worker, Written, pushed};
use crate::cluster::Recorded;
use crate::process::Stage;

impl Worker<'_> {
    /// Records one more deployment that has to go.
    pub(super) fn retire(&mut self) {
        if let Some(id) = self.plan.id.filter(|id| self.reserve(*id)) {
            let written = self.write(|object| {
                let retiring = &mut object.status.retiring;
                *retiring = pushed(*retiring, Some(Recorded::unseen(id)));
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
            let written = self.write(|object| {
                let [first, second] = object.status.retiring;
                object.status.retiring = [second, None];
                object.status.previous.extend(first.map(|gone| gone.id));
            });
            if written == Written::Done {
                self.forget_all_about(self.plan.id);
            }
            return self.end();
        }
        let object = self.state.view(self.who, self.name);
        let begins = object
            .is_some_and(|object| object.goal() == Goal::Released && !object.status.deletion_begun);
        if !begins {
            return self.send();
        }
        let written = self.write(|object| object.status.deletion_begun = true);
        self.then(written, Stage::Send);
    }
}
