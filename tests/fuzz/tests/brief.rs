//! Every target with a fixed number of inputs, always the same ones unless `SEED` says otherwise. `make fuzz` runs them for longer.

use std::collections::BTreeSet;

use fuzz::{TARGETS, brief};

/// A test for each target, so that they run side by side and a failure has a name.
macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let target = TARGETS.iter().find(|target| target.name == stringify!($name));
            brief::run(target.expect("it is a target"));
        })*

        #[test]
        fn no_target_is_left_out() {
            let tested = BTreeSet::from([$(stringify!($name)),*]);
            let targets = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(tested, targets);
        }
    };
}

targets! {
    bulk client configuration headers identity intent lists objects records rejection schedule service_key token
}

#[test]
fn a_seed_makes_the_same_inputs_again_and_another_seed_others() {
    for target in TARGETS {
        let inputs = brief::preview(target, 7, 50);
        assert_eq!(inputs, brief::preview(target, 7, 50), "{}", target.name);
        assert_ne!(inputs, brief::preview(target, 8, 50), "{}", target.name);
        let different: BTreeSet<_> = inputs.iter().collect();
        assert!(different.len() > 40, "{}: {}", target.name, different.len());
    }
}
