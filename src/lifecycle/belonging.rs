//! Whether a deployment that an object does not record is the object's all the same.
//!
//! Whoever looks at AI Core, at the cluster and at the clock gathers [`Signs`]. What follows from them is said here, so that the rules can be
//! explored without any of these.

use super::evidence::Settling;
use super::late::Age;
use super::situation::{
    Ending, Fit, Goal, Others, Present, Proof, Remote, Replacement, State, Target,
};

/// What is known of a deployment that a create call may have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resemblance {
    /// Whether it comes from the configuration that was posted.
    pub configuration: bool,
    /// Whether its ttl may be the one that was posted.
    pub ttl: bool,
    /// Whether it existed before the call was announced.
    pub existed: bool,
    /// Whether AI Core is deleting it already: it is nobody's any more.
    pub going: bool,
}

impl Resemblance {
    /// Whether it may be the result of the call.
    pub fn is_possible(self) -> bool {
        self.configuration && self.ttl && !self.existed && !self.going
    }

    /// Whether it may be the result of the call, which was given up, where the call had this age when it was created.
    pub fn is_possible_at(self, age: Age) -> bool {
        self.is_possible() && age == Age::Fresh
    }
}

/// What is known of a deployment that an object does not record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signs {
    /// Whether the name of its configuration leads back to the object.
    pub bears_name: bool,
    /// Whether it comes from the configuration that the spec asks for, and its ttl may be the one that the spec asks for.
    pub wanted: bool,
    /// Whether it may be the result of a create call that was given up.
    pub late: bool,
    /// Whether it was created in a time that the cluster's store has forgotten, because it was restored from a backup.
    pub forgotten: bool,
    /// Whether it may be younger than what the status knows of: than the recorded deployment, or, where none is recorded and no call is known of,
    /// than the object.
    pub younger: bool,
    /// Whether nobody else creates from its configuration.
    pub exclusive: bool,
    /// Whether AI Core is deleting it already: it is nobody's any more.
    pub going: bool,
    /// Whether the object records it, or has done so before.
    pub known: bool,
    /// Whether a person has said that it is not the object's.
    pub disowned: bool,
    /// Whether another object holds it.
    pub claimed: bool,
    /// Whether another object has held it, or has left it behind on purpose.
    pub left: bool,
}

impl Signs {
    /// Whether it bears the object's name and nobody holds it.
    pub fn is_namesake(self) -> bool {
        self.bears_name && !self.going && !self.known && !self.claimed
    }

    /// Whether it is lost: nobody holds it, nor has ever done so.
    pub fn is_lost(self) -> bool {
        !self.going && !self.known && !self.claimed && !self.left
    }

    /// Whether it is the late result of a create call that was given up, and can be nobody else's.
    pub fn is_late_result(self) -> bool {
        self.late && self.is_lost() && (self.exclusive || self.bears_name)
    }

    /// Whether it bears the object's name and was made in a time that the store has forgotten.
    pub fn is_forgotten_namesake(self) -> bool {
        self.forgotten && self.is_namesake() && !self.left && !self.disowned
    }

    /// Whether it may be the object's, which records none, only because it comes from the configuration that the spec names.
    pub fn may_be_lost(self) -> bool {
        let in_question = self.late || self.younger || self.forgotten;
        self.wanted && in_question && self.is_lost() && !self.disowned
    }
}

/// How it stands with the recorded deployment, for whoever asks what other deployments are to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Whether it is there is not known.
    Unknown,
    /// It is proven to be gone.
    Gone,
    /// The same, and nothing explains it.
    Missing,
    /// Something is to run, and it has stopped or died.
    Ended,
    /// Something is to run, and AI Core is ending it.
    Ending,
    /// A successor is to be made of it.
    Replaced,
    /// It runs as it should, and whatever was sent to end it before would have done so by now.
    Serves,
    /// It is there.
    There,
    /// It is there, and nothing is to run.
    Unneeded,
}

