//! Removing what the run has made: stop, wait, delete, wait for the proof. It does not end because somebody is in a hurry.

use tokio::time::{Instant, sleep};

use super::course::{Duty, duty};
use super::session::Session;
use crate::aicore::{Deployment, Error};

/// A call that has had no visible effect is sent again after so many looks.
const LOOKS_PER_CALL: u32 = 10;
/// So many looks in a row must find nothing.
const PROOFS: u32 = 2;

impl Session<'_> {
    /// Removes every deployment that this run has certainly made. What is left stands in the ledger.
    pub(super) async fn remove_everything(&self) {
        for id in self.ledger.deployments() {
            match self.remove(&id).await {
                Ok(()) => self.ledger.gone(&id),
                Err(state) => self.tell(&format!("{id} could not be removed: {state}")),
            }
        }
    }

    /// Removes one. The error is the state in which it stayed.
    async fn remove(&self, id: &str) -> Result<(), String> {
        let mut state = String::new();
        let mut since = Instant::now();
        let mut was_seen = self.was_seen(id);
        let mut failure = String::new();
        let (mut proofs, mut sent_in, mut looks) = (0, None, 0);
        loop {
            let now = match self.find(id).await {
                Ok(Some(deployment)) => {
                    (was_seen, proofs) = (true, 0);
                    let now = state_of(&deployment);
                    looks += 1;
                    if sent_in.as_ref() != Some(&now) || looks > LOOKS_PER_CALL {
                        (sent_in, looks) = (Some(now.clone()), 0);
                        self.carry_out(id, duty(&deployment)).await;
                    }
                    now
                }
                // A new deployment may be missing for a while: what was never seen is not known to be gone.
                Ok(None) if was_seen => {
                    proofs += 1;
                    if proofs >= PROOFS {
                        return Ok(());
                    }
                    "not there".to_owned()
                }
                Ok(None) => "not there, and has never been seen".to_owned(),
                Err(error) => {
                    proofs = 0;
                    failure = error.to_string();
                    // Its text may have a request id in it, so that it is never the same twice.
                    format!("not known ({:?})", error.reason())
                }
            };
            if now != state {
                (state, since) = (now, Instant::now());
            }
            if since.elapsed() >= self.plan.wait {
                return Err(format!("{state} {failure}").trim_end().to_owned());
            }
            sleep(self.plan.poll).await;
        }
    }

    /// The deployment; none only when neither its id nor a complete list finds it.
    async fn find(&self, id: &str) -> Result<Option<Deployment>, Error> {
        match self.client.get_deployment(&self.plan.group, id).await {
            Err(Error::NotFound(_)) => {}
            found => return found.map(Some),
        }
        let list = self.client.list_deployments(&self.plan.group).await?;
        Ok(list.deployments.into_iter().find(|it| it.id == id))
    }

    async fn carry_out(&self, id: &str, duty: Duty) {
        let group = &self.plan.group;
        let (what, outcome) = match duty {
            Duty::Wait => return,
            Duty::Stop => ("stop", self.client.stop_deployment(group, id).await),
            Duty::Delete => ("delete", self.client.delete_deployment(group, id).await),
        };
        // Whatever the answer is, the next look decides.
        match outcome {
            Ok(()) => self.tell(&format!("cleaning up: {what} {id}")),
            Err(error) => self.tell(&format!("cleaning up: {what} {id}: {error}")),
        }
    }

    fn was_seen(&self, id: &str) -> bool {
        let mut lives = self.lives.iter();
        lives.any(|life| life.id.as_deref() == Some(id) && life.shown().next().is_some())
    }
}

fn state_of(deployment: &Deployment) -> String {
    let target = deployment
        .target_status
        .as_ref()
        .map_or("", |it| it.as_str());
    format!("{}, target {target}", deployment.status)
}
