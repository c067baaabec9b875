//! Backups of etcd that are restored, and hours that pass.

use super::*;

/// One object, and an etcd that is restored from a backup.
pub fn time_travel() -> Model {
    Model {
        budget: Budget {
            restores: 1,
            edits: 2,
            deletions: 1,
            lost_calls: 1,
            ..Budget::NONE
        },
        wishes: Wishes {
            desired: &[Desired::Running, Desired::Stopped],
            ..Wishes::NONE
        },
        // What cannot be known any more is for a person to say.
        stalls: &[
            Stall::Ambiguous,
            Stall::DeploymentMissing,
            Stall::NeverSeen,
            Stall::StoppedElsewhere,
        ],
        ..Model::new("time travel", [Some(INLINE), None])
    }
}

/// The same with a configuration from which nobody else creates.
pub fn time_travel_of_a_sharer() -> Model {
    let mut model = Model {
        title: "time travel of a sharer",
        specs: [Some(SHARED), None],
        budget: Budget {
            restores: 1,
            ..ONE_CRASH
        },
        ..time_travel()
    };
    model.protocol.exclusive = true;
    model
}

/// One object, and an etcd that is restored from a backup from before its deployment was replaced.
pub fn time_travel_of_a_replacement() -> Model {
    Model {
        title: "time travel of a replacement",
        budget: Budget {
            restores: 1,
            edits: 2,
            lost_calls: 1,
            ..Budget::NONE
        },
        wishes: ANOTHER_PROGRAM,
        ..time_travel()
    }
}

/// The same, where the object is deleted.
pub fn time_travel_of_a_replacement_and_a_deletion() -> Model {
    Model {
        title: "time travel of a replacement and a deletion",
        budget: Budget {
            restores: 1,
            edits: 1,
            deletions: 1,
            ..Budget::NONE
        },
        ..time_travel_of_a_replacement()
    }
}

/// The same with configurations from which nobody else creates.
pub fn time_travel_of_a_sharers_replacement() -> Model {
    let mut model = Model {
        title: "time travel of a sharer's replacement",
        specs: [Some(SHARED), None],
        wishes: Wishes {
            sources: &[Source::Shared(0), Source::Shared(2)],
            ..Wishes::NONE
        },
        ..time_travel_of_a_replacement()
    };
    model.protocol.exclusive = true;
    model
}

/// One object whose create calls are given up, and somebody who copies its deployment when they are too old.
pub fn an_hour_later() -> Model {
    Model {
        budget: Budget {
            hours: 1,
            copies: 1,
            crashes: 1,
            lost_calls: 2,
            ..Budget::NONE
        },
        ..Model::new("an hour later", [Some(INLINE), None])
    }
}