impl Standing {
    /// How it stands with a deployment of which AI Core says this, where calls of whoever worked before have settled so far.
    pub fn of(goal: Goal, remote: &Remote, settling: Settling) -> Self {
        match remote {
            Remote::Unobserved
            | Remote::Absent {
                proof: Proof::None, ..
            } => Self::Unknown,
            Remote::Absent {
                ending: Ending::Unexplained,
                ..
            } => Self::Missing,
            Remote::Absent { .. } => Self::Gone,
            Remote::Present(_) if goal != Goal::Running => Self::Unneeded,
            Remote::Present(present) => Self::of_present(*present, settling),
        }
    }

    /// Something is to run.
    fn of_present(present: Present, settling: Settling) -> Self {
        match (present.state, present.target) {
            (State::Deleting | State::Stopping, _) | (_, Target::Deleted) => Self::Ending,
            (State::Stopped | State::Completed, _) if present.expired => Self::Ending,
            (State::Stopped | State::Completed | State::Dead, _) => Self::Ended,
            (_, Target::Stopped) => Self::Ending,
            (state, Target::Running) => match present.configuration {
                Fit::Foreign(Replacement::CreateFirst | Replacement::Unheld) => Self::Replaced,
                Fit::Foreign(_) | Fit::Unknown | Fit::Unprepared => Self::There,
                _ if state == State::Running && settling == Settling::Over => Self::Serves,
                _ => Self::There,
            },
        }
    }

    /// Whether a deployment with these signs is the object's besides the recorded one.
    ///
    /// What a person has made from the object's configuration bears its name, too. It counts only where something is missing that it could stand
    /// for, or where the store has forgotten what was made then.
    pub fn owns(self, signs: Signs) -> bool {
        match self {
            Self::Unknown | Self::Ending => false,
            Self::Gone | Self::Missing => signs.is_late_result() || signs.is_namesake(),
            // Of any other one it is asked again once the successor serves.
            Self::Replaced => signs.wanted && (signs.is_late_result() || signs.is_namesake()),
            Self::Ended => {
                let younger = signs.is_namesake() && signs.younger && !signs.disowned;
                signs.is_late_result() || younger || signs.is_forgotten_namesake()
            }
            Self::Serves | Self::Unneeded => {
                signs.is_late_result() || signs.is_forgotten_namesake()
            }
            // It may not be late at all, but what serves in a time that the store has forgotten.
            Self::There => signs.is_late_result() && !signs.forgotten,
        }
    }

    /// Whether a deployment with these signs may have taken the place of the recorded one, although nothing proves it: it comes from the
    /// configuration that the spec names. Where the recorded one is missing, a person `is_asked` of all that are younger.
    pub fn may_own(self, signs: Signs, is_asked: bool) -> bool {
        let in_question = match self {
            Self::Missing => signs.younger && (is_asked || signs.forgotten),
            Self::Ended | Self::Replaced => signs.forgotten,
            _ => false,
        };
        in_question && signs.wanted && signs.is_lost() && !signs.disowned
    }
}

/// What follows from deployments with these signs, which are the object's, or may be where that is `doubtful`: where something is to be left, one of
/// them takes the place of the recorded one. Otherwise they have to go.
pub fn others(goal: Goal, standing: Standing, found: &[Signs], doubtful: bool) -> Option<Others> {
    let stays = matches!(goal, Goal::Running | Goal::Stopped);
    let takes_over = match standing {
        Standing::Gone | Standing::Missing => stays,
        Standing::Ended | Standing::Replaced => true,
        _ => false,
    };
    match found {
        [] => None,
        [_] if takes_over && !doubtful => Some(Others::Successor),
        _ if takes_over => Some(Others::Successors),
        // What may be somebody else's is nobody's business of an object that goes.
        _ if doubtful => None,
        _ => Some(Others::Unrecorded),
    }
}

#[cfg(test)]
#[path = "belonging_tests.rs"]
mod tests;
