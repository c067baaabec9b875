//! Taking the Lease, renewing it and letting it go.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::{Api, Client, Config};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::clock::Moment;
use super::leadership::Leadership;
use super::record::Fate;
use super::standing::{Look, Standing};
use super::{LeaseOptions, gaps, record};

/// How many renewals fit into the duration of a Lease.
const RENEWALS: u32 = 5;

/// This part of the duration is left unused: what is written ends before somebody else may begin.
const MARGIN: u32 = 10;

/// The longest time from one look at somebody else's Lease to the next, so that a handover is quick.
const LONGEST_LOOK: Duration = Duration::from_millis(500);

/// How often letting the Lease go is tried.
const FAREWELLS: u32 = 3;

/// Why a process must not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The Lease ran out, and somebody else has taken it.
    #[error(
        "the Lease {lease} is held by {holder} now, because it was not renewed in time; start this process again to stand by"
    )]
    Taken {
        /// Namespace and name.
        lease: String,
        /// Who holds it.
        holder: String,
    },
    /// The Lease is gone.
    #[error(
        "the Lease {0} is gone, which nobody should delete; start this process again to make a new one"
    )]
    Gone(String),
    /// The cluster's store shows an older state than before.
    #[error(
        "the cluster's store was set back, probably restored from a backup, so nothing that was remembered counts any more; start this process again"
    )]
    SetBack,
}

/// The part that one process has in the election of a leader.
pub struct Election {
    api: Api<Lease>,
    options: LeaseOptions,
    /// Namespace and name of the Lease.
    lease: String,
    /// Who this process is: no other one has ever had this name.
    identity: String,
    leadership: Leadership,
    /// Whether a Lease that does not exist must have been lost.
    has_worked_before: bool,
}

/// Why a look or a write did not succeed.
#[derive(Debug)]
enum Setback {
    /// It is tried again.
    Failed(kube::Error),
    /// There is nothing more to try.
    Lost(Lost),
}

impl From<kube::Error> for Setback {
    fn from(error: kube::Error) -> Self {
        Self::Failed(error)
    }
}

impl Election {
    /// Prepares to stand for election. `has_worked_before` says whether an operator has left its marks in the cluster already: then a Lease
    /// that does not exist was lost, and its holder may still be at work.
    ///
    /// # Errors
    ///
    /// When no client can be made from the configuration.
    pub fn new(
        mut config: Config,
        namespace: &str,
        options: LeaseOptions,
        leadership: Leadership,
        has_worked_before: bool,
    ) -> Result<Self, kube::Error> {
        // A renewal that is late is worth nothing: the next one is a new request. The connection is not shared with anybody.
        config.default_retry = false;
        let client = Client::try_from(config)?;
        let host = std::env::var("HOSTNAME").ok();
        let host = host.filter(|name| !name.is_empty());
        Ok(Self {
            api: Api::namespaced(client, namespace),
            lease: format!("{namespace}/{}", options.name),
            options,
            identity: format!(
                "{}_{:016x}",
                host.as_deref().unwrap_or("aicore-operator"),
                rand::random::<u64>()
            ),
            leadership,
            has_worked_before,
        })
    }

    /// Stands by until the Lease can be taken, and then renews it until `work_has_ended`, whereupon it is let go.
    ///
    /// While a renewal fails, [`Leadership`] ends by the clock, and begins again with the next renewal that succeeds.
    ///
    /// # Errors
    ///
    /// When the process must end: see [`Lost`]. It does not lead any more then.
    pub async fn run(self, work_has_ended: CancellationToken) -> Result<(), Lost> {
        let outcome = match self.stand_by(&work_has_ended).await {
            Ok(Some(lease)) => self.lead(lease, &work_has_ended).await,
            Ok(None) => Ok(()),
            Err(lost) => Err(lost),
        };
        self.leadership.end();
        if let Err(lost) = &outcome {
            error!(lease = self.lease, %lost, "leading is over");
        }
        outcome
    }

