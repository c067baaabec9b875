//! What counts as an object's own, sign by sign.

use super::*;
use crate::lifecycle::walk;

const NAMESAKE: Signs = Signs {
    bears_name: true,
    wanted: false,
    late: false,
    forgotten: false,
    younger: false,
    exclusive: false,
    going: false,
    known: false,
    disowned: false,
    claimed: false,
    left: false,
};

const STANDINGS: [Standing; 9] = [
    Standing::Unknown,
    Standing::Gone,
    Standing::Missing,
    Standing::Ended,
    Standing::Ending,
    Standing::Replaced,
    Standing::Serves,
    Standing::There,
    Standing::Unneeded,
];

/// Every combination of signs.
fn all_signs() -> impl Iterator<Item = Signs> {
    (0..1u16 << 11).map(|bits| {
        let sign = |bit: u16| bits & (1 << bit) != 0;
        Signs {
            bears_name: sign(0),
            wanted: sign(1),
            late: sign(2),
            forgotten: sign(3),
            younger: sign(4),
            exclusive: sign(5),
            going: sign(6),
            known: sign(7),
            disowned: sign(8),
            claimed: sign(9),
            left: sign(10),
        }
    })
}

#[test]
fn what_another_object_holds_or_ai_core_deletes_is_nobodys_lost_one() {
    for signs in all_signs().filter(|signs| signs.claimed || signs.going || signs.known) {
        for standing in STANDINGS {
            assert!(!standing.owns(signs), "{standing:?} {signs:?}");
            assert!(!standing.may_own(signs, true), "{standing:?} {signs:?}");
        }
        assert!(!signs.may_be_lost(), "{signs:?}");
    }
}

#[test]
fn what_a_person_has_made_from_the_objects_configuration_is_left_alone_beside_what_is_there() {
    let copy = Signs {
        wanted: true,
        younger: true,
        ..NAMESAKE
    };
    for standing in [
        Standing::Serves,
        Standing::There,
        Standing::Ending,
        Standing::Unneeded,
    ] {
        assert!(!standing.owns(copy), "{standing:?}");
    }
    let forgotten = Signs {
        forgotten: true,
        ..copy
    };
    assert!(Standing::Serves.owns(forgotten) && Standing::Unneeded.owns(forgotten));
    let disowned = Signs {
        disowned: true,
        ..forgotten
    };
    assert!(!Standing::Serves.owns(disowned), "a person has said so");
}

#[test]
fn a_late_result_from_a_forgotten_time_goes_only_once_the_recorded_one_is_certain_to_serve() {
    let late = Signs {
        late: true,
        ..NAMESAKE
    };
    let forgotten = Signs {
        forgotten: true,
        ..late
    };
    assert!(Standing::There.owns(late) && !Standing::There.owns(forgotten));
    assert!(Standing::Serves.owns(forgotten));
}

#[test]
fn nothing_is_the_objects_while_the_recorded_one_is_about_to_end() {
    for signs in all_signs() {
        for standing in [Standing::Unknown, Standing::Ending] {
            assert!(!standing.owns(signs) && !standing.may_own(signs, true));
        }
    }
}

#[test]
fn only_a_younger_namesake_takes_the_place_of_one_that_has_stopped() {
    let younger = Signs {
        younger: true,
        ..NAMESAKE
    };
    assert!(Standing::Ended.owns(younger));
    assert!(!Standing::Ended.owns(NAMESAKE));
}

#[test]
fn a_deployment_from_a_named_configuration_is_only_asked_about() {
    let possible = Signs {
        bears_name: false,
        wanted: true,
        younger: true,
        ..NAMESAKE
    };
    let forgotten = Signs {
        forgotten: true,
        ..possible
    };
    for standing in STANDINGS {
        assert!(!standing.owns(forgotten), "{standing:?}");
    }
    assert!(Standing::Missing.may_own(possible, true));
    assert!(!Standing::Missing.may_own(possible, false));
    for standing in [Standing::Missing, Standing::Ended, Standing::Replaced] {
        assert!(standing.may_own(forgotten, false), "{standing:?}");
        let others = others(Goal::Running, standing, &[forgotten], true);
        assert_eq!(others, Some(Others::Successors), "{standing:?}");
    }
}

#[test]
fn one_takes_the_place_of_the_recorded_one_and_several_are_a_question() {
    for standing in [
        Standing::Gone,
        Standing::Missing,
        Standing::Ended,
        Standing::Replaced,
    ] {
        let one = others(Goal::Running, standing, &[NAMESAKE], false);
        assert_eq!(one, Some(Others::Successor), "{standing:?}");
        let several = others(Goal::Running, standing, &[NAMESAKE; 2], false);
        assert_eq!(several, Some(Others::Successors), "{standing:?}");
    }
    for standing in [Standing::Serves, Standing::There, Standing::Unneeded] {
        let one = others(Goal::Running, standing, &[NAMESAKE], false);
        assert_eq!(one, Some(Others::Unrecorded), "{standing:?}");
    }
    let gone = others(Goal::Released, Standing::Gone, &[NAMESAKE], false);
    assert_eq!(gone, Some(Others::Unrecorded), "nothing is to be left");
    let doubtful = others(Goal::Released, Standing::Missing, &[NAMESAKE], true);
    assert_eq!(doubtful, None, "what may be somebody else's is left alone");
}

#[test]
fn what_serves_is_told_from_what_is_about_to_end() {
    for remote in walk::remotes() {
        let standing = Standing::of(Goal::Running, &remote, Settling::Over);
        let early = Standing::of(Goal::Running, &remote, Settling::Unseen);
        assert_ne!(early, Standing::Serves, "{remote:?}");
        let runs = matches!(
            remote,
            Remote::Present(Present {
                state: State::Running,
                target: Target::Running,
                ..
            })
        );
        assert!(standing != Standing::Serves || runs, "{remote:?}");
        let ended = matches!(
            remote,
            Remote::Present(Present {
                state: State::Stopped | State::Completed | State::Dead,
                ..
            })
        );
        assert!(standing != Standing::Ended || ended, "{remote:?}");
        let unproven = matches!(
            remote,
            Remote::Unobserved
                | Remote::Absent {
                    proof: Proof::None,
                    ..
                }
        );
        assert_eq!(standing == Standing::Unknown, unproven, "{remote:?}");
    }
}

#[test]
fn a_late_result_is_one_that_the_call_could_have_made_in_its_time() {
    let result = Resemblance {
        configuration: true,
        ttl: true,
        existed: false,
        going: false,
    };
    assert!(result.is_possible_at(Age::Fresh) && !result.is_possible_at(Age::Expired));
    for other in [
        Resemblance {
            configuration: false,
            ..result
        },
        Resemblance {
            ttl: false,
            ..result
        },
        Resemblance {
            existed: true,
            ..result
        },
        Resemblance {
            going: true,
            ..result
        },
    ] {
        assert!(!other.is_possible(), "{other:?}");
    }
}
