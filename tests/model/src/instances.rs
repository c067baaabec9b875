//! The explorations: each allows a few faults, and together they allow all of them.

mod adopters;
mod time;

use aicore_operator::lifecycle::situation::Order;
use aicore_operator::lifecycle::step::Stall;

use crate::budget::Budget;
use crate::cluster::{Desired, Source, Spec};
use crate::model::Model;
use crate::protocol::Timing;
use crate::users::Wishes;

pub use adopters::{an_adopter_of_anothers, two_adopters};
pub use time::*;

const INLINE: Spec = Spec::running(Source::Inline(0));
const SHARED: Spec = Spec::running(Source::Shared(0));
const ANY_STATE: &[Desired] = &[Desired::Running, Desired::Stopped, Desired::Deleted];
const ONE_CRASH: Budget = Budget {
    crashes: 1,
    lost_calls: 1,
    deletions: 1,
    ..Budget::NONE
};

const ANOTHER_PROGRAM: Wishes = Wishes {
    desired: &[Desired::Running, Desired::Stopped],
    sources: &[Source::Inline(0), Source::Inline(2)],
    ..Wishes::NONE
};

/// One object with its own configuration, whose user changes his mind. The operator dies, and so do calls, answers and writes.
pub fn one_object() -> Model {
    Model {
        budget: Budget {
            lost_writes: 1,
            edits: 2,
            ..ONE_CRASH
        },
        wishes: Wishes {
            desired: ANY_STATE,
            ..Wishes::NONE
        },
        ..Model::new("one object", [Some(INLINE), None])
    }
}

/// One object, with PENDING and with calls and lists that are late by a tick more.
pub fn one_object_in_slow_motion() -> Model {
    let mut model = Model {
        budget: Budget {
            late_lists: 1,
            ..ONE_CRASH
        },
        pending: true,
        ..Model::new("one object in slow motion", [Some(INLINE), None])
    };
    model.protocol.timing = Timing { timeout: 1, lag: 1 };
    model
}

/// One object and an operator that sees old lists and an old object.
pub fn old_views() -> Model {
    Model {
        budget: Budget {
            held_watches: 1,
            held_lists: 1,
            edits: 1,
            ..ONE_CRASH
        },
        wishes: Wishes {
            desired: &[Desired::Running, Desired::Stopped],
            ..Wishes::NONE
        },
        ..Model::new("old views", [Some(INLINE), None])
    }
}

/// One object whose user changes his mind twice behind an old list, while a stop is on its way.
pub fn a_stop_behind_an_old_list() -> Model {
    Model {
        title: "a stop behind an old list",
        budget: Budget {
            held_lists: 1,
            lost_calls: 1,
            edits: 2,
            ..Budget::NONE
        },
        ..old_views()
    }
}

/// One object and lists that lag, and that lack a deployment which answers.
pub fn odd_lists() -> Model {
    Model {
        budget: Budget {
            late_lists: 1,
            omissions: 1,
            edits: 1,
            ..ONE_CRASH
        },
        wishes: Wishes {
            desired: ANY_STATE,
            ..Wishes::NONE
        },
        ..Model::new("odd lists", [Some(INLINE), None])
    }
}

/// One object and a former leader who goes on with what it does.
pub fn two_leaders() -> Model {
    Model {
        budget: Budget {
            takeovers: 1,
            lost_writes: 1,
            ..ONE_CRASH
        },
        ..Model::new("two leaders", [Some(INLINE), None])
    }
}

/// One object whose user changes his mind twice while two leaders work on it.
pub fn two_leaders_and_a_change_of_mind() -> Model {
    Model {
        budget: Budget {
            takeovers: 1,
            edits: 2,
            ..Budget::NONE
        },
        wishes: Wishes {
            desired: ANY_STATE,
            ..Wishes::NONE
        },
        ..Model::new("two leaders and a change of mind", [Some(INLINE), None])
    }
}

