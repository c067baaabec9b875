//! One rule broken at a time: the laws notice every one.

use model::instances;
use model::model::Model;
use model::mutant::Mutant;

/// The exploration that shows a mutant.
fn exploration(mutant: Mutant) -> Model {
    match mutant {
        Mutant::DeleteInsteadOfStop
        | Mutant::DeleteWhileStopping
        | Mutant::ReleaseWithOpenIntent
        | Mutant::ReleaseOnDelete
        | Mutant::CreateWhileTerminating
        | Mutant::CreateWithoutFinalizer
        | Mutant::PostBeforeIntent
        | Mutant::PostAgain
        | Mutant::LostIsRefused
        | Mutant::ClearIntentAtOnce
        | Mutant::StopUnrecorded
        | Mutant::StopForgottenEarly
        | Mutant::DeleteUnrecorded
        | Mutant::BlindWrites
        | Mutant::SentUnasked => instances::one_object(),
        Mutant::ReleaseWithoutProof | Mutant::NotFoundIsProofAtOnce | Mutant::ListIsProof => {
            instances::odd_lists()
        }
        Mutant::OldListsCount => instances::old_views(),
        Mutant::StopForgottenUnseen => instances::a_stop_behind_an_old_list(),
        Mutant::LapsedLease => instances::two_leaders(),
        Mutant::KeepBlindly => instances::two_leaders_and_a_change_of_mind(),
        Mutant::NoLookBeforeCreate => instances::time_travel(),
        Mutant::HourIgnored => instances::an_hour_later(),
        Mutant::NoLookBeforeStoppedElsewhere
        | Mutant::ForgottenIgnored
        | Mutant::ForgottenEndedEarly
        | Mutant::ForgottenAtOnce => instances::time_travel_of_a_replacement(),
        Mutant::FoundIsProof => instances::applied_again(),
        Mutant::SharedOutAtOnce | Mutant::NothingLeftForOthers => instances::sharing(),
        Mutant::LeftUnrecorded => instances::sharing_and_leaving(),
        Mutant::KnownForgotten => instances::sharing_with_an_old_one(),
        Mutant::NoReservation | Mutant::ReadUnregistered => instances::sharing_with_old_views(),
        Mutant::CacheHidesOwnWrites => instances::sharing_and_deleting_with_old_views(),
        Mutant::TakeWithoutProof => instances::a_stranger(),
        Mutant::ChosenAtOnce => instances::a_choice(),
        Mutant::ClaimsIgnored => instances::two_adopters(),
        Mutant::FormerForgotten | Mutant::FormerNotHeld | Mutant::FormerHeldUntilCreated => {
            instances::a_replacement()
        }
        Mutant::FormerStopUnrecorded => instances::a_replacement_on_a_bad_day(),
    }
}

#[test]
fn every_broken_rule_is_noticed() {
    let mut unnoticed = Vec::new();
    for mutant in Mutant::ALL {
        let mut model = exploration(mutant);
        model.protocol.mutant = Some(mutant);
        match model.explore() {
            Ok(_) => unnoticed.push(mutant),
            Err(discovery) => println!(
                "{mutant:?} breaks \"{}\" after {} states: {}",
                discovery.law, discovery.states, discovery.how
            ),
        }
    }
    assert!(unnoticed.is_empty(), "nobody notices {unnoticed:?}");
}
