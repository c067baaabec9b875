//! One rule broken on purpose, to show that the laws notice.

/// A rule that is broken on purpose: of the pure functions, or of the order of the shell's effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// What runs is deleted without being stopped.
    DeleteInsteadOfStop,
    /// What is stopping is deleted already.
    DeleteWhileStopping,
    /// The finalizer comes off as soon as the deployment is missing from a list.
    ReleaseWithoutProof,
    /// The finalizer comes off while the outcome of a create call is open.
    ReleaseWithOpenIntent,
    /// The finalizer comes off once the delete is sent.
    ReleaseOnDelete,
    /// A new deployment that is not found is gone.
    NotFoundIsProofAtOnce,
    /// A deployment that the list lacks is gone, whatever it answers.
    ListIsProof,
    /// A create call is made for an object that is being deleted.
    CreateWhileTerminating,
    /// A create call is made before the finalizer is on.
    CreateWithoutFinalizer,
    /// Nobody looks for a deployment that is there already.
    NoLookBeforeCreate,
    /// The create call is made before it is announced.
    PostBeforeIntent,
    /// A create call whose answer was lost is made again.
    PostAgain,
    /// A create call whose answer was lost is taken for refused.
    LostIsRefused,
    /// An intent is given up as soon as no list shows its result.
    ClearIntentAtOnce,
    /// What existed before the create call may be its result.
    KnownForgotten,
    /// A candidate is taken where somebody else may have created it.
    TakeWithoutProof,
    /// An id is written to a status without being reserved.
    NoReservation,
    /// What another object holds is treated as one's own.
    ClaimsIgnored,
    /// A stop is sent without being recorded.
    StopUnrecorded,
    /// A decision is made on a list from before the last write.
    OldListsCount,
    /// A status is written over whatever is there.
    BlindWrites,
    /// The result of a create call is recorded without looking whether the intent is still open.
    KeepBlindly,
    /// A process whose Lease has lapsed goes on sending.
    LapsedLease,
    /// A delete is sent without being recorded.
    DeleteUnrecorded,
    /// A recorded stop is forgotten while it can still have its effect.
    StopForgottenEarly,
    /// A recorded stop is forgotten by a list that was requested before it can have no effect any more.
    StopForgottenUnseen,
    /// Results of several create calls are shared out before all of these have settled.
    SharedOutAtOnce,
    /// A create call is given up although a deployment is left that it could have made.
    NothingLeftForOthers,
    /// A deployment that the user names is taken although the create call may still have its effect.
    ChosenAtOnce,
    /// What other objects record is read from a cache that may not show our own writes yet.
    CacheHidesOwnWrites,
    /// What is read after a write whose answer was lost is not told to the register of claims.
    ReadUnregistered,
    /// A result that was found is taken for the call's, so that no other one is looked for.
    FoundIsProof,
    /// A deployment is left behind without being written down.
    LeftUnrecorded,
    /// A stop or delete is sent although the user has changed his mind while it waited.
    SentUnasked,
    /// The result of a create call that was given up may come however late.
    HourIgnored,
    /// Nobody looks for a successor of a deployment that has stopped.
    NoLookBeforeStoppedElsewhere,
    /// What was made in a time that etcd has forgotten is left to run beside what is recorded.
    ForgottenIgnored,
    /// What was made in such a time has to go although what is recorded is about to end.
    ForgottenEndedEarly,
    /// What was made in such a time has to go before a stop can have its effect that was sent then.
    ForgottenAtOnce,
    /// A deployment that is replaced is not recorded any more.
    FormerForgotten,
    /// A deployment that is replaced goes at once.
    FormerNotHeld,
    /// A deployment that is replaced goes as soon as its successor is recorded.
    FormerHeldUntilCreated,
    /// A deployment that is replaced is stopped without taking note that it does not serve any more.
    FormerStopUnrecorded,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 43] = [
        Self::DeleteInsteadOfStop,
        Self::DeleteWhileStopping,
        Self::ReleaseWithoutProof,
        Self::ReleaseWithOpenIntent,
        Self::ReleaseOnDelete,
        Self::NotFoundIsProofAtOnce,
        Self::ListIsProof,
        Self::CreateWhileTerminating,
        Self::CreateWithoutFinalizer,
        Self::NoLookBeforeCreate,
        Self::PostBeforeIntent,
        Self::PostAgain,
        Self::LostIsRefused,
        Self::ClearIntentAtOnce,
        Self::KnownForgotten,
        Self::TakeWithoutProof,
        Self::NoReservation,
        Self::ClaimsIgnored,
        Self::StopUnrecorded,
        Self::OldListsCount,
        Self::BlindWrites,
        Self::KeepBlindly,
        Self::LapsedLease,
        Self::DeleteUnrecorded,
        Self::StopForgottenEarly,
        Self::StopForgottenUnseen,
        Self::SharedOutAtOnce,
        Self::NothingLeftForOthers,
        Self::ChosenAtOnce,
        Self::CacheHidesOwnWrites,
        Self::ReadUnregistered,
        Self::FoundIsProof,
        Self::LeftUnrecorded,
        Self::SentUnasked,
        Self::HourIgnored,
        Self::NoLookBeforeStoppedElsewhere,
        Self::ForgottenIgnored,
        Self::ForgottenEndedEarly,
        Self::ForgottenAtOnce,
        Self::FormerForgotten,
        Self::FormerNotHeld,
        Self::FormerHeldUntilCreated,
        Self::FormerStopUnrecorded,
    ];
}