/// One object whose configuration is edited between call and restart, and whose deployment dies.
pub fn another_configuration() -> Model {
    Model {
        budget: Budget {
            deaths: 1,
            edits: 2,
            refusals: 1,
            ..ONE_CRASH
        },
        wishes: Wishes {
            desired: &[Desired::Running, Desired::Stopped],
            sources: &[Source::Inline(0), Source::Inline(1)],
            ..Wishes::NONE
        },
        stalls: &[Stall::DeploymentDead],
        ..Model::new("another configuration", [Some(INLINE), None])
    }
}

/// One object whose user asks for another program and perhaps back: one deployment serves all the while.
pub fn a_replacement() -> Model {
    Model {
        budget: Budget {
            crashes: 1,
            lost_calls: 1,
            edits: 2,
            refusals: 1,
            ..Budget::NONE
        },
        wishes: ANOTHER_PROGRAM,
        ..Model::new("a replacement", [Some(INLINE), None])
    }
}

/// The same where the former deployment goes first.
pub fn a_replacement_by_deleting_first() -> Model {
    let deleting = Spec {
        create_first: false,
        ..INLINE
    };
    Model {
        title: "a replacement by deleting first",
        specs: [Some(deleting), None],
        ..a_replacement()
    }
}

/// A replacement whose object is deleted.
pub fn a_replacement_and_a_deletion() -> Model {
    Model {
        title: "a replacement and a deletion",
        budget: Budget {
            edits: 1,
            ..ONE_CRASH
        },
        ..a_replacement()
    }
}

/// A replacement that is seen through old lists, and one of whose deployments dies.
pub fn a_replacement_on_a_bad_day() -> Model {
    Model {
        title: "a replacement on a bad day",
        budget: Budget {
            edits: 2,
            crashes: 1,
            held_lists: 1,
            deaths: 1,
            ..Budget::NONE
        },
        wishes: Wishes {
            sources: ANOTHER_PROGRAM.sources,
            ..Wishes::NONE
        },
        stalls: &[Stall::DeploymentDead],
        ..a_replacement()
    }
}

/// One object whose deployment lives only for a while.
pub fn a_time_to_live() -> Model {
    Model {
        budget: Budget {
            expiries: 1,
            edits: 1,
            ..ONE_CRASH
        },
        wishes: Wishes {
            desired: ANY_STATE,
            ..Wishes::NONE
        },
        // Whether one that was gone before anybody saw it had expired cannot be known.
        stalls: &[Stall::NeverSeen],
        ..Model::new("a time to live", [Some(INLINE), None])
    }
}

/// One object whose deployment somebody stops or deletes behind our back.
pub fn meddling() -> Model {
    Model {
        budget: Budget {
            meddling: 2,
            edits: 1,
            ..ONE_CRASH
        },
        wishes: Wishes {
            desired: ANY_STATE,
            ..Wishes::NONE
        },
        stalls: &[
            Stall::StoppedElsewhere,
            Stall::DeploymentMissing,
            Stall::NeverSeen,
        ],
        ..Model::new("meddling", [Some(INLINE), None])
    }
}

/// The same, where a deployment is to be made anew: then nobody has to act for one that should run.
pub fn meddling_undone() -> Model {
    let recreating = Spec {
        recreate: true,
        ..INLINE
    };
    Model {
        budget: Budget {
            meddling: 2,
            ..ONE_CRASH
        },
        ..Model::new("meddling undone", [Some(recreating), None])
    }
}

/// One object and an AI Core that cannot be reached, or accepts no key.
pub fn outages() -> Model {
    Model {
        budget: Budget {
            outages: 2,
            edits: 1,
            ..ONE_CRASH
        },
        wishes: Wishes {
            desired: ANY_STATE,
            ..Wishes::NONE
        },
        ..Model::new("outages", [Some(INLINE), None])
    }
}

/// One object that is held, forced, orphaned, or swept away with its definition.
pub fn orders() -> Model {
    Model {
        budget: Budget {
            uninstalls: 1,
            edits: 2,
            ..ONE_CRASH
        },
        wishes: Wishes {
            desired: &[Desired::Deleted],
            orders: &[Order::None, Order::Hold, Order::LetGo],
            orphan: true,
            ..Wishes::NONE
        },
        stalls: &[Stall::Protected],
        ..Model::new("orders", [Some(INLINE), None])
    }
}

