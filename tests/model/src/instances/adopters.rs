//! Objects that name a deployment which exists already.

use super::*;

/// Two objects that adopt the same deployment.
pub fn two_adopters() -> Model {
    let adopting = Spec::running(Source::Nothing).adopting(0);
    Model {
        budget: Budget {
            crashes: 1,
            deletions: 2,
            edits: 1,
            lost_writes: 1,
            ..Budget::NONE
        },
        wishes: Wishes {
            desired: ANY_STATE,
            ..Wishes::NONE
        },
        strangers: 1,
        stalls: &[Stall::Claimed, Stall::NeverSeen],
        ..Model::new("two adopters", [Some(adopting), Some(adopting)])
    }
}

/// An object that names the deployment of another one.
pub fn an_adopter_of_anothers() -> Model {
    let adopting = Spec::running(Source::Nothing).adopting(0);
    Model {
        budget: Budget {
            crashes: 1,
            deletions: 2,
            ..Budget::NONE
        },
        stalls: &[
            Stall::Claimed,
            Stall::NeverSeen,
            Stall::DeploymentMissing,
            Stall::NoConfiguration,
        ],
        ..Model::new("an adopter of another's", [Some(INLINE), Some(adopting)])
    }
}
