//! The laws hold in every state that the rules, the faults and the users can lead to. `MODEL_LARGE=1` allows more faults: another lost call, and
//! where there is one object only and etcd is not restored, which ends the process as well, another crash.

use model::instances;
use model::model::Model;

fn check(mut model: Model) {
    if std::env::var_os("MODEL_LARGE").is_some() {
        let is_alone = model.specs.iter().flatten().count() == 1;
        let stays = model.budget.restores == 0;
        model.budget.crashes += u8::from(is_alone && stays);
        model.budget.lost_calls += 1;
    }
    if let Err(discovery) = model.explore() {
        panic!("{discovery}");
    }
}

macro_rules! laws_hold {
    ($($(#[$attribute:meta])* $test:ident: $instance:ident;)*) => {
        $(
            #[test]
            fn $test() {
                check(instances::$instance());
            }
        )*
    };
}

laws_hold! {
    with_one_object: one_object;
    in_slow_motion: one_object_in_slow_motion;
    with_old_views: old_views;
    with_a_stop_behind_an_old_list: a_stop_behind_an_old_list;
    with_odd_lists: odd_lists;
    with_two_leaders: two_leaders;
    with_two_leaders_and_a_change_of_mind: two_leaders_and_a_change_of_mind;
    with_time_travel: time_travel;
    with_time_travel_of_a_sharer: time_travel_of_a_sharer;
    with_time_travel_of_a_replacement: time_travel_of_a_replacement;
    with_time_travel_of_a_replacement_and_a_deletion: time_travel_of_a_replacement_and_a_deletion;
    with_time_travel_of_a_sharers_replacement: time_travel_of_a_sharers_replacement;
    an_hour_later: an_hour_later;
    with_another_configuration: another_configuration;
    with_a_replacement: a_replacement;
    with_a_replacement_by_deleting_first: a_replacement_by_deleting_first;
    with_a_replacement_and_a_deletion: a_replacement_and_a_deletion;
    with_a_replacement_on_a_bad_day: a_replacement_on_a_bad_day;
    with_a_time_to_live: a_time_to_live;
    with_meddling: meddling;
    with_meddling_undone: meddling_undone;
    with_outages: outages;
    with_orders: orders;
    when_applied_again: applied_again;
    when_sharing: sharing;
    when_sharing_with_an_old_one: sharing_with_an_old_one;
    when_sharing_and_leaving: sharing_and_leaving;
    when_sharing_with_two_leaders: sharing_with_two_leaders;
    when_sharing_with_old_views: sharing_with_old_views;
    with_a_stranger: a_stranger;
    with_a_choice: a_choice;
    with_another_choice: another_choice;
    with_two_adopters: two_adopters;
    with_an_adopter_of_anothers: an_adopter_of_anothers;
}