/// One object that goes and comes again under its name.
pub fn applied_again() -> Model {
    Model {
        budget: Budget {
            edits: 1,
            applications: 1,
            ..ONE_CRASH
        },
        wishes: Wishes {
            orphan: true,
            orders: &[Order::LetGo],
            ..Wishes::NONE
        },
        // What was let go while a call about it was on its way is no more than what it looks like.
        stalls: &[
            Stall::Ambiguous,
            Stall::StoppedElsewhere,
            Stall::DeploymentMissing,
            Stall::NeverSeen,
        ],
        ..Model::new("applied again", [Some(INLINE), None])
    }
}

/// Two objects from one configuration that nobody else uses: each finds its own, and no person is needed.
pub fn sharing() -> Model {
    let mut model = Model {
        budget: ONE_CRASH,
        ..Model::new("sharing", [Some(SHARED), Some(SHARED)])
    };
    model.protocol.exclusive = true;
    model
}

/// One object from such a configuration, from which somebody has created a deployment before.
pub fn sharing_with_an_old_one() -> Model {
    Model {
        title: "sharing with an old one",
        specs: [Some(SHARED), None],
        strangers: 1,
        ..sharing()
    }
}

/// The same, where one of them is let go with its deployment left alone.
pub fn sharing_and_leaving() -> Model {
    Model {
        budget: Budget {
            crashes: 2,
            lost_calls: 1,
            deletions: 1,
            ..Budget::NONE
        },
        title: "sharing and leaving",
        specs: [
            Some(SHARED),
            Some(Spec {
                orphan: true,
                ..SHARED
            }),
        ],
        // What is left alone on purpose may look like a late result.
        stalls: &[Stall::Ambiguous],
        ..sharing()
    }
}

/// The same with a former leader.
pub fn sharing_with_two_leaders() -> Model {
    Model {
        budget: Budget {
            takeovers: 1,
            lost_calls: 1,
            ..Budget::NONE
        },
        title: "sharing with two leaders",
        ..sharing()
    }
}

/// The same with a watch that lags behind the operator's own writes, some of whose answers are lost.
pub fn sharing_with_old_views() -> Model {
    Model {
        budget: Budget {
            crashes: 1,
            held_watches: 1,
            lost_writes: 1,
            ..Budget::NONE
        },
        title: "sharing with old views",
        ..sharing()
    }
}

/// The same with an object that is deleted.
pub fn sharing_and_deleting_with_old_views() -> Model {
    let mut model = Model {
        title: "sharing and deleting with old views",
        ..sharing_with_old_views()
    };
    model.budget.deletions = 1;
    model
}

/// Two objects from one configuration from which a stranger creates, too: what cannot be told is not taken.
pub fn a_stranger() -> Model {
    Model {
        budget: Budget {
            strangers: 1,
            crashes: 1,
            deletions: 1,
            ..Budget::NONE
        },
        strangers: 1,
        stalls: &[Stall::Ambiguous],
        ..Model::new("a stranger", [Some(SHARED), Some(SHARED)])
    }
}

/// One object whose user says which deployment is his.
pub fn a_choice() -> Model {
    Model {
        budget: Budget {
            strangers: 1,
            edits: 1,
            ..ONE_CRASH
        },
        wishes: Wishes {
            adopt: true,
            ..Wishes::NONE
        },
        stalls: &[
            Stall::Ambiguous,
            Stall::NeverSeen,
            Stall::NoConfiguration,
            Stall::DeploymentMissing,
        ],
        ..Model::new("a choice", [Some(SHARED), None])
    }
}

/// An object with its own configuration whose user names a stranger's deployment instead.
pub fn another_choice() -> Model {
    Model {
        strangers: 1,
        title: "another choice",
        specs: [Some(INLINE), None],
        ..a_choice()
    }
}