    async fn stand_by(&self, ended: &CancellationToken) -> Result<Option<Lease>, Lost> {
        let every = (self.options.duration / RENEWALS).min(LONGEST_LOOK);
        let mut looks = interval_at(Instant::now(), every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut standing = Standing::default();
        loop {
            tokio::select! {
                biased;
                () = ended.cancelled() => return Ok(None),
                _ = looks.tick() => {}
            }
            match self.look(&mut standing).await {
                Ok(None) => {}
                Ok(Some(lease)) => return Ok(Some(lease)),
                Err(Setback::Lost(lost)) => return Err(lost),
                // Somebody else was quicker.
                Err(Setback::Failed(kube::Error::Api(status))) if status.code == 409 => {}
                Err(Setback::Failed(error)) => {
                    warn!(lease = self.lease, %error, "the Lease cannot be looked at");
                }
            }
        }
    }

    /// Looks at the Lease, and takes it if it is free.
    async fn look(&self, standing: &mut Standing) -> Result<Option<Lease>, Setback> {
        let found = match self.within(self.api.get_opt(&self.options.name)).await? {
            Some(found) => found,
            None if standing.has_seen() => {
                return Err(Setback::Lost(Lost::Gone(self.lease.clone())));
            }
            None => {
                let options = &self.options;
                let new = record::new(&options.name, options.duration, self.has_worked_before);
                self.within(self.api.create(&PostParams::default(), &new))
                    .await?
            }
        };
        let (me, duration) = (&self.identity, self.options.duration);
        match standing.look(&found, me, duration, Instant::now()) {
            Look::Older => Err(Setback::Lost(Lost::SetBack)),
            Look::Free => Ok(Some(self.take(&found).await?)),
            Look::Held { is_news } => {
                if is_news {
                    let holder = record::holder(&found);
                    info!(lease = self.lease, holder, "standing by");
                }
                Ok(None)
            }
        }
    }

    async fn take(&self, found: &Lease) -> Result<Lease, Setback> {
        let duration = self.options.duration;
        let (renewed, now) = (record::renew_time(found), jiff::Timestamp::now());
        let gaps = gaps::after(record::gaps(found), renewed, now, duration);
        let taken = record::taken(found, &self.identity, duration, &gaps);
        let asked = self.leadership.now();
        let lease = self.write(&taken).await?;
        info!(
            lease = self.lease,
            holder = self.identity,
            gaps = gaps.len(),
            "leading"
        );
        self.leadership.remember(gaps);
        self.note_renewal(asked);
        Ok(lease)
    }

    async fn lead(&self, mut lease: Lease, ended: &CancellationToken) -> Result<(), Lost> {
        let every = self.options.duration / RENEWALS;
        let mut renewals = interval_at(Instant::now() + every, every);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = ended.cancelled() => break,
                _ = renewals.tick() => {}
            }
            match self.renew(&mut lease).await {
                Ok(()) => {}
                Err(Setback::Lost(lost)) => return Err(lost),
                Err(Setback::Failed(error)) => {
                    let held = self.leadership.is_held();
                    warn!(lease = self.lease, held, %error, "the Lease cannot be renewed; it is tried again");
                }
            }
        }
        self.let_go(lease).await
    }

    async fn renew(&self, lease: &mut Lease) -> Result<(), Setback> {
        let asked = self.leadership.now();
        let was_held = self.leadership.is_held();
        match self.write(&record::renewed(lease)).await {
            Ok(renewed) => *lease = renewed,
            Err(error) if is_conflict(&error) => {
                // Where it is still ours, the next renewal starts from what there is now.
                return self.read_again(lease).await;
            }
            Err(error) => return Err(error.into()),
        }
        self.note_renewal(asked);
        if !was_held {
            info!(lease = self.lease, holder = self.identity, "leading again");
        }
        Ok(())
    }

    /// Finds out why the Lease is not what this process wrote last. It may be after all: the answer to a renewal may have been lost, and
    /// somebody may have put a label on it.
    async fn read_again(&self, lease: &mut Lease) -> Result<(), Setback> {
        let found = self.within(self.api.get_opt(&self.options.name)).await?;
        let found = found.ok_or_else(|| Setback::Lost(Lost::Gone(self.lease.clone())))?;
        let lost = match record::fate(lease, &found, &self.identity) {
            Fate::Ours => None,
            Fate::Older => Some(Lost::SetBack),
            Fate::Taken(holder) => Some(Lost::Taken {
                lease: self.lease.clone(),
                holder,
            }),
        };
        if let Some(lost) = lost {
            return Err(Setback::Lost(lost));
        }
        *lease = found;
        Ok(())
    }

    /// Lets somebody else begin at once. If that fails, they begin when the Lease has run out.
    async fn let_go(&self, mut lease: Lease) -> Result<(), Lost> {
        self.leadership.end();
        for _ in 0..FAREWELLS {
            let error = match self.write(&record::released(&lease)).await {
                Ok(_) => {
                    info!(lease = self.lease, "the Lease is let go");
                    return Ok(());
                }
                Err(error) => error,
            };
            warn!(lease = self.lease, %error, "the Lease cannot be let go");
            match self.read_again(&mut lease).await {
                Err(Setback::Lost(lost)) => return Err(lost),
                Ok(()) | Err(Setback::Failed(_)) => {}
            }
        }
        Ok(())
    }

    fn note_renewal(&self, asked: Moment) {
        let duration = self.options.duration;
        self.leadership.renew(asked, duration - duration / MARGIN);
    }

    async fn write(&self, lease: &Lease) -> Result<Lease, kube::Error> {
        let parameters = PostParams::default();
        let written = self.api.replace(&self.options.name, &parameters, lease);
        self.within(written).await
    }

    /// A request gets as long as there is from one renewal to the next.
    async fn within<T>(
        &self,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, kube::Error> {
        match timeout(self.options.duration / RENEWALS, request).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(kube::Error::Service(elapsed.into())),
        }
    }
}

/// Whether the Lease is not what it was thought to be.
fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}
